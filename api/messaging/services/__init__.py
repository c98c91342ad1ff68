"""Writes: threads and messages, protection from unwanted ones, announcements, digests, and leaving."""

from api.messaging.services.announcements import announce
from api.messaging.services.digests import send_digest, send_digests, set_digest
from api.messaging.services.leaving import close_account
from api.messaging.services.protection import (
    block,
    dismiss_reports,
    hide_message,
    report_message,
    show_message,
    unblock,
)
from api.messaging.services.threads import mark_read, open_thread, send_message, set_muted

__all__ = [
    "announce",
    "block",
    "close_account",
    "dismiss_reports",
    "hide_message",
    "mark_read",
    "open_thread",
    "report_message",
    "send_digest",
    "send_digests",
    "send_message",
    "set_digest",
    "set_muted",
    "show_message",
    "unblock",
]
