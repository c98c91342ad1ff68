"""Assignments, their moves, and how far each worker has come through a project."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from api.core.ids import uuid7
from api.projects.models import Project, Task, Version


class State(models.TextChoices):
    """The states of an assignment."""

    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    SENT_BACK = "sent_back"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETURNED = "returned"
    EXPIRED = "expired"

    @classmethod
    def live(cls) -> list["State"]:
        """States that hold a place of the task."""
        return [cls.CLAIMED, cls.SUBMITTED, cls.SENT_BACK, cls.ACCEPTED]

    @classmethod
    def held(cls) -> list["State"]:
        """States in which the worker is at work and a clock runs."""
        return [cls.CLAIMED, cls.SENT_BACK]


MOVES: dict[State, frozenset[State]] = {
    State.CLAIMED: frozenset({State.SUBMITTED, State.RETURNED, State.EXPIRED}),
    State.SENT_BACK: frozenset({State.SUBMITTED, State.RETURNED}),
    State.SUBMITTED: frozenset({State.ACCEPTED, State.REJECTED, State.SENT_BACK}),
    State.REJECTED: frozenset({State.ACCEPTED}),
    State.ACCEPTED: frozenset(),
    State.RETURNED: frozenset(),
    State.EXPIRED: frozenset(),
}


class Assignment(models.Model):
    """One worker's hold on one task, then their answer, then its review.

    References without a database constraint: each would lock the referenced row for every claim, and all workers of
    a project share that row. The claim statement reads project, version and task before it inserts, and none of
    them is ever deleted once published.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    position = models.IntegerField()
    state = models.CharField(max_length=9, choices=State, default=State.CLAIMED)
    reward = models.BigIntegerField()
    claimed_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    draft = models.JSONField(null=True)
    draft_saved_at = models.DateTimeField(null=True)
    answer = models.JSONField(null=True)
    submitted_at = models.DateTimeField(null=True)
    late = models.BooleanField(default=False)
    auto_accept_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    category = models.CharField(max_length=10, blank=True, db_default="")
    comment = models.TextField(blank=True, db_default="")
    settles_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "worker"], name="assignment_once_per_task_and_worker"),
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="assignment_state_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["worker", "-id"], name="assignment_of_worker"),
            models.Index(fields=["project", "state", "id"], name="assignment_of_project"),
            models.Index(
                fields=["worker"],
                condition=models.Q(state__in=["claimed", "sent_back"]),
                name="assignment_in_hand",
            ),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(state__in=["claimed", "sent_back"]),
                name="assignment_expiry_clock",
            ),
            models.Index(
                fields=["auto_accept_at"],
                condition=models.Q(state="submitted"),
                name="assignment_accept_clock",
            ),
            models.Index(
                fields=["settles_at"],
                condition=models.Q(settles_at__isnull=False),
                name="assignment_settle_clock",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"

    @property
    def late_until(self) -> datetime:
        """Until when a late answer is still taken."""
        return self.expires_at + settings.LATE_GRACE

    @property
    def worked(self) -> timedelta | None:
        """From claim to submit."""
        return self.submitted_at - self.claimed_at if self.submitted_at else None


class Move(models.Model):
    """One change of an assignment's state: who, when, and why. Kept for good.

    `by` is null when a clock did it.
    """

    id = models.BigAutoField(primary_key=True)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, db_constraint=False, related_name="moves")
    to = models.CharField(max_length=9, choices=State)
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False
    )
    why = models.TextField(blank=True, db_default="")

    def __str__(self) -> str:
        return f"{self.assignment_id} → {self.to}"


class Participation(models.Model):
    """One worker's way through one project.

    `seen` (an int4multirange, written by the claim function alone) holds the positions this worker need not look at
    again, except where a place was reopened since `reopened_seen`/`reopened_position`. `next_position` is where
    the next claim looks first. `taken` counts the worker's assignments that were not returned or expired, `claims` all.
    """

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    next_position = models.IntegerField()
    reopened_seen = models.BigIntegerField(db_default=0)
    reopened_position = models.IntegerField(db_default=-1)
    taken = models.IntegerField(db_default=0)
    claims = models.IntegerField(db_default=0)
    started_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["worker", "project"], name="participation_once")]

    def __str__(self) -> str:
        return f"{self.worker_id} in {self.project_id}"


class Hidden(models.Model):
    """A project, or every project of a requester, that a worker does not want in their feed."""

    id = models.BigAutoField(primary_key=True)
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["worker", "project"], name="hidden_once")]

    def __str__(self) -> str:
        return f"{self.worker_id} hides {self.project_id}"
