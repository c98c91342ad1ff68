"""Mail leaves by the queue: nobody waits for the mail server, and nothing is lost while it is away."""

import re
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.test import Client
from django.utils import timezone

from api.core import queue
from api.core.mail import KEPT_FOR, forget_old
from api.core.models import Job, Mail

BODY = "Your key is secret-key-1."


class Server(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it is sent, or refuses all of it."""

    daemon_threads = allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.messages: list[Parsed] = []
        self.recipients: list[str] = []
        self.refuses = False


class Conversation(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            verb = line[:4].upper().strip()
            if verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            if verb == b"RCPT" and self.server.refuses:
                self.wfile.write(b"550 nobody here\r\n")
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.messages.append(message_from_bytes(text, policy=policy.default))
                self.wfile.write(b"250 taken\r\n")
            else:
                if verb == b"RCPT":
                    self.server.recipients.append(re.search(rb"<(.*)>", line)[1].decode())
                self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def server(settings, db) -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
        settings.EMAIL_BACKEND = "api.core.mail.QueuedMail"
        settings.EMAIL_HOST, settings.EMAIL_PORT = running.server_address
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = False
        yield running
        running.shutdown()


@pytest.fixture
def worker(db) -> queue.Worker:
    made = queue.Worker()
    made.beat()
    return made


def written(**fields) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives("Grüße", BODY, "hall@example.org", ["ana@example.org"], **fields)
    message.attach_alternative("<p>Hello</p>", "text/html")
    return message


def test_a_message_is_sent_by_a_job_as_it_was_written(server, worker) -> None:
    assert written(bcc=["bo@example.org"], headers={"X-Kind": "greeting"}).send() == 1
    assert server.messages == []
    assert worker.run_next()
    [message] = server.messages
    assert (message["Subject"], message["To"], message["X-Kind"]) == ("Grüße", "ana@example.org", "greeting")
    assert message["Bcc"] is None
    assert server.recipients == ["ana@example.org", "bo@example.org"]
    assert message.get_body(("plain",)).get_content().strip() == BODY
    assert "<p>Hello</p>" in message.get_body(("html",)).get_content()
    assert (Mail.objects.count(), worker.run_next()) == (0, False)


def test_signing_up_answers_while_the_mail_server_is_away_and_the_message_comes_when_it_is_back(server, worker) -> None:
    address, server.refuses = "ana@example.org", True
    form = {"email": address, "password1": "a long word of 1 kind", "name": "Ana", "wants": "work"}
    page = Client().post("/accounts/signup/", form)
    assert page.status_code == 302
    assert worker.run_next()
    [job] = Job.objects.all()
    assert (job.status, server.messages) == ("READY", [])
    assert address not in job.traceback
    server.refuses = False
    Job.objects.update(run_after=timezone.now() - timedelta(seconds=1))
    assert worker.run_next()
    [message] = server.messages
    assert message["To"] == address


def test_the_same_message_sent_twice_has_one_id(server, worker) -> None:
    written().send()
    kept = Mail.objects.get()
    worker.run_next()
    kept.save(force_insert=True)
    Job.objects.update(status="READY", run_after=timezone.now() - timedelta(seconds=1))
    worker.run_next()
    first, second = server.messages
    assert first["Message-ID"] == second["Message-ID"] is not None


def test_what_is_in_a_message_cannot_be_read_in_the_database(server, worker) -> None:
    server.refuses = True
    written().send()
    worker.run_next()
    [kept], [job] = Mail.objects.all(), Job.objects.all()
    for text in (bytes(kept.sealed).decode("latin1"), str(job.args_kwargs), job.traceback):
        assert "secret-key" not in text
        assert "ana@example.org" not in text


def test_a_message_in_a_transaction_that_is_rolled_back_is_not_sent(server, worker, transactional_db) -> None:
    with transaction.atomic():
        written().send()
        transaction.set_rollback(True)
    assert not worker.run_next()


def test_attachments_are_refused_at_once(server) -> None:
    message = written()
    message.attach("a.txt", "text")
    with pytest.raises(ValueError, match="attachments"):
        mail.get_connection().send_messages([message])
    assert (Mail.objects.count(), Job.objects.count()) == (0, 0)


def test_a_message_that_was_given_up_is_forgotten_after_a_month(server, worker) -> None:
    for _ in range(2):
        written().send()
    old = Mail.objects.order_by("id").first()
    Mail.objects.filter(id=old.id).update(created_at=timezone.now() - KEPT_FOR - timedelta(hours=1))
    assert (forget_old(), forget_old()) == (1, 0)
    assert Mail.objects.exclude(id=old.id).count() == 1
    while worker.run_next():
        pass
    assert len(server.messages) == 1
