"""Which keys the inputs and answers of a project have, over all its versions."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db import connections, router
from django.db.models import Q

from api.projects.models import Project, Version
from api.projects.schemas import Schema, labelable_keys, properties_of
from api.results.errors import UnknownKey
from api.work.models import Assignment, State

Which = Literal["input", "answer"]

# States whose assignments have an answer, and those whose answer counts unless told.
ANSWERED = (State.ACCEPTED, State.SUBMITTED, State.SENT_BACK, State.REJECTED)
COUNTED = (State.ACCEPTED, State.SUBMITTED)

_SAMPLE = 1000
# Columns that inputs, and answers, have at most in a table; a worker could give any number of keys that no schema has.
MAX_NAMED = 500


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that have a column of their own; `others` when values may have further ones."""

    named: list[str]
    others: bool


def keys_of(project: Project, which: Which) -> Keys:
    """Keys of the schemas, then, where a schema allows others, those of a sample of values; at most MAX_NAMED."""
    documents = _schemas(project, which)
    named = list(dict.fromkeys(name for document in documents for name in properties_of(document)))
    others = any(_is_open(document) for document in documents)
    if others and len(named) < MAX_NAMED:
        named += sorted(_sampled(project.id, which) - set(named))
    return Keys(named[:MAX_NAMED], others or len(named) > MAX_NAMED)


def answer_keys(project: Project) -> list[str]:
    """The keys whose values are labels: options, yes or no, numbers and short text."""
    documents = _schemas(project, "answer")
    return list(dict.fromkeys(name for document in documents for name in labelable_keys(document)))


def chosen_key(project: Project, key: str | None) -> str:
    """`key` when answers have it, or the first that holds labels when it is None. Raises UnknownKey."""
    if key is None:
        keys = answer_keys(project) or keys_of(project, "answer").named
        if not keys:
            raise UnknownKey("The answers of this project have no key yet.")
        return keys[0]
    documents = _schemas(project, "answer")
    if any(key in properties_of(document) for document in documents):
        return key
    if any(_is_open(document) for document in documents):
        answers = Assignment.objects.filter(project_id=project.id, state__in=ANSWERED)
        if answers.filter(answer__has_key=key).exists():
            return key
    known = ", ".join(keys_of(project, "answer").named) or "none yet"
    raise UnknownKey(f"The answers of this project have no key {key!r}; their keys: {known}.")


def _schemas(project: Project, which: Which) -> list[Schema]:
    """The schemas of every version that workers saw, oldest first; of the draft when there is none."""
    seen = Q(published_at__isnull=False)
    if project.published_id is None:
        seen = Q(id=project.draft_id)
    rows = Version.objects.filter(seen, project_id=project.id).order_by("number")
    return list(rows.values_list(f"{which}_schema", flat=True))


def _is_open(schema: Schema) -> bool:
    return schema.get("additionalProperties", True) is not False


def _sampled(project_id: UUID, which: Which) -> set[str]:
    """Keys that occur in the first tasks, or in the newest answers of each state."""
    first = "SELECT input AS value FROM projects_task WHERE project_id = %(project)s ORDER BY position LIMIT %(n)s"
    newest = (
        "SELECT a.value FROM unnest(%(states)s) AS s(state), LATERAL ("
        " SELECT answer AS value FROM work_assignment WHERE project_id = %(project)s AND state = s.state"
        " ORDER BY id DESC LIMIT %(n)s) a"
    )
    sample = first if which == "input" else newest
    sql = (
        f"SELECT DISTINCT jsonb_object_keys(value) FROM ({sample}) v"  # noqa: S608  (of the two texts above)
        " WHERE jsonb_typeof(value) = 'object'"
    )
    with connections[router.db_for_read(Assignment)].cursor() as cursor:
        cursor.execute(sql, {"project": project_id, "n": _SAMPLE, "states": [str(each) for each in ANSWERED]})
        return {row[0] for row in cursor.fetchall()}
