from typing import Any

from django.core.management.base import BaseCommand

from api.accounts.services.applications import create_first_party


class Command(BaseCommand):
    help = "Make the applications of Guildhall's own client and scripts, or bring them up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        for application in create_first_party():
            self.stdout.write(f"{application.client_id}: {application.redirect_uris or 'no redirect address'}")
