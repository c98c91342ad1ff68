"""The client's page and files, as the server hands them out."""

from pathlib import Path
from wsgiref.headers import Headers

import pytest
from django.test import Client

from config.headers import FRAME_POLICY, add_headers, page_policy


@pytest.fixture
def client_files(settings, tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html><title>Guildhall</title>")
    settings.CLIENT_DIST = tmp_path
    return tmp_path


@pytest.mark.parametrize(
    "path", ["/feed", "/signed-in?code=x&state=y", "/assignments/0190-1", "/account/own-applications"]
)
def test_an_address_of_the_client_gets_its_page(client_files, path):
    response = Client().get(path)
    assert response.status_code == 200
    assert "<title>Guildhall</title>" in response.content.decode()
    assert "script-src 'self';" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "no-cache"


def test_a_page_is_told_of_a_gateway_elsewhere(client_files, settings):
    built = Path(__file__).parents[2] / "client" / "index.html"
    policy = '<meta content="connect-src &#39;self&#39;; frame-src x">'
    (client_files / "index.html").write_text(policy + built.read_text())
    assert 'name="guildhall-live" content=""' in Client().get("/feed").content.decode()
    settings.GATEWAY_URL = "wss://live.example.org"
    page = Client().get("/feed").content.decode()
    assert '<meta name="guildhall-live" content="wss://live.example.org">' in page
    assert "connect-src &#39;self&#39; wss://live.example.org; frame-src" in page
    assert "connect-src 'self' wss://live.example.org;" in page_policy(live="wss://live.example.org")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api", "/accounts/nothing", "/static/nothing", "/nothing.js"])
def test_what_is_not_the_clients_stays_a_404(client_files, path, db):
    assert Client().get(path).status_code == 404


def test_the_page_only_answers_reading(client_files):
    assert Client().post("/feed").status_code == 405


def test_a_requesters_html_is_sandboxed_by_its_own_policy_too():
    headers = Headers()
    add_headers(headers, "/srv/dist/frame.html", "/frame.html")
    assert headers["Content-Security-Policy"] == FRAME_POLICY
    assert FRAME_POLICY.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in FRAME_POLICY


def test_the_front_page_cannot_be_framed_or_run_foreign_script():
    headers = Headers()
    add_headers(headers, "/srv/dist/index.html", "/")
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
