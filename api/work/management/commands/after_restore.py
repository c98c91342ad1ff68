"""`manage.py after_restore`: what a database needs once its dump was loaded into a new server."""

from typing import Any

from django.core.management.base import BaseCommand

from api.realtime import retention
from api.work import services


class Command(BaseCommand):
    help = "Put right what depends on the old server's transaction ids. `release` runs it; safe at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        if services.forget_old_transactions():
            self.stdout.write("This database came from another server: places that were given back are offered anew.")
        if retention.forget_old_transactions():
            self.stdout.write("This database came from another server: its events count as seen.")
