"""Operators look up what a request with an Idempotency-Key was answered."""

import pytest
from django.test import Client
from django.urls import reverse

from api.accounts.models import Application
from tests.factories import make_api, make_user

pytestmark = pytest.mark.django_db

KEYS = "admin:core_idempotencykey_changelist"


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(make_user("Op", is_staff=True, is_superuser=True))
    return client


def test_a_key_is_found_by_user_application_and_itself_and_is_not_changed(operator):
    user, other = make_user("Ana"), make_user("Bo")
    for someone in (user, other):
        made = make_api(someone).post("/api/v1/projects", {"title": "Ducks"}, headers={"Idempotency-Key": "first-one"})
        assert made.status_code == 201

    def found(query: str) -> list[str]:
        page = operator.get(reverse(KEYS), {"q": query})
        assert page.status_code == 200
        rows = page.context["cl"].result_list
        return [bytes(row.body).decode() for row in rows]

    application = Application.objects.get(client_id="tests")
    (body,) = found(f"{user.id} {application.id} first-one")
    assert str(user.id) in body
    assert found(f"{user.id} {application.id} second-one") == found(f"{user.id} first-one") == []
    assert found(f"{user.id} {application.id}") == found("first-one") == found(str(user.id)) == found("") == []
    text = operator.get(reverse(KEYS), {"q": f"{user.id} {application.id} first-one"}).content.decode()
    assert "201" in text
    assert "delete_selected" not in text
    assert operator.get(reverse("admin:core_idempotencykey_add")).status_code == 403
    assert operator.get("/admin/core/idempotencykey/x/change/").status_code in (302, 404)


def test_a_sealed_answer_is_not_shown(operator):
    user = make_user("Ana")
    fields = {"name": "Robot", "client_type": "confidential", "redirect_uris": ["https://robot.example.org/"]}
    make_api(user).post("/api/v1/applications", fields, headers={"Idempotency-Key": "first-one"})
    application = Application.objects.get(client_id="tests")
    page = operator.get(reverse(KEYS), {"q": f"{user.id} {application.id} first-one"})
    assert b"201" in page.content
    assert b"(secret)" in page.content
