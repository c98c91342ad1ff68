"""The outbox."""

from typing import ClassVar

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
    xid = models.BigIntegerField(db_default=RawSQL("pg_current_xact_id()::text::bigint", []))
    at = models.DateTimeField(db_default=Now())
    type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    audience = ArrayField(models.UUIDField(), default=list)
    data = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["xid", "id"], name="event_visible_order")]

    def __str__(self) -> str:
        return f"{self.type} {self.subject_id}"
