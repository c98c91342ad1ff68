"""Collectives, their members, and the names under which they know workers."""

from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from api.core.ids import uuid7

HALL_ID = UUID("00000000-0000-7000-8000-000000000001")


class Collective(models.Model):
    class Kind(models.TextChoices):
        SOLO = "solo"
        GROUP = "group"
        HALL = "hall"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=5, choices=Kind, default=Kind.GROUP)
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's place in a collective, from `since` until `until` (null: still)."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MEMBER = "member"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    collective = models.ForeignKey(Collective, on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role, default=Role.MEMBER)
    since = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "collective"], condition=models.Q(until=None), name="membership_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.collective_id} as {self.role}"


class Pseudonym(models.Model):
    """The name under which one collective knows one worker. Random, so that no two collectives can compare."""

    id = models.BigAutoField(primary_key=True)
    collective = models.ForeignKey(Collective, on_delete=models.PROTECT, related_name="+")
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    alias = models.CharField(max_length=10)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["collective", "worker"], name="pseudonym_once"),
            models.UniqueConstraint(fields=["collective", "alias"], name="pseudonym_distinct"),
        ]

    def __str__(self) -> str:
        return self.alias
