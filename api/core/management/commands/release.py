"""What a new release needs done once before its processes start. Safe to repeat, and on several nodes at once."""

import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection

# Any number will do that no one else locks; this one is "guild" in ASCII.
_LOCK = 0x6775696C64


class Command(BaseCommand):
    help = "Bring tables, static files and first-party applications up to this release."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.cursor() as cursor:
            # Asked for again and again, not waited for: a waiting query holds a snapshot, and an index that is being
            # built concurrently waits for that.
            while not _locked(cursor):
                time.sleep(0.5)
            try:
                for name, arguments in settings.RELEASE_COMMANDS:
                    call_command(name, *arguments, stdout=self.stdout, stderr=self.stderr)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _locked(cursor: Any) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
    return bool(cursor.fetchone()[0])
