"""Projects as the API reads and shows them."""

from collections.abc import Collection
from datetime import timedelta
from math import ceil, floor
from statistics import median
from typing import Any

import orjson
from drf_spectacular.drainage import set_override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.core import markdown
from api.core.money import money
from api.core.serializers import In, LineField, MoneyIn, MoneyOut, Out
from api.projects.models import (
    Batch,
    BatchProblem,
    Project,
    ProjectState,
    ProjectStats,
    Task,
    Version,
)
from api.projects.selectors import ListedVersion, listed_counts, listed_version
from api.projects.services import Quote
from api.projects.services.rollup import histogram_rows

_MAX_DOCUMENT = 200_000
# The verbs of a project, what each is called in the charter, and the states in which it can be done.
_VERBS = {
    "edit": ("project.edit", ("draft", "published", "paused")),
    "delete": ("project.edit", ("draft",)),
    "import": ("project.import", ("draft", "published", "paused")),
    "publish": ("project.publish", ("draft", "published", "paused")),
    "pause": ("project.pause", ("published",)),
    "resume": ("project.resume", ("paused",)),
    "close": ("project.close", ("published", "paused")),
}
VERB_ACTIONS = frozenset(action for action, _ in _VERBS.values())


@extend_schema_field({"type": "object", "additionalProperties": True})
class JSONObject(serializers.Field):
    """A JSON object of bearable size."""

    default_error_messages = {
        "not_an_object": "This must be a JSON object.",
        "too_long": f"This has more than {_MAX_DOCUMENT:,} bytes.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        if len(orjson.dumps(data)) > _MAX_DOCUMENT:
            self.fail("too_long")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class LastsField(serializers.IntegerField):
    """A length of time between two bounds: whole seconds outside, `timedelta` inside."""

    def __init__(self, *, least: timedelta, most: timedelta, **kwargs: Any) -> None:
        self.least, self.most = int(least.total_seconds()), int(most.total_seconds())
        kwargs.setdefault("help_text", f"Seconds, from {self.least} to {self.most}.")
        super().__init__(**kwargs)
        set_override(self, "field", {"type": "integer", "minimum": self.least, "maximum": self.most})

    def to_internal_value(self, data: Any) -> timedelta:
        seconds = super().to_internal_value(data)
        if not self.least <= seconds <= self.most:
            detail = f"This must be from {self.least} to {self.most} seconds."
            raise serializers.ValidationError(detail, code="out_of_bounds")
        return timedelta(seconds=seconds)


class ProjectEditIn(In):
    title = LineField(max_length=120, required=False)
    summary = serializers.CharField(max_length=300, allow_blank=True, required=False)
    instructions = serializers.CharField(
        max_length=50_000, allow_blank=True, trim_whitespace=False, required=False, help_text="Markdown."
    )
    interface = JSONObject(required=False, help_text="What a worker sees and is asked; {} for not yet.")
    input_schema = JSONObject(required=False, help_text="JSON Schema 2020-12; {} takes it from the elements.")
    answer_schema = JSONObject(required=False, help_text="JSON Schema 2020-12; {} takes it from the elements.")
    reward = MoneyIn(required=False)
    assignments_per_task = serializers.IntegerField(min_value=1, max_value=1000, required=False)
    claim_lasts = LastsField(least=timedelta(seconds=30), most=timedelta(days=30), required=False)
    auto_accept_after = LastsField(least=timedelta(hours=1), most=timedelta(days=30), required=False)
    max_tasks_per_worker = serializers.IntegerField(
        min_value=1, max_value=2_000_000_000, allow_null=True, required=False
    )
    keywords = serializers.ListField(child=LineField(max_length=40), max_length=10, required=False)
    expected_minutes = serializers.FloatField(min_value=0.05, max_value=1440, allow_null=True, required=False)

    def validate_keywords(self, value: list[str]) -> list[str]:
        return list(dict.fromkeys(value))


class ProjectIn(ProjectEditIn):
    title = LineField(max_length=120)
    collective = serializers.UUIDField(required=False, help_text="Whose project it is; your own by default.")


class ProjectListIn(In):
    state = serializers.ChoiceField(ProjectState.choices, required=False)
    q = serializers.CharField(max_length=120, required=False, allow_blank=True, help_text="Part of the title.")
    collective = serializers.UUIDField(required=False)
    limit = serializers.CharField(required=False)
    cursor = serializers.CharField(required=False)


class CheckIn(In):
    input_schema = JSONObject(required=False, default=dict)
    answer_schema = JSONObject(required=False, default=dict)
    interface = JSONObject(required=False, default=dict)
    instructions = serializers.CharField(
        max_length=50_000, allow_blank=True, trim_whitespace=False, default="", help_text="Markdown."
    )


class ImportIn(In):
    """The query of an import."""

    on_error = serializers.ChoiceField(
        ["refuse", "keep"], required=False, help_text="What to do when a line is bad: add nothing, or the rest."
    )
    delimiter = serializers.CharField(
        required=False, trim_whitespace=False, help_text="Of the CSV: one of , ; | or tab. Guessed by default."
    )
    key = serializers.CharField(
        max_length=120, required=False, help_text="The column (or input key) that tells tasks apart."
    )
    gold = serializers.CharField(
        max_length=40, required=False, help_text='How columns of known answers start; "gold:" by default.'
    )
    bare = serializers.BooleanField(required=False, help_text="Each JSON record is an input and nothing else.")
    filename = serializers.CharField(max_length=200, required=False)

    def validate_delimiter(self, value: str) -> str:
        delimiter = {"tab": "\t", "\\t": "\t"}.get(value, value)
        if delimiter not in (",", ";", "|", "\t"):
            raise serializers.ValidationError("The delimiter is one of , ; | or tab.")
        return delimiter


class TaskRecordIn(In):
    """One task of a JSON import; read by the importer, so this only describes it."""

    input = JSONObject()
    key = serializers.CharField(max_length=200, required=False)
    gold = JSONObject(required=False)


class FileIn(In):
    file = serializers.FileField()


class ProblemListIn(In):
    format = serializers.ChoiceField(["json", "csv"], default="json")
    limit = serializers.CharField(required=False)
    cursor = serializers.CharField(required=False)


class ProgressIn(In):
    by = serializers.ChoiceField(["minute", "hour", "day"], required=False)


class ProblemOut(Out):
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class CheckOut(Out):
    problems = ProblemOut(many=True)
    input_schema = JSONObject(help_text="The schema given, or the one the elements imply.")
    answer_schema = JSONObject()
    instructions_html = serializers.CharField()


class CollectiveRefOut(Out):
    id = serializers.UUIDField()
    name = serializers.CharField()


class VersionLightOut(Out):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    summary = serializers.CharField()
    reward = MoneyOut()
    assignments_per_task = serializers.IntegerField()
    claim_lasts = serializers.IntegerField(help_text="Seconds.")
    auto_accept_after = serializers.IntegerField(help_text="Seconds.")
    max_tasks_per_worker = serializers.IntegerField(allow_null=True)
    keywords = serializers.ListField(child=serializers.CharField())
    expected_minutes = serializers.FloatField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)


class VersionOut(VersionLightOut):
    project = serializers.UUIDField()
    instructions = serializers.CharField(help_text="Markdown.")
    instructions_html = serializers.CharField(help_text="Safe HTML of the instructions.")
    interface = JSONObject()
    input_schema = JSONObject()
    answer_schema = JSONObject()


class CountsOut(Out):
    tasks = serializers.IntegerField()
    open_places = serializers.IntegerField()
    claimed = serializers.IntegerField()
    submitted = serializers.IntegerField()
    sent_back = serializers.IntegerField()
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    returned = serializers.IntegerField()
    expired = serializers.IntegerField()


class ProjectLightOut(Out):
    id = serializers.UUIDField()
    collective = CollectiveRefOut()
    state = serializers.ChoiceField(ProjectState.choices)
    version = serializers.IntegerField(allow_null=True, help_text="The number of the published version.")
    title = serializers.CharField()
    draft = VersionLightOut(allow_null=True)
    published = VersionLightOut(allow_null=True)
    counts = CountsOut()
    escrow = MoneyOut()
    spent = MoneyOut(help_text="Paid out of the escrow, with fees.")
    created_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    may = serializers.DictField(child=serializers.BooleanField(), help_text="What you can do to it now.")


class ProjectOut(ProjectLightOut):
    """What members see. Others signed in see a published project without draft, counts, money and `may`."""

    draft = VersionOut(allow_null=True, required=False)
    published = VersionOut(allow_null=True)
    counts = CountsOut(required=False)
    escrow = MoneyOut(required=False)
    spent = MoneyOut(required=False)
    may = serializers.DictField(child=serializers.BooleanField(), required=False)
    inputs_unchecked = serializers.BooleanField(
        required=False, help_text="The input schema changed after tasks were imported; publishing checks them."
    )
    median_seconds = serializers.FloatField(allow_null=True)
    hourly_wage = MoneyOut(allow_null=True)


class QuoteOut(Out):
    tasks = serializers.IntegerField()
    assignments = serializers.IntegerField(help_text="Places that publishing pays for.")
    reward = MoneyOut(help_text="Of one assignment.")
    fee_bps = serializers.IntegerField()
    fee = MoneyOut(help_text="Of all of them.")
    total = MoneyOut(help_text="What moves into escrow; negative when a lower price gives money back.")
    purse = MoneyOut()
    missing = MoneyOut()
    hourly_wage = MoneyOut(allow_null=True, help_text="By the expected minutes.")
    unfunded_places = serializers.IntegerField(help_text="Places that came back and wait for money.")
    problems = ProblemOut(many=True, help_text="What keeps the project from being published.")


class PointOut(Out):
    at = serializers.DateTimeField()
    submitted = serializers.IntegerField()
    accepted = serializers.IntegerField()


class TasksByStateOut(Out):
    open = serializers.IntegerField()
    in_work = serializers.IntegerField()
    answered = serializers.IntegerField()
    done = serializers.IntegerField()


class _BucketOut(Out):
    to = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


# `from` is a keyword, so this field cannot be written in the class.
BucketOut = type("BucketOut", (_BucketOut,), {"from": serializers.FloatField(), "__module__": __name__})


class SecondsOut(Out):
    median = serializers.FloatField(allow_null=True)
    p10 = serializers.FloatField(allow_null=True)
    p90 = serializers.FloatField(allow_null=True)
    histogram = BucketOut(many=True)


class ProgressReviewOut(Out):
    median_seconds = serializers.FloatField(allow_null=True)
    rejection_rate = serializers.FloatField(allow_null=True)


class ProgressOut(Out):
    counts = CountsOut()
    by = serializers.ChoiceField(["minute", "hour", "day"])
    submitted_over_time = PointOut(many=True)
    tasks_by_state = TasksByStateOut(help_text="Places, counted in whole tasks.")
    seconds = SecondsOut(help_text="From claim to submit: the newest 201; the histogram is of all.")
    hourly_wage = MoneyOut(allow_null=True)
    workers = serializers.IntegerField()
    review = ProgressReviewOut()
    as_of = serializers.DateTimeField(help_text="When the counts were last rolled up.")


class BatchProblemOut(Out):
    line = serializers.IntegerField()
    code = serializers.CharField()
    column = serializers.CharField()
    detail = serializers.CharField()


class BatchOut(Out):
    id = serializers.UUIDField()
    project = serializers.UUIDField()
    filename = serializers.CharField()
    format = serializers.CharField()
    on_error = serializers.ChoiceField(["keep", "refuse"])
    state = serializers.ChoiceField(Batch.State.choices)
    lines = serializers.IntegerField()
    added = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = serializers.IntegerField()
    problems = BatchProblemOut(many=True, help_text="The first 100.")
    funded = MoneyOut(allow_null=True)
    created_at = serializers.DateTimeField()


class TaskOut(Out):
    id = serializers.UUIDField()
    project = serializers.UUIDField()
    position = serializers.IntegerField()
    key = serializers.CharField(allow_null=True)
    input = JSONObject()
    gold = JSONObject(allow_null=True)
    open_places = serializers.IntegerField()
    answers = serializers.IntegerField(
        help_text="Places taken: assignments claimed, submitted, sent back, accepted or in dispute."
    )


def version_light_out(version: Version | ListedVersion, currency: str) -> dict[str, Any]:
    return {
        "id": version.id,
        "number": version.number,
        "title": version.title,
        "summary": version.summary,
        "reward": money(version.reward, currency),
        "assignments_per_task": version.assignments_per_task,
        "claim_lasts": int(version.claim_lasts.total_seconds()),
        "auto_accept_after": int(version.auto_accept_after.total_seconds()),
        "max_tasks_per_worker": version.max_tasks_per_worker,
        "keywords": version.keywords,
        "expected_minutes": version.expected_minutes,
        "published_at": version.published_at,
    }


def version_out(version: Version, currency: str) -> dict[str, Any]:
    return {
        **version_light_out(version, currency),
        "project": version.project_id,
        "instructions": version.instructions,
        "instructions_html": markdown.render(version.instructions),
        "interface": version.interface,
        "input_schema": version.input_schema,
        "answer_schema": version.answer_schema,
    }


def project_light_out(row: Any, *, escrow: int, allowed: Collection[str]) -> dict[str, Any]:
    """A row of `listed_projects`.

    `escrow` is in minor units; `allowed` names the governed acts this user may do in the collective.
    """
    draft, published = listed_version(row, "draft"), listed_version(row, "published")
    return {
        **_head(row, row.collective__name, published),
        "draft": version_light_out(draft, row.currency) if draft else None,
        "published": version_light_out(published, row.currency) if published else None,
        "counts": listed_counts(row),
        **_owned(row, row.stats__funded or 0, escrow, allowed),
    }


def project_out(project: Project, *, stats: ProjectStats, escrow: int, allowed: Collection[str]) -> dict[str, Any]:
    """As members see it."""
    currency = project.currency
    return {
        **_head(project, project.collective.name, project.published),
        "draft": version_out(project.draft, currency) if project.draft else None,
        "published": version_out(project.published, currency) if project.published else None,
        "counts": stats.counts(),
        **_owned(project, stats.funded, escrow, allowed),
        "inputs_unchecked": project.inputs_unchecked,
        **_measured(project, stats),
    }


def offer_out(project: Project, stats: ProjectStats) -> dict[str, Any]:
    """As anyone signed in sees a project that was published."""
    published = version_out(project.published, project.currency) if project.published else None
    head = _head(project, project.collective.name, project.published)
    return {**head, "published": published, **_measured(project, stats)}


def _head(project: Any, collective_name: str, published: Version | ListedVersion | None) -> dict[str, Any]:
    """Of a Project or a row of `listed_projects`."""
    return {
        "id": project.id,
        "collective": {"id": project.collective_id, "name": collective_name},
        "state": project.state,
        "version": published.number if published else None,
        "title": project.title,
        "created_at": project.created_at,
        "published_at": project.published_at,
        "closed_at": project.closed_at,
    }


def _owned(project: Any, funded: int, escrow: int, allowed: Collection[str]) -> dict[str, Any]:
    """Of a Project or a row of `listed_projects`; amounts in minor units."""
    may = {verb: action in allowed and project.state in states for verb, (action, states) in _VERBS.items()}
    may["publish"] = may["publish"] and project.draft_id is not None
    return {
        "escrow": money(escrow, project.currency),
        "spent": money(max(0, funded - escrow), project.currency),
        "may": may,
    }


def _measured(project: Project, stats: ProjectStats) -> dict[str, Any]:
    wage = stats.hourly_wage
    return {
        "median_seconds": stats.median_seconds,
        "hourly_wage": None if wage is None else money(wage, project.currency),
    }


def quote_out(quote: Quote, currency: str) -> dict[str, Any]:
    return {
        "tasks": quote.tasks,
        "assignments": quote.assignments,
        "reward": money(quote.reward, currency),
        "fee_bps": quote.fee_bps,
        "fee": money(quote.fee, currency),
        "total": money(quote.total, currency),
        "purse": money(quote.purse, currency),
        "missing": money(quote.missing, currency),
        "hourly_wage": None if quote.hourly_wage is None else money(quote.hourly_wage, currency),
        "unfunded_places": quote.unfunded_places,
        "problems": [each.as_dict() for each in quote.problems],
    }


def progress_out(project: Project, stats: ProjectStats, by: str, points: list[dict[str, Any]]) -> dict[str, Any]:
    seconds, reviews = sorted(stats.recent_seconds), stats.recent_review_seconds
    decided = stats.accepted + stats.rejected
    return {
        "counts": stats.counts(),
        "by": by,
        "submitted_over_time": points,
        "tasks_by_state": tasks_by_state(stats, project.assignments_per_task),
        "seconds": {
            "median": stats.median_seconds,
            "p10": _quantile(seconds, 0.1),
            "p90": _quantile(seconds, 0.9),
            "histogram": histogram_rows(stats.histogram),
        },
        "hourly_wage": _measured(project, stats)["hourly_wage"],
        "workers": stats.workers,
        "review": {
            "median_seconds": median(reviews) if reviews else None,
            "rejection_rate": stats.rejected / decided if decided else None,
        },
        "as_of": stats.updated_at,
    }


def tasks_by_state(stats: ProjectStats, assignments_per_task: int) -> dict[str, int]:
    """A project's places by what has become of them, counted in tasks and rounded so that they add up to all tasks.

    Which tasks have which places is not known here without looking at each: with three places for each task, three
    tasks with one accepted answer each count as one that is done.
    """
    places = {
        "open": stats.open_places,
        "in_work": stats.claimed + stats.sent_back,
        "answered": stats.submitted,
        "done": stats.accepted,
    }
    total = sum(places.values())
    # Places in a dispute, and those a closed project took back, belong to no state; a draft has none at all.
    whole = min(stats.tasks, ceil(total / assignments_per_task))
    shares = {name: whole * count / total if total else 0.0 for name, count in places.items()}
    counts = {name: floor(share) for name, share in shares.items()}
    by_rest = sorted(shares, key=lambda name: counts[name] - shares[name])
    for name in by_rest[: whole - sum(counts.values())]:
        counts[name] += 1
    return counts


def _quantile(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def batch_problem_out(problem: BatchProblem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "code": problem.code,
        "column": problem.column,
        "detail": problem.detail,
    }


def batch_out(batch: Batch, problems: list[BatchProblem], currency: str) -> dict[str, Any]:
    return {
        "id": batch.id,
        "project": batch.project_id,
        "filename": batch.filename,
        "format": batch.format,
        "on_error": batch.on_error,
        "state": batch.state,
        "lines": batch.lines,
        "added": batch.added,
        "duplicates": batch.duplicates,
        "rejected": batch.rejected,
        "problems": [batch_problem_out(each) for each in problems],
        "funded": None if batch.funded is None else money(batch.funded, currency),
        "created_at": batch.created_at,
    }


def task_out(task: Task, project: Project, free: int) -> dict[str, Any]:
    """`free` is how many places the task has left."""
    opened = project.published_id is not None and project.state != ProjectState.CLOSED
    return {
        "id": task.id,
        "project": task.project_id,
        "position": task.position,
        "key": task.key,
        "input": task.input,
        "gold": task.gold,
        "open_places": free,
        "answers": project.assignments_per_task - free if opened else 0,
    }
