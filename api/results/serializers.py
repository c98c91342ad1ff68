"""Shapes of the results API."""

from typing import Any

from rest_framework import serializers

from api.core.errors import FieldError, Invalid
from api.core.serializers import In, Out
from api.results.selectors import ANSWERED, COUNTED
from api.work.models import State

_STATES = "Comma-separated: accepted, submitted, sent_back, rejected; or all. Accepted and submitted unless told."
_KEY = "The key of the answers whose values are the labels; the first that holds labels unless told."


class _Counted(In):
    key = serializers.CharField(required=False, max_length=200, help_text=_KEY)
    state = serializers.CharField(required=False, max_length=100, help_text=_STATES)


class ResultsQuery(_Counted):
    format = serializers.ChoiceField(choices=["csv", "jsonl"], required=False, default="csv")
    aggregate = serializers.ChoiceField(choices=["none", "majority", "dawid_skene"], required=False, default="none")


class ConsensusQuery(_Counted):
    aggregate = serializers.ChoiceField(choices=["majority", "dawid_skene"], required=False, default="majority")


class WorkersQuery(ConsensusQuery):
    aggregate = serializers.ChoiceField(choices=["majority", "dawid_skene"], required=False, default="dawid_skene")
    limit = serializers.IntegerField(required=False)
    cursor = serializers.CharField(required=False)


def states_in(query: dict[str, Any]) -> list[State]:
    """The states that a query names. Raises Invalid."""
    text = query.get("state")
    if not text:
        return list(COUNTED)
    if text == "all":
        return list(ANSWERED)
    known = {str(state): state for state in ANSWERED}
    named = dict.fromkeys(text.split(","))
    if any(name not in known for name in named):
        raise Invalid(errors=[FieldError("state", f"The states are {', '.join(known)}; or all.", "invalid_choice")])
    return [known[name] for name in named]


class GoldOut(Out):
    tasks = serializers.IntegerField(help_text="Tasks with a known label that have answers.")
    right = serializers.IntegerField(help_text="Those whose consensus is the known label.")


class LabelOut(Out):
    task = serializers.UUIDField()
    position = serializers.IntegerField()
    key = serializers.CharField(allow_null=True)
    label = serializers.CharField()
    tie = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="The labels that are equally good, if several."
    )
    confidence = serializers.FloatField(help_text="Probability (Dawid–Skene) or share of votes (majority).")
    answers = serializers.IntegerField()


class ResultsSummaryOut(Out):
    key = serializers.CharField()
    keys = serializers.ListField(child=serializers.CharField(), help_text="Keys whose values are labels.")
    method = serializers.ChoiceField(choices=["majority", "dawid_skene"])
    classes = serializers.ListField(child=serializers.CharField())
    tasks = serializers.IntegerField()
    answers = serializers.IntegerField()
    workers = serializers.IntegerField()
    ties = serializers.IntegerField()
    alpha = serializers.FloatField(allow_null=True, help_text="Krippendorff's alpha, nominal.")
    iterations = serializers.IntegerField(allow_null=True, help_text="Null after a majority, as the next three.")
    log_likelihood = serializers.FloatField(allow_null=True)
    converged = serializers.BooleanField(allow_null=True)
    priors = serializers.DictField(child=serializers.FloatField(), allow_null=True)
    labels = LabelOut(many=True, help_text="The first 200, by position of the task.")
    distribution = serializers.DictField(child=serializers.IntegerField())
    gold = GoldOut(allow_null=True)


class WorkerGoldOut(Out):
    of = serializers.IntegerField()
    right = serializers.IntegerField()


class WorkerOut(Out):
    worker = serializers.CharField(help_text="The worker's name in this collective.")
    answers = serializers.IntegerField()
    agreement = serializers.FloatField(help_text="Share of answers that equal the consensus.")
    accuracy = serializers.FloatField(
        allow_null=True, help_text="Chance of a right answer by Dawid–Skene; null after a majority."
    )
    confusion = serializers.DictField(
        child=serializers.DictField(child=serializers.FloatField()),
        allow_null=True,
        help_text="For each true label, the share of each given one.",
    )
    gold = WorkerGoldOut(allow_null=True)
