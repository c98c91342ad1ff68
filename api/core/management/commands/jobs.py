"""`manage.py jobs`: the process that runs the clocks."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.module_loading import autodiscover_modules

from api.core import clocks


class Command(BaseCommand):
    help = "Run the clocks (expiry, auto-accept, roll-ups, clean-up) until told to stop. Any number may run at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Run each clock once and leave.")

    def handle(self, *args: Any, **options: Any) -> None:
        autodiscover_modules("jobs")
        if options["once"]:
            for each in clocks.CLOCKS.values():
                self.stdout.write(f"{each.name}: {clocks.tick(each)}")
            return
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        clocks.run(stop)
