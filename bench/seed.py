"""Makes users with tokens and money in a stack's database. Reads what to make from standard input; see `Stack.seed`."""

import json
import secrets
import sys
from datetime import timedelta
from hashlib import sha256

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402
from oauth2_provider.models import AccessToken  # noqa: E402

from api.accounts.models import Application, User  # noqa: E402
from api.ledger import services as ledger  # noqa: E402
from api.ledger.models import Purse, Transfer  # noqa: E402


def main() -> None:
    wanted = json.load(sys.stdin)
    application, _ = Application.objects.get_or_create(
        client_id="bench",
        defaults={
            "name": "Bench",
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": "http://localhost/",
        },
    )
    users = [User(email=f"{secrets.token_hex(6)}@example.org", name=name, password="!") for name in wanted["names"]]
    User.objects.bulk_create(users)
    tokens = [secrets.token_urlsafe(24) for _ in users]
    expires = timezone.now() + timedelta(days=1)
    scope = " ".join(settings.SCOPES)
    for user, token in zip(users, tokens, strict=True):
        AccessToken.objects.create(user=user, application=application, token=token, scope=scope, expires=expires)
    outside = ledger.system_purse(kind=Purse.Kind.EXTERNAL, currency=settings.CURRENCY)
    for user, amount in zip(users, wanted["money"], strict=False):
        purse = ledger.purse_of(owner_id=user.id, currency=settings.CURRENCY)
        ledger.transfer(
            key=f"seed:{sha256(user.email.encode()).hexdigest()[:32]}",
            kind=Transfer.Kind.DEPOSIT,
            lines=[(outside.id, -amount), (purse.id, amount)],
        )
    rows = [
        {"id": str(user.id), "email": user.email, "token": token} for user, token in zip(users, tokens, strict=True)
    ]
    json.dump(rows, sys.stdout)


main()
