"""Prove that the books are right, or say where they are not."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from api.core.money import shown
from api.ledger import audits


class Command(BaseCommand):
    help = "Check every purse, transfer and entry, and what other domains owe out of them. Exit code 1 on any problem."

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        with transaction.atomic():
            if not connection.savepoint_ids:
                with connection.cursor() as cursor:
                    # All checks see the same moment, while the platform goes on.
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._print_figures()
            for name, check in audits.checks().items():
                found += self._run(name, check)
        if found:
            raise CommandError(f"{found} of {len(audits.checks())} checks found problems.")
        self.stdout.write(self.style.SUCCESS(f"All {len(audits.checks())} checks passed."))

    def _print_figures(self) -> None:
        transfers, entries = audits.sizes()
        self.stdout.write(f"{transfers} transfers with {entries} entries")
        for kind, currency, purses, total in audits.figures():
            self.stdout.write(f"{kind:>10} {purses:>10} purses {shown(total, currency):>24}")

    def _run(self, name: str, check: audits.Check) -> bool:
        started = time.perf_counter()
        problems = list(check())
        seconds = time.perf_counter() - started
        self.stdout.write(f"{'WRONG' if problems else 'right'}  {name} ({seconds:.1f} s)")
        for problem in problems[: audits.SHOWN]:
            self.stdout.write(f"       {problem}")
        if len(problems) >= audits.SHOWN:
            self.stdout.write("       … and maybe more")
        return bool(problems)
