"""Markets of any size, made by SQL: what would take hours of clicking is there in a minute, row for row the same."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import TracebackType
from typing import Any

import psycopg2
from psycopg2.extras import Json, execute_values

from bench.stack import Stack

SCOPE = "account:read projects:read projects:write work:read work:write reviews:read reviews:write ledger:read"
REWARD = 7
ROLL_UP_LOCK = 0x6775696C_726F6C6C
"""The advisory lock of `api/projects/services/rollup.py`."""
ANSWERS = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": ["0", "1", "2", "3"]}},
    "required": ["label"],
    "additionalProperties": False,
}
INPUTS = {
    "type": "object",
    "properties": {"image": {"type": "string"}, "question": {"type": "string"}},
    "required": ["image", "question"],
    "additionalProperties": False,
}
INTERFACE = {
    "kind": "elements",
    "elements": [
        {"show": "text", "from": "question"},
        {"show": "image", "from": "image", "alt": "The picture"},
        {
            "ask": "choice",
            "key": "label",
            "label": "Which?",
            "required": True,
            "options": [{"value": str(n), "label": f"Class {n}"} for n in range(4)],
        },
    ],
}
_INPUT = (
    "jsonb_build_object('image', 'https://example.org/images/' || n || '.jpg',"
    " 'question', 'What is in picture ' || n || '?')"
)


@dataclass(frozen=True, slots=True)
class User:
    """A user with a token of every scope that the loads need."""

    id: str
    token: str


@dataclass(frozen=True, slots=True)
class Project:
    """A published project."""

    id: str
    version_id: str
    owner: User
    tasks: int


class World:
    """A stack's database, and what is made in it. Close it, or use it in a `with`."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._connection = psycopg2.connect(stack.database_url)
        self._connection.autocommit = True
        self._application = ""
        self.warm = False

    def __enter__(self) -> "World":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; its rows."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def settle(self) -> None:
        """Vacuum, analyse and write out what was made, so that none of it is left to do while something is measured."""
        self.run("VACUUM (ANALYZE)")
        self.run("CHECKPOINT")
        time.sleep(1)

    def users(self, count: int) -> list[User]:
        """`count` new users with tokens."""
        if not self._application:
            self.stack.seed("First")
            ((self._application,),) = self.run("SELECT id FROM accounts_application WHERE client_id = 'bench'")
        ids = self.run(
            "INSERT INTO accounts_user (id, email, name, password, is_superuser, is_staff, is_active, locale, timezone,"
            " theme, uses) SELECT uuidv7(), gen_random_uuid() || '@example.org', 'Worker ' || n, '!', false, false,"
            " true, 'en', 'UTC', 'system', '{}' FROM generate_series(1, %s) n RETURNING id::text",
            [count],
        )
        made = [User(row[0], secrets.token_urlsafe(24)) for row in ids]
        with self._connection.cursor() as cursor:
            execute_values(
                cursor,
                "INSERT INTO oauth2_provider_accesstoken"
                " (token, token_checksum, application_id, user_id, scope, expires, created, updated, resource)"
                " VALUES %s",
                [
                    (each.token, sha256(each.token.encode()).hexdigest(), self._application, each.id, SCOPE, Json([]))
                    for each in made
                ],
                template="(%s, %s, %s, %s, %s, now() + interval '1 day', now(), now(), %s)",
            )
        return made

    def rich_user(self, amount: int) -> User:
        """A new user with `amount` in their purse."""
        (made,) = self.stack.seed("Requester", money=[amount])
        return User(made["id"], made["token"])

    def project(self, owner: User, tasks: int, *, places: int = 1, open_tasks: bool = True) -> Project:
        """A published project of `tasks` tasks with all places open, or with none."""
        ((project, version),) = self.run("SELECT uuidv7()::text, uuidv7()::text")
        self._heads(owner, [(project, version)], tasks, places, open_tasks)
        ((batch,),) = self.run("SELECT id::text FROM projects_batch WHERE project_id = %s", [project])
        # In parts, so that one statement's memory does not grow with the number.
        for start in range(0, tasks, 1_000_000):
            end = min(tasks, start + 1_000_000) - 1
            self.run(
                "INSERT INTO projects_task (id, project_id, batch_id, position, input)"
                f" SELECT uuidv7(), %s, %s, n, {_INPUT} FROM generate_series(%s, %s) n",
                [project, batch, start, end],
            )
            if open_tasks:
                self.run(
                    "INSERT INTO projects_opentask (project_id, position, task_id, free)"
                    " SELECT project_id, position, id, %s FROM projects_task"
                    " WHERE project_id = %s AND position BETWEEN %s AND %s ORDER BY position",
                    [places, project, start, end],
                )
        return Project(project, version, owner, tasks)

    def projects(self, owner: User, count: int, tasks: int) -> list[Project]:
        """`count` published projects of `tasks` open tasks each."""
        ids = [
            (str(project), str(version))
            for project, version in self.run(
                "SELECT uuidv7()::text, uuidv7()::text FROM generate_series(1, %s)", [count]
            )
        ]
        self._heads(owner, ids, tasks, 1, True)
        projects = [project for project, _ in ids]
        self.run(
            "INSERT INTO projects_task (id, project_id, batch_id, position, input)"
            f" SELECT uuidv7(), b.project_id, b.id, n, {_INPUT}"
            " FROM projects_batch b, generate_series(0, %s) n WHERE b.project_id = ANY(%s::uuid[])",
            [tasks - 1, projects],
        )
        self.run(
            "INSERT INTO projects_opentask (project_id, position, task_id, free)"
            " SELECT project_id, position, id, 1 FROM projects_task WHERE project_id = ANY(%s::uuid[])"
            " ORDER BY project_id, position",
            [projects],
        )
        return [Project(project, version, owner, tasks) for project, version in ids]

    def _heads(self, owner: User, ids: Sequence[tuple[str, str]], tasks: int, places: int, open_tasks: bool) -> None:
        """Everything of projects but their tasks; `ids` are of project and version."""
        with self._connection.cursor() as cursor:
            cursor.execute("BEGIN")
            execute_values(
                cursor,
                "INSERT INTO projects_project (id, collective_id, state, title, assignments_per_task, currency,"
                " fee_bps, last_position, inputs_unchecked, created_by_id, published_at) VALUES %s",
                [(project, owner.id, f"Bench {n}", places, tasks - 1, owner.id) for n, (project, _) in enumerate(ids)],
                template="(%s, %s, 'published', %s, %s, 'USD', 0, %s, false, %s, clock_timestamp())",
            )
            execute_values(
                cursor,
                "INSERT INTO projects_version (id, project_id, number, title, summary, instructions, interface,"
                " input_schema, answer_schema, reward, assignments_per_task, claim_lasts, auto_accept_after, keywords,"
                " expected_minutes, published_at) VALUES %s",
                [
                    (
                        version,
                        project,
                        f"Bench {n}",
                        "Look at a picture and say what it shows.",
                        "Look *closely*. " * 50,
                        Json(INTERFACE),
                        Json(INPUTS),
                        Json(ANSWERS),
                        REWARD + n % 50,
                        places,
                        ["picture", f"kind{n % 20}"],
                        0.5 + n % 7 / 4,
                    )
                    for n, (project, version) in enumerate(ids)
                ],
                template="(%s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s, interval '15 minutes', interval '3 days', %s,"
                " %s, clock_timestamp())",
            )
            projects = [project for project, _ in ids]
            cursor.execute(
                "UPDATE projects_project p SET published_id = v.id FROM projects_version v"
                " WHERE v.project_id = p.id AND p.id = ANY(%s::uuid[])",
                [projects],
            )
            cursor.execute(
                "INSERT INTO projects_batch (id, project_id, state, filename, format, on_error, lines, added,"
                " duplicates, rejected, created_by_id)"
                " SELECT uuidv7(), p, 'done', 'bench.csv', 'csv', 'refuse', %s, %s, 0, 0, %s FROM unnest(%s::uuid[]) p",
                [tasks, tasks, owner.id, projects],
            )
            cursor.execute(
                "INSERT INTO projects_projectstats (project_id, tasks, open_places, claimed, submitted, sent_back,"
                " accepted, rejected, returned, expired, workers, funded, recent_seconds, recent_review_seconds,"
                " histogram, median_seconds, median_review_seconds, hourly_wage)"
                " SELECT p, %s, %s, 0, 0, 0, 0, 0, 0, 0, 0, 0, (SELECT array_agg(20 + i %% 20) FROM"
                " generate_series(1, 201) i), (SELECT array_agg(3600 + i) FROM generate_series(1, 201) i), '{}',"
                " 30 + o %% 40, 3701, 500 + o %% 1000 FROM unnest(%s::uuid[]) WITH ORDINALITY AS u(p, o)",
                [tasks, tasks * places if open_tasks else 0, projects],
            )
            cursor.execute("COMMIT")

    def past(
        self, project: Project, worker: User, ranges: Sequence[tuple[int, int]], *, state: str = "accepted"
    ) -> int:
        """Give a worker a past in a project: answers to the tasks at `ranges` of positions (ends excluded).

        The rows are those that claiming, submitting and accepting leave: assignments, moves, events, the participation
        with what was seen, and one place of each task taken. Returns how many answers.
        """
        moves = {"submitted": ["claimed", "submitted"], "accepted": ["claimed", "submitted", "accepted"]}[state]
        values = {
            "project": project.id,
            "version": project.version_id,
            "worker": worker.id,
            "owner": project.owner.id,
            "state": state,
            "moves": moves,
            "seen": "{" + ",".join(f"[{start},{end})" for start, end in sorted(ranges)) + "}",
            "first": min(start for start, _ in ranges),
            "last": max(end for _, end in ranges) - 1,
            "next": ranges[-1][1],
            "taken": sum(end - start for start, end in ranges),
            "reward": REWARD,
        }
        with self._connection.cursor() as cursor:
            # The roll-up stays away meanwhile, and goes on behind these events: they are of a past it has counted.
            cursor.execute("SELECT pg_advisory_lock(%s)", [ROLL_UP_LOCK])
            cursor.execute("BEGIN")
            # In the order of positions, a second apart, as one person would have done them.
            cursor.execute(
                """
                CREATE TEMPORARY TABLE past ON COMMIT DROP AS
                SELECT uuidv7((n - %(taken)s) * interval '1 second') AS id, task, position,
                       now() + (n - %(taken)s) * interval '1 second' AS at
                  FROM (SELECT t.id AS task, t.position, row_number() OVER (ORDER BY t.position) AS n
                          FROM projects_task t
                         WHERE t.project_id = %(project)s AND t.position BETWEEN %(first)s AND %(last)s
                           AND %(seen)s::int4multirange @> t.position) x
                """,
                values,
            )
            cursor.execute(
                """
                INSERT INTO work_assignment (id, project_id, version_id, task_id, worker_id, position, state, reward,
                    claimed_at, expires_at, answer, submitted_at, late, auto_accept_at, decided_at, decided_by_id)
                SELECT id, %(project)s, %(version)s, task, %(worker)s, position, %(state)s, %(reward)s,
                       at, at + interval '15 minutes',
                       jsonb_build_object('label', (('x' || right(md5(id::text), 4))::bit(16)::int %% 4)::text),
                       at + interval '20 seconds', false,
                       CASE %(state)s WHEN 'submitted' THEN at + interval '3 days' END,
                       CASE %(state)s WHEN 'accepted' THEN at + interval '1 hour' END,
                       CASE %(state)s WHEN 'accepted' THEN %(owner)s::uuid END
                  FROM past ORDER BY id
                """,
                values,
            )
            cursor.execute(
                """
                INSERT INTO work_move (assignment_id, "to", at, by_id)
                SELECT id, m, at, CASE m WHEN 'accepted' THEN %(owner)s::uuid ELSE %(worker)s::uuid END
                  FROM past, unnest(%(moves)s) m ORDER BY id
                """,
                values,
            )
            cursor.execute(
                """
                INSERT INTO realtime_event (type, subject_id, audience, data)
                SELECT 'assignment.' || m, id, ARRAY[%(owner)s::uuid, %(worker)s::uuid],
                       jsonb_build_object('project', %(project)s::uuid)
                  FROM past, unnest(%(moves)s) m ORDER BY id
                """,
                values,
            )
            cursor.execute(
                """
                INSERT INTO work_participation (project_id, worker_id, next_position, seen, taken, claims)
                VALUES (%(project)s, %(worker)s, %(next)s, %(seen)s::int4multirange, %(taken)s, %(taken)s)
                """,
                values,
            )
            cursor.execute("SELECT work_pseudonym(%(owner)s, %(worker)s)", values)
            # One statement, so that no row is taken from twice.
            cursor.execute(
                """
                WITH gone AS (
                    DELETE FROM projects_opentask WHERE project_id = %(project)s AND free = 1
                       AND position BETWEEN %(first)s AND %(last)s AND %(seen)s::int4multirange @> position
                )
                UPDATE projects_opentask SET free = free - 1 WHERE project_id = %(project)s AND free > 1
                   AND position BETWEEN %(first)s AND %(last)s AND %(seen)s::int4multirange @> position
                """,
                values,
            )
            cursor.execute("COMMIT")
            cursor.execute(
                "UPDATE projects_rollupcursor SET seen = pg_current_snapshot()::text, target = '', xid = 0, event = 0"
            )
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ROLL_UP_LOCK])
        return int(values["taken"])  # type: ignore[call-overload]
