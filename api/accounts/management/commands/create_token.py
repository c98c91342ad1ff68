from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api.accounts.models import User
from api.accounts.services.applications import create_token
from api.core.errors import Invalid


class Command(BaseCommand):
    help = "Print a bearer token with which a script acts as a user."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the user's e-mail address")
        parser.add_argument("--scope", required=True, help='such as "projects:read projects:write"')
        parser.add_argument("--days", type=int, default=30, help="how long it lasts (30)")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"No open account has the address {options['email']}.")
        scopes = options["scope"].replace(",", " ").split()
        if not scopes:
            raise CommandError("Name at least one scope.")
        if not 1 <= options["days"] <= 3650:
            raise CommandError("The number of days lies between 1 and 3650.")
        try:
            token = create_token(user=user, scopes=scopes, lasts=timedelta(days=options["days"]))
        except Invalid as error:
            raise CommandError(error.detail) from None
        self.stdout.write(token)
