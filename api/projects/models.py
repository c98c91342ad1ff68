"""Projects, versions, batches, tasks, and the places that are left in them."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from api.collectives.models import Collective
from api.core.ids import uuid7


class ProjectState(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    CLOSED = "closed"


class Project(models.Model):
    """A piece of work that a collective offers.

    `assignments_per_task`, `currency` and `fee_bps` are copied from the first version when that is published, and
    stay: places and escrow are counted by them. `last_position` is the position of the newest task; it moves only
    under a lock on this row, so positions become visible in order. `inputs_unchecked` says that the draft's input
    schema was changed after tasks were imported, so publishing has to check them again.
    """

    State = ProjectState

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    collective = models.ForeignKey(Collective, on_delete=models.PROTECT, related_name="projects")
    state = models.CharField(max_length=9, choices=ProjectState, default=ProjectState.DRAFT)
    title = models.CharField(max_length=120)
    published = models.ForeignKey("Version", on_delete=models.PROTECT, null=True, related_name="+")
    draft = models.ForeignKey("Version", on_delete=models.SET_NULL, null=True, related_name="+")
    assignments_per_task = models.PositiveSmallIntegerField(default=1)
    currency = models.CharField(max_length=3)
    fee_bps = models.PositiveSmallIntegerField(default=0)
    last_position = models.IntegerField(default=-1)
    inputs_unchecked = models.BooleanField(default=False)
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["collective", "-id"], name="project_of_collective")]

    def __str__(self) -> str:
        return self.title


class Version(models.Model):
    """What a worker is shown and promised. Once `published_at` is set the database refuses any change.

    `reward` is in minor units of the project's currency. `interface` is described in `projects/interface.py`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    instructions = models.TextField(blank=True)
    interface = models.JSONField(default=dict)
    input_schema = models.JSONField(default=dict)
    answer_schema = models.JSONField(default=dict)
    reward = models.BigIntegerField(default=0)
    assignments_per_task = models.PositiveSmallIntegerField(default=1)
    claim_lasts = models.DurationField(default=timedelta(minutes=15))
    auto_accept_after = models.DurationField(default=timedelta(days=3))
    max_tasks_per_worker = models.PositiveIntegerField(null=True)
    keywords = ArrayField(models.CharField(max_length=40), default=list)
    expected_minutes = models.FloatField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "number"], name="version_number_once"),
            models.CheckConstraint(condition=models.Q(reward__gte=0), name="version_reward_not_negative"),
            models.CheckConstraint(
                condition=models.Q(assignments_per_task__gte=1), name="version_one_assignment_at_least"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.number})"


class Batch(models.Model):
    """One import. A refused batch keeps its report and has added nothing."""

    class State(models.TextChoices):
        DONE = "done"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="batches")
    state = models.CharField(max_length=7, choices=State, default=State.DONE)
    filename = models.CharField(max_length=200, blank=True)
    format = models.CharField(max_length=6)
    on_error = models.CharField(max_length=6)
    lines = models.IntegerField(default=0)
    added = models.IntegerField(default=0)
    duplicates = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)
    funded = models.BigIntegerField(null=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "-id"], name="batch_of_project")]

    def __str__(self) -> str:
        return self.filename or str(self.id)


class BatchProblem(models.Model):
    """What was wrong with one line of a batch."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="problems")
    line = models.IntegerField()
    code = models.CharField(max_length=32)
    column = models.CharField(max_length=120, blank=True)
    detail = models.CharField(max_length=500)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["batch", "line", "id"], name="problem_by_line")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.detail}"


class Task(models.Model):
    """One unit of input. Never changed after import.

    References without a database constraint: an import writes millions of rows under a lock on the project, and a
    check for each would cost more than the rest of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    position = models.IntegerField()
    key = models.CharField(max_length=200, null=True)
    input = models.JSONField()
    gold = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "position"], name="task_position_once"),
            models.UniqueConstraint(
                fields=["project", "key"], condition=models.Q(key__isnull=False), name="task_key_once"
            ),
        ]

    def __str__(self) -> str:
        return self.key or str(self.position)


class OpenTask(models.Model):
    """A task with places left; the row goes when the last place is taken.

    Narrow and with one index, because every claim writes it. `reopened` is the id of the transaction that gave a
    place back (null: never); workers who have passed this position find it again by that.
    """

    pk = models.CompositePrimaryKey("project_id", "position")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    position = models.IntegerField()
    task = models.ForeignKey(Task, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    free = models.SmallIntegerField()
    reopened = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(free__gte=1), name="opentask_free_at_least_one")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["project", "reopened", "position"],
                condition=models.Q(reopened__isnull=False),
                name="opentask_reopened",
            )
        ]

    def __str__(self) -> str:
        return f"{self.project_id}:{self.position} ({self.free} free)"


class UnfundedPlace(models.Model):
    """Places that came back when the purse could not pay a price that had risen since they were funded.

    They are opened again when the project is next published or resumed and the purse can pay for all of them.
    """

    pk = models.CompositePrimaryKey("project_id", "position")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, db_index=False)
    position = models.IntegerField()
    task = models.ForeignKey(Task, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    places = models.SmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(places__gte=1), name="unfundedplace_one_at_least")
        ]

    def __str__(self) -> str:
        return f"{self.project_id}:{self.position} ({self.places} not funded)"


class Offer(models.Model):
    """A published project in the few words that the feed filters, sorts and searches by.

    Written by triggers of the database alone, in the transaction that changes what it tells: the project, its progress
    or its collective's name. So it is there exactly while the project is published. `wage` is in minor units an hour:
    measured, else promised, else 0. `text` is what is searched, in lower case.
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, primary_key=True, related_name="+", db_constraint=False
    )
    collective = models.ForeignKey(Collective, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    published_at = models.DateTimeField()
    reward = models.BigIntegerField()
    wage = models.BigIntegerField()
    open_places = models.IntegerField()
    last_position = models.IntegerField()
    max_tasks_per_worker = models.PositiveIntegerField(null=True)
    keywords = ArrayField(models.CharField(max_length=40))
    text = models.TextField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=[key, "project"], condition=models.Q(open_places__gt=0), name=f"offer_by_{key}")
            for key in ("published_at", "wage", "reward", "open_places")
        ]

    def __str__(self) -> str:
        return f"offer of {self.project_id}"


class ProjectStats(models.Model):
    """Progress of a project, rolled up from events by the jobs process; never written by claim or submit.

    `tasks` is exact: whoever adds or deletes tasks changes it in the same transaction. `funded` is what the escrow was
    given, less what went back to the purse. The other counts are of assignments by state. `recent_seconds` and
    `recent_review_seconds` are the newest 201 durations, oldest first, and the medians are theirs; `histogram` counts
    all durations by the buckets of `projects/services/rollup.py`.
    """

    COUNTS = (
        *("tasks", "open_places", "claimed", "submitted", "sent_back"),
        *("accepted", "rejected", "returned", "expired"),
    )

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="stats")
    tasks = models.IntegerField(default=0)
    open_places = models.IntegerField(default=0)
    claimed = models.IntegerField(default=0)
    submitted = models.IntegerField(default=0)
    sent_back = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)
    returned = models.IntegerField(default=0)
    expired = models.IntegerField(default=0)
    workers = models.IntegerField(default=0)
    funded = models.BigIntegerField(default=0)
    recent_seconds = ArrayField(models.FloatField(), default=list)
    recent_review_seconds = ArrayField(models.FloatField(), default=list)
    histogram = ArrayField(models.IntegerField(), default=list)
    median_seconds = models.FloatField(null=True)
    median_review_seconds = models.FloatField(null=True)
    hourly_wage = models.BigIntegerField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"progress of {self.project_id}"

    def counts(self) -> dict[str, int]:
        """Assignments by state, with tasks and places."""
        return {name: getattr(self, name) for name in self.COUNTS}


class ProjectMinute(models.Model):
    """What was submitted and accepted in one project in one minute; the line of its progress chart.

    No database constraint to the project: the roll-up would wait for it at commit, with ProjectStats in hand, behind
    whoever closes the project and waits for those.
    """

    pk = models.CompositePrimaryKey("project_id", "at")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    at = models.DateTimeField()
    submitted = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.project_id} {self.at}"


class RollUpCursor(models.Model):
    """How far the roll-up has read the outbox: one row.

    Transactions visible in the snapshot `seen` are counted. Those visible in `target` are being counted, in the order
    of (xid, event id), up to `xid` and `event`; `target` is empty between rounds. Events up to id `floor` are counted
    whatever their transaction.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    seen = models.TextField()
    target = models.TextField(blank=True)
    xid = models.BigIntegerField(default=0)
    event = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="rollupcursor_one_row")]

    def __str__(self) -> str:
        return self.seen
