"""Shapes of the work API."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from api.core.money import money
from api.core.serializers import DecisionOut, In, MoneyOut, MoveOut, ObjectField, Out
from api.work.models import Assignment, Move, State
from api.work.selectors import SORTS, decision_of, moves_of
from api.work.services import Claim


class RequesterOut(Out):
    id = serializers.UUIDField(help_text="Id of the collective that offers the work.")
    name = serializers.CharField()


class FeedQuery(In):
    q = serializers.CharField(required=False, default="", max_length=100, allow_blank=True)
    sort = serializers.ChoiceField(choices=list(SORTS), required=False, default="newest")
    keyword = serializers.CharField(required=False, default="", max_length=40, allow_blank=True)
    min_wage = serializers.IntegerField(required=False, min_value=0, max_value=10**9, help_text="Minor units an hour.")
    requester = serializers.UUIDField(required=False)
    hidden = serializers.BooleanField(required=False, default=False, help_text="Show only hidden projects.")
    limit = serializers.IntegerField(required=False)
    cursor = serializers.CharField(required=False)


class FeedCardOut(Out):
    project = serializers.UUIDField()
    title = serializers.CharField()
    summary = serializers.CharField()
    requester = RequesterOut()
    keywords = serializers.ListField(child=serializers.CharField())
    reward = MoneyOut()
    median_seconds = serializers.FloatField(allow_null=True, help_text="Half finish within; measured.")
    hourly_wage = MoneyOut(allow_null=True)
    hourly_wage_measured = serializers.BooleanField(help_text="False: from the minutes the requester expects.")
    tasks_left = serializers.IntegerField(help_text="At most this many for you.")
    review_seconds = serializers.FloatField(allow_null=True, help_text="Median from submit to decision.")
    rejection_rate = serializers.FloatField(allow_null=True)
    decisions_counted = serializers.IntegerField()
    expected_minutes = serializers.FloatField(allow_null=True)
    auto_accept_after = serializers.IntegerField(help_text="Seconds.")
    claim_lasts = serializers.IntegerField(help_text="Seconds.")
    max_tasks_per_worker = serializers.IntegerField(allow_null=True)
    published_at = serializers.DateTimeField()
    hidden = serializers.BooleanField()
    mine = serializers.IntegerField(help_text="Tasks of this project you have taken and not given back.")


class PreviewOut(FeedCardOut):
    version = serializers.UUIDField(help_text="See /versions/{id} for instructions, interface and schemas.")
    example_input = ObjectField(allow_null=True)


class SubmitIn(In):
    answer = ObjectField()
    next = serializers.BooleanField(required=False, default=False, help_text="Claim the next task in the same call.")


class DraftIn(In):
    draft = ObjectField()


class ReturnIn(In):
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)


class AssignmentsQuery(In):
    state = serializers.MultipleChoiceField(choices=State.choices, required=False)
    project = serializers.UUIDField(required=False)
    limit = serializers.IntegerField(required=False)
    cursor = serializers.CharField(required=False)


class ClaimOut(Out):
    id = serializers.UUIDField()
    project = serializers.UUIDField()
    task = serializers.UUIDField()
    version = serializers.UUIDField(help_text="See /versions/{id} for instructions, interface and schemas.")
    state = serializers.ChoiceField(choices=State.choices)
    reward = MoneyOut()
    input = ObjectField()
    draft = ObjectField(allow_null=True)
    claimed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    late_until = serializers.DateTimeField(help_text="Late answers are taken until then.")
    server_time = serializers.DateTimeField()


class AssignmentOut(ClaimOut):
    title = serializers.CharField()
    requester = RequesterOut()
    answer = ObjectField(allow_null=True)
    submitted_at = serializers.DateTimeField(allow_null=True)
    auto_accept_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision = DecisionOut(allow_null=True)
    moves = MoveOut(many=True)


class AssignmentRowOut(Out):
    id = serializers.UUIDField()
    project = serializers.UUIDField()
    title = serializers.CharField()
    requester = RequesterOut()
    state = serializers.ChoiceField(choices=State.choices)
    reward = MoneyOut()
    claimed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    late_until = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    auto_accept_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision = DecisionOut(allow_null=True)


class SubmittedOut(Out):
    id = serializers.UUIDField()
    state = serializers.CharField()
    submitted_at = serializers.DateTimeField()
    auto_accept_at = serializers.DateTimeField()
    late = serializers.BooleanField()
    next = ClaimOut(allow_null=True, help_text="Null when none was asked for, or none is left.")


class SkippedOut(Out):
    next = ClaimOut(allow_null=True)


class SavedOut(Out):
    saved_at = serializers.DateTimeField()


class EarnedOut(Out):
    today = MoneyOut()
    week = MoneyOut()
    month = MoneyOut()
    total = MoneyOut()
    pending = MoneyOut(help_text="Submitted and not yet decided.")


class DayOut(Out):
    on = serializers.DateField()
    earned = MoneyOut()
    accepted = serializers.IntegerField()
    seconds = serializers.FloatField()


class ProjectEarningsOut(Out):
    project = serializers.UUIDField()
    title = serializers.CharField()
    accepted = serializers.IntegerField()
    pending = serializers.IntegerField()
    rejected = serializers.IntegerField()
    earned = MoneyOut()
    hourly_wage = MoneyOut(allow_null=True)


class SummaryOut(Out):
    claimed = serializers.IntegerField()
    sent_back = serializers.IntegerField()
    submitted = serializers.IntegerField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    earned = EarnedOut()
    hourly_wage = MoneyOut(allow_null=True)
    by_day = DayOut(many=True)
    by_project = ProjectEarningsOut(many=True)


def claimed(claim: Claim, grace: timedelta) -> dict[str, Any]:
    """A fresh claim as the API shows it; the shape of ClaimOut."""
    return {
        "id": claim.id,
        "project": claim.project_id,
        "task": claim.task_id,
        "version": claim.version_id,
        "state": "claimed",
        "reward": money(claim.reward, claim.currency),
        "input": claim.input,
        "draft": None,
        "claimed_at": claim.claimed_at,
        "expires_at": claim.expires_at,
        "late_until": claim.expires_at + grace,
        "server_time": claim.claimed_at,
    }


def assignment_row(assignment: Assignment) -> dict[str, Any]:
    """An assignment in a list. Wants `project.collective` selected."""
    project = assignment.project
    return {
        "id": assignment.id,
        "project": assignment.project_id,
        "title": project.title,
        "requester": {"id": project.collective_id, "name": project.collective.name},
        "state": assignment.state,
        "reward": money(assignment.reward, project.currency),
        "claimed_at": assignment.claimed_at,
        "expires_at": assignment.expires_at,
        "late_until": assignment.late_until,
        "submitted_at": assignment.submitted_at,
        "auto_accept_at": assignment.auto_accept_at,
        "decided_at": assignment.decided_at,
        "decision": decision_of(assignment),
    }


def assignment_whole(assignment: Assignment, moves: list[Move]) -> dict[str, Any]:
    """One assignment with its input, answer and moves; the shape of AssignmentOut."""

    return {
        **assignment_row(assignment),
        "task": assignment.task_id,
        "version": assignment.version_id,
        "input": assignment.task.input,
        "draft": assignment.draft,
        "answer": assignment.answer,
        "server_time": timezone.now(),
        "moves": moves_of(assignment, moves),
    }
