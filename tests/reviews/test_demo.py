"""The demo: loaded once, by the services, and only where its passwords can do no harm."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from api.accounts.models import User
from api.ledger.models import Purse
from api.projects.models import Project
from api.work.models import Assignment

pytestmark = pytest.mark.django_db


def load() -> str:
    output = StringIO()
    call_command("load_demo", stdout=output)
    return output.getvalue()


def test_the_demo_is_loaded_once_and_adds_up():
    accounts = load()
    counts = (User.objects.count(), Project.objects.count(), Assignment.objects.count())
    assert load() == accounts
    assert counts == (User.objects.count(), Project.objects.count(), Assignment.objects.count())
    assert "worker@example.org" in accounts
    assert Assignment.objects.filter(state="submitted").exists()
    call_command("audit_ledger", stdout=StringIO())
    assert Purse.objects.filter(kind="escrow", balance__gt=0).count() == 3


def test_the_demo_is_refused_elsewhere(settings):
    settings.LOCAL = False
    with pytest.raises(CommandError):
        load()
    assert not User.objects.exists()
