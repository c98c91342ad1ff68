"""Mail leaves by the queue: a message is committed with the change that tells of it, and sent by a job.

So nobody's request waits for the mail server, and a server that is away delays messages but loses none.
"""

import smtplib
from collections.abc import Sequence
from datetime import timedelta
from email.utils import make_msgid
from typing import Any
from uuid import UUID

import orjson
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.utils import DNS_NAME
from django.db import transaction
from django.utils import timezone

from api.core.models import Mail
from api.core.queue import job
from api.core.sealing import seal, unseal

KEPT_FOR = timedelta(days=30)
_TRANSPORT = "django.core.mail.backends.smtp.EmailBackend"
_SECRET = "mail"  # noqa: S105  (says what is sealed; the secret is the installation's)


class NotSent(Exception):
    """The mail server did not take a message. Says neither whose it is nor what is in it."""


class QueuedMail(BaseEmailBackend):
    """Django's way of sending mail, ending in the queue."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        with transaction.atomic():
            for message in email_messages:
                mail = Mail()
                mail.sealed = seal(orjson.dumps(_fields_of(message)), _SECRET, mail.id.bytes)
                mail.save(force_insert=True)
                send_mail.enqueue(str(mail.id))
        return len(email_messages)


@job(atomic=False, priority=10)
def send_mail(mail_id: str) -> None:
    """Send one message and forget it.

    Should the process die after the server took it and before that was noted, it is sent again under the same
    Message-ID, by which mail programs know it.
    """
    mail = Mail.objects.filter(id=mail_id).first()
    if mail is None:
        return
    text = unseal(bytes(mail.sealed), _SECRET, UUID(mail_id).bytes)
    if text is None:
        raise NotSent("It was written under another SECRET_KEY.")
    try:
        get_connection(_TRANSPORT).send_messages([_message_of(orjson.loads(text))])
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"The mail server answered {error.smtp_code}.") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(type(error).__name__) from None
    mail.delete()


def forget_old() -> int:
    """Delete messages that nobody could send for a month; their keys have expired. Returns how many."""
    return Mail.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()[0]


def _fields_of(message: EmailMessage) -> dict[str, Any]:
    if message.attachments:
        raise ValueError("A message with attachments cannot be sent by the queue; send a link.")
    return {
        "subject": str(message.subject),
        "body": str(message.body),
        "from_email": message.from_email,
        "to": message.to,
        "cc": message.cc,
        "bcc": message.bcc,
        "reply_to": message.reply_to,
        "headers": {"Message-ID": make_msgid(domain=str(DNS_NAME)), **message.extra_headers},
        "alternatives": [[str(text), kind] for text, kind in getattr(message, "alternatives", [])],
    }


def _message_of(fields: dict[str, Any]) -> EmailMessage:
    return EmailMultiAlternatives(**{**fields, "alternatives": [tuple(each) for each in fields["alternatives"]]})
