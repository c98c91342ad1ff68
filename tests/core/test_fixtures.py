"""The fixtures themselves: what the other tests lean on."""

import pytest
from django.contrib.auth.models import Permission

from api.accounts.models import User
from tests.factories import make_user


def test_a_client_speaks_as_its_user(api, make_user) -> None:
    assert api(make_user("Ana")).get("/api/v1/time").status_code == 200


@pytest.mark.parametrize("run", [1, 2])
def test_a_test_with_real_transactions_leaves_no_user_and_takes_no_seed(together, run) -> None:
    assert not User.objects.exists()
    assert Permission.objects.exists()
    made = together(lambda: make_user("one"), lambda: make_user("two"))
    assert {user.name for user in made} == {"one", "two"}
    assert User.objects.count() == 2
