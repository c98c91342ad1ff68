import pytest
from django.test import Client


@pytest.mark.django_db
def test_the_clock_is_open_to_anyone(client: Client) -> None:
    response = client.get("/api/v1/time")
    assert response.status_code == 200
    assert response.json()["now"].endswith("Z")
    assert response["RateLimit"].startswith('"minute";r=')
