"""Every operation of `docs/openapi.yaml`, called with what its schema allows and with what it does not.

Through the WSGI application, on a market with work in every state. Nothing may crash, and every answer must be one
that the description has: its status, its type, its headers, its shape. `FUZZ_EXAMPLES=1000` looks longer, and anew
each time.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from api.core.management.commands.openapi import FILE
from config.wsgi import application
from tests import factories
from tests.test_permissions import BASE, EXPECTED, Market, build_market

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_path(str(FILE))
SCHEMA.app = application
OPERATIONS = {
    f"{operation.method.upper()} {operation.path.removeprefix(BASE)}": operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations())
}
PLAIN = {
    "deadline": None,
    "database": None,
    "derandomize": not EXAMPLES,
    "suppress_health_check": list(HealthCheck),
}


@pytest.fixture
def market(db: None, settings: Any) -> Iterator[Market]:
    settings.RATE_LIMITS = dict.fromkeys(django_settings.RATE_LIMITS, 10**9)
    # As Django's test client does: a request must not close the connection that the test's transaction is on.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield build_market()
    for signal in signals:
        signal.connect(close_old_connections)


def _caller(name: str) -> str:
    """Who may do this, so that the fuzz gets past the door."""
    return next((each for each in ("owner", "worker", "stranger") if EXPECTED[name][each] < 400), "owner")


def _aim(case: Case, market: Market, name: str) -> None:
    """Put ids of things that are there into the path."""
    for parameter in case.path_parameters:
        case.path_parameters[parameter] = str(market.meant(name, parameter))


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_crashes_and_every_answer_is_described(market: Market, name: str) -> None:
    operation = OPERATIONS[name]
    token = factories.make_token(market.users[_caller(name)])
    takes_something = bool({"parameters", "requestBody"} & operation.definition.raw.keys())
    modes = list(GenerationMode) if takes_something else [GenerationMode.POSITIVE]

    @settings(max_examples=EXAMPLES or 20, **PLAIN)
    @given(
        case=st.one_of(*[operation.as_strategy(generation_mode=mode) for mode in modes]),
        aimed=st.integers(0, 3).map(bool),
    )
    def run(case: Case, aimed: bool) -> None:
        if aimed:
            _aim(case, market, name)
        case.headers["Authorization"] = f"Bearer {token}"
        with transaction.atomic():
            response = case.call()
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)

    run()


def test_nobody_gets_in_without_a_token(market: Market) -> None:
    """Whatever is sent, and before any of it is looked at."""
    guarded = [name for name in OPERATIONS if EXPECTED[name]["anonymous"] == 401]
    assert guarded
    for name in guarded:
        _is_refused(market, name)


def _is_refused(market: Market, name: str) -> None:
    @settings(max_examples=EXAMPLES or 3, **PLAIN)
    @given(case=OPERATIONS[name].as_strategy(), token=st.sampled_from([None, "", "x", "0" * 64]))
    def run(case: Case, token: str | None) -> None:
        _aim(case, market, name)
        if token is not None:
            case.headers["Authorization"] = f"Bearer {token}"
        response = case.call()
        assert response.status_code == 401, name
        case.validate_response(response, checks=CHECKS)

    run()


def test_every_operation_that_is_described_is_called() -> None:
    assert sorted(OPERATIONS) == sorted(EXPECTED)
