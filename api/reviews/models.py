"""Tallies of decisions."""

from django.db import models

from api.projects.models import Project


class ReviewTally(models.Model):
    """How the answers of one project were decided. Locked and counted up by every review, so the brake is exact.

    No database constraint to the project: it is checked at commit, with purses in hand, and would wait there for
    whoever closes or reprices the project, who waits for the purses.
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, primary_key=True, db_constraint=False, related_name="+"
    )
    accepted = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.rejected} rejected in {self.project_id}"


class Rejection(models.TextChoices):
    """Why an answer is rejected."""

    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    OFF_TASK = "off_task"
    DUPLICATE = "duplicate"
    SPAM = "spam"
    OTHER = "other"
