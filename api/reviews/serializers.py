"""Shapes of the review API."""

from typing import Any

from drf_spectacular.drainage import set_override
from rest_framework import serializers

from api.core.money import money
from api.core.serializers import DecisionOut, In, MoneyIn, MoneyOut, MoveOut, ObjectField, Out, SecondsField
from api.reviews.models import Rejection
from api.reviews.services.refuse import SHORTEST_COMMENT, SHORTEST_REASON, SHORTEST_TIME
from api.work.models import Assignment, State
from api.work.selectors import decision_of


class ReviewsQuery(In):
    state = serializers.MultipleChoiceField(choices=State.choices, required=False)
    worker = serializers.CharField(required=False, max_length=10, help_text="A worker's pseudonym.")
    task = serializers.CharField(required=False, max_length=200, help_text="A task's id or key.")
    q = serializers.CharField(required=False, max_length=100, help_text="Text anywhere in the answer.")
    late = serializers.BooleanField(required=False, default=None, allow_null=True)
    submitted_after = serializers.DateTimeField(required=False)
    submitted_before = serializers.DateTimeField(required=False)
    order = serializers.ChoiceField(choices=["newest", "oldest"], required=False, default="newest")
    limit = serializers.IntegerField(required=False)
    cursor = serializers.CharField(required=False)


class FilterIn(In):
    state = serializers.ChoiceField(choices=["submitted"], required=False)
    worker = serializers.CharField(required=False, max_length=10)
    task = serializers.CharField(required=False, max_length=200)
    answer = serializers.DictField(required=False)
    q = serializers.CharField(required=False, max_length=100)
    late = serializers.BooleanField(required=False, default=None, allow_null=True)
    submitted_after = serializers.DateTimeField(required=False)
    submitted_before = serializers.DateTimeField(required=False)


class AcceptIn(In):
    comment = serializers.CharField(required=False, default="", allow_blank=True, max_length=2000)


class WordsField(serializers.CharField):
    """What the worker will read. That it says enough, the service checks, so `least` only describes it."""

    def __init__(self, *, least: int, **kwargs: Any) -> None:
        super().__init__(max_length=2000, help_text=f"At least {least} characters; the worker reads it.", **kwargs)
        set_override(self, "field", {"type": "string", "minLength": least, "maxLength": 2000})


class RejectIn(In):
    category = serializers.ChoiceField(choices=Rejection.choices)
    reason = WordsField(least=SHORTEST_REASON)


class TimeAgainField(SecondsField):
    """The time to do an answer again. That it is as long as a claim, the service checks."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            min_value=int(SHORTEST_TIME.total_seconds()),
            max_value=30 * 86_400,
            help_text="Seconds to do it again: at least a day, and what a claim lasts. Left out, it is that.",
        )


class SendBackIn(In):
    comment = WordsField(least=SHORTEST_COMMENT)
    lasts = TimeAgainField()


class PayIn(In):
    amount = MoneyIn()
    reason = serializers.CharField(max_length=200)


class _Ids(In):
    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=200)


class AcceptManyIn(In):
    ids = serializers.ListField(child=serializers.UUIDField(), required=False, min_length=1, max_length=20_000)
    filter = FilterIn(required=False)
    expect = serializers.IntegerField(
        required=False, min_value=0, help_text="Refuse unless just so many match: what the reviewer saw."
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in data) == ("filter" in data):
            raise serializers.ValidationError("Give either ids or a filter.")
        return data


class RejectManyIn(_Ids):
    category = serializers.ChoiceField(choices=Rejection.choices)
    reason = WordsField(least=SHORTEST_REASON)


class SendBackManyIn(_Ids):
    comment = WordsField(least=SHORTEST_COMMENT)
    lasts = TimeAgainField()


class ReviewTaskOut(Out):
    id = serializers.UUIDField()
    position = serializers.IntegerField()
    key = serializers.CharField(allow_null=True)
    input = ObjectField()
    gold = ObjectField(allow_null=True)


class OthersOut(Out):
    key = serializers.CharField()
    agree = serializers.IntegerField()
    of = serializers.IntegerField()


class WorkerStatsOut(Out):
    submitted = serializers.IntegerField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()


class ReviewOut(Out):
    id = serializers.UUIDField()
    project = serializers.UUIDField()
    task = ReviewTaskOut()
    worker = serializers.CharField(help_text="The worker's pseudonym with this collective.")
    state = serializers.ChoiceField(choices=State.choices)
    answer = ObjectField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True)
    late = serializers.BooleanField()
    claimed_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    auto_accept_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    settles_at = serializers.DateTimeField(allow_null=True, help_text="When a rejection that nobody contests is final.")
    decision = DecisionOut(allow_null=True)
    reward = MoneyOut()


class ReviewWholeOut(ReviewOut):
    version = serializers.UUIDField()
    bonus = MoneyOut(allow_null=True, help_text="Paid beyond the reward so far.")
    others = OthersOut(allow_null=True)
    worker_stats = WorkerStatsOut()
    moves = MoveOut(many=True)


class AcceptedManyOut(Out):
    accepted = serializers.IntegerField()
    skipped = serializers.ListField(child=serializers.UUIDField())
    paid = MoneyOut()


class ChangedManyOut(Out):
    changed = serializers.IntegerField()
    skipped = serializers.ListField(child=serializers.UUIDField())


class PaidOut(Out):
    transfer = serializers.UUIDField()
    amount = MoneyOut()


def review(assignment: Assignment) -> dict[str, Any]:
    """An assignment as its requester sees it. Wants `alias`, `task` and `project`."""
    worked = assignment.worked
    task = assignment.task
    return {
        "id": assignment.id,
        "project": assignment.project_id,
        "task": {
            "id": task.id,
            "position": task.position,
            "key": task.key,
            "input": task.input,
            "gold": task.gold,
        },
        "worker": assignment.alias,  # type: ignore[attr-defined]
        "state": assignment.state,
        "answer": assignment.answer,
        "seconds": worked.total_seconds() if worked else None,
        "late": assignment.late,
        "claimed_at": assignment.claimed_at,
        "submitted_at": assignment.submitted_at,
        "auto_accept_at": assignment.auto_accept_at,
        "decided_at": assignment.decided_at,
        "settles_at": assignment.settles_at,
        "decision": decision_of(assignment),
        "reward": money(assignment.reward, assignment.project.currency),
    }
