"""`manage.py jobs`: the process that runs the clocks and the queue."""

import logging
import signal
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.module_loading import autodiscover_modules

from api.core import clocks, queue, scrape

_log = logging.getLogger("guildhall.jobs")


class Command(BaseCommand):
    help = (
        "Run the clocks (expiry, auto-accept, roll-ups, clean-up) and the jobs of the queue until told to stop."
        " Any number may run at once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="Run each clock and the jobs that are due, and leave.")

    def handle(self, *args: Any, **options: Any) -> None:
        autodiscover_modules("jobs")
        worker = queue.Worker()
        if options["once"]:
            self._run_once(worker)
            return
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        if settings.METRICS_PORT:
            scrape.serve(settings.HOST, settings.METRICS_PORT)
        threads = [*clocks.threads(stop), *worker.threads(stop, settings.JOBS_THREADS)]
        for thread in threads:
            thread.start()
        stop.wait()
        deadline = time.monotonic() + settings.GRACEFUL_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if late := [thread.name for thread in threads if thread.is_alive()]:
            # What they were doing is rolled back, or taken over.
            _log.warning("left before the end", extra={"threads": late})
        worker.leave()

    def _run_once(self, worker: queue.Worker) -> None:
        for each in clocks.CLOCKS.values():
            self.stdout.write(f"{each.name}: {clocks.tick(each)}")
        worker.beat()
        done = 0
        while worker.run_next():
            done += 1
        worker.leave()
        self.stdout.write(f"jobs: {done}")
