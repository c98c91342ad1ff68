"""The outbox, who reads it, and what users were told."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now


class Event(models.Model):
    """A fact that was committed. `type` is a noun and a past verb: `assignment.submitted`.

    `audience` holds ids of collectives, and so of users too, whose solo collectives have their ids: whoever belongs
    to one of them may hear of it.
    """

    id = models.BigAutoField(primary_key=True)
    # The transaction that wrote it, and the oldest one that ran then: who saw this event saw all older transactions.
    xid = models.BigIntegerField(db_default=RawSQL("pg_current_xact_id()::text::bigint", []))
    oldest = models.BigIntegerField(db_default=RawSQL("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", []))
    at = models.DateTimeField(db_default=Now())
    type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    audience = ArrayField(models.UUIDField(), default=list)
    data = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["xid", "id"], name="event_visible_order")]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id}"


class Consumer(models.Model):
    """How far one reader of the outbox has come; `cursor` as `realtime.cursor` writes it.

    Whoever reads holds the row, and commits the new cursor with what it made of the events: each has its effect once.
    """

    name = models.CharField(primary_key=True, max_length=32)
    cursor = models.TextField()

    def __str__(self) -> str:
        return self.name


class Notification(models.Model):
    """What a user was told. The client makes the words from `kind` and `data`, which has all that they need.

    What is told again before the first was read is added to it: `count` and `amount` (minor units) are sums, `data` is
    the newest, and the row gets a new id, so that ids always rise with what is new.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    count = models.IntegerField(default=1)
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "kind", "subject_id"],
                condition=models.Q(read_at=None),
                name="notification_unread_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="notification_of_user"),
            models.Index(fields=["at"], name="notification_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
