"""Who may call what: every route of the API, called by everyone, against one table.

The callers: `anonymous` sends no token; `unscoped` is the owner with every scope but the one the route needs; `foreign`
is the owner through somebody else's application; `stranger` has only an account; `worker` has claimed and answered in
the group's project; `member` and `owner` belong to the group. Personal things (sessions, applications) are the owner's.

A worker's hold on a task and a requester's review of it are two sights of one row: each is 404 to who sees the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django.utils.regex_helper import normalize
from oauth2_provider.models import AccessToken

from api.accounts.models import Authorisation, User
from api.accounts.services import applications
from api.collectives.models import Collective, Membership
from api.core.permissions import ANYONE
from api.core.views import ApiViewSet
from api.ledger import services as ledger
from api.messaging import services as messaging
from api.projects import services as projects
from api.projects.models import Batch, Task
from api.reviews import services as reviews
from api.work import services as work
from tests import factories
from tests.projects import build

BASE = "/api/v1"
CALLERS = ("anonymous", "unscoped", "foreign", "stranger", "worker", "member", "owner")

# One line for each route: the status that each of CALLERS gets.
TABLE = """
GET    /time                                         200 200 200 200 200 200 200
GET    /openapi.yaml                                 200 200 200 200 200 200 200

GET    /me                                           401 403 200 200 200 200 200
PATCH  /me                                           401 403 200 200 200 200 200
GET    /me/export                                    401 403 403 200 200 200 200
POST   /me/close                                     401 403 403 204 204 204 409
GET    /me/sessions                                  401 403 200 200 200 200 200
DELETE /me/sessions/{session_id}                     401 403 403 404 404 404 204
GET    /me/applications                              401 403 200 200 200 200 200
DELETE /me/applications/{application_id}             401 403 403 404 404 404 204
GET    /applications                                 401 403 200 200 200 200 200
POST   /applications                                 401 403 403 201 201 201 201
GET    /applications/{application_id}                401 403 200 404 404 404 200
PATCH  /applications/{application_id}                401 403 403 404 404 404 200
DELETE /applications/{application_id}                401 403 403 404 404 404 204

GET    /collectives                                  401 403 200 200 200 200 200
GET    /collectives/{collective_id}                  401 403 200 404 404 200 200
PATCH  /collectives/{collective_id}                  401 403 200 404 404 403 200
GET    /collectives/{collective_id}/members          401 403 200 404 404 200 200

GET    /notifications                                401 403 200 200 200 200 200
GET    /notifications/unread                         401 403 200 200 200 200 200
POST   /notifications/read                           401 403 200 200 200 200 200

GET    /threads                                      401 403 200 200 200 200 200
POST   /threads                                      401 403 201 201 201 403 201
GET    /threads/unread                               401 403 200 200 200 200 200
GET    /threads/{thread_id}                          401 403 200 404 200 200 200
GET    /threads/{thread_id}/messages                 401 403 200 404 200 200 200
POST   /threads/{thread_id}/messages                 401 403 201 404 201 403 201
POST   /threads/{thread_id}/read                     401 403 200 404 200 200 200
POST   /threads/{thread_id}/mute                     401 403 200 404 200 200 200
POST   /threads/{thread_id}/unmute                   401 403 200 404 200 200 200
POST   /threads/{thread_id}/block                    401 403 200 404 200 403 200
POST   /threads/{thread_id}/unblock                  401 403 200 404 200 403 200
GET    /messages/search                              401 403 200 200 200 200 200
GET    /messages/settings                            401 403 200 200 200 200 200
PATCH  /messages/settings                            401 403 200 200 200 200 200
POST   /messages/{message_id}/report                 401 403 204 404 409 204 204
GET    /projects/{project_id}/announcements          401 403 200 200 200 200 200
POST   /projects/{project_id}/announcements          401 403 201 403 403 403 201

GET    /purses                                       401 403 200 200 200 200 200
GET    /purses/{purse_id}                            401 403 200 404 404 200 200
GET    /purses/{purse_id}/statement                  401 403 200 404 404 200 200
POST   /purses/{purse_id}/deposit                    401 403 201 404 404 403 201
GET    /purses/{purse_id}/deposits                   401 403 200 404 404 200 200
POST   /purses/{purse_id}/payouts                    401 403 201 404 404 403 201
GET    /purses/{purse_id}/payouts                    401 403 200 404 404 200 200
POST   /deposits/{deposit_id}/cancel                 401 403 200 404 404 403 200
POST   /payouts/{payout_id}/cancel                   401 403 200 404 404 403 200
GET    /providers                                    401 403 200 200 200 200 200

GET    /projects                                     401 403 200 200 200 200 200
POST   /projects                                     401 403 201 400 400 403 201
POST   /projects/check                               401 403 200 200 200 200 200
GET    /projects/{project_id}                        401 403 200 200 200 200 200
PATCH  /projects/{project_id}                        401 403 200 403 403 403 200
DELETE /projects/{project_id}                        401 403 204 404 404 403 204
DELETE /projects/{project_id}/draft                  401 403 200 403 403 403 200
GET    /projects/{project_id}/versions               401 403 200 403 403 200 200
GET    /projects/{project_id}/quote                  401 403 200 403 403 200 200
GET    /projects/{project_id}/progress               401 403 200 403 403 200 200
POST   /projects/{project_id}/publish                401 403 200 404 404 403 200
POST   /projects/{project_id}/pause                  401 403 200 403 403 403 200
POST   /projects/{project_id}/resume                 401 403 200 403 403 403 200
POST   /projects/{project_id}/close                  401 403 200 403 403 403 200
GET    /projects/{project_id}/batches                401 403 200 403 403 200 200
GET    /projects/{project_id}/tasks                  401 403 200 403 403 200 200
POST   /projects/{project_id}/tasks                  401 403 201 403 403 403 201
GET    /batches/{batch_id}                           401 403 200 404 404 200 200
DELETE /batches/{batch_id}                           401 403 204 404 404 403 204
GET    /batches/{batch_id}/problems                  401 403 200 404 404 200 200
GET    /tasks/{task_id}                              401 403 200 404 404 200 200
DELETE /tasks/{task_id}                              401 403 204 404 404 403 204
GET    /versions/{version_id}                        401 403 200 200 200 200 200

GET    /feed                                         401 403 200 200 200 200 200
GET    /feed/{project_id}                            401 403 200 200 200 200 200
POST   /projects/{project_id}/hide                   401 403 204 204 204 204 204
DELETE /projects/{project_id}/hide                   401 403 204 204 204 204 204
GET    /work/summary                                 401 403 200 200 200 200 200
POST   /projects/{project_id}/claim                  401 403 201 201 201 201 201
POST   /tasks/{task_id}/claim                        401 403 201 201 201 201 201
GET    /assignments                                  401 403 200 200 200 200 200
GET    /assignments/{assignment_id}                  401 403 404 404 200 404 404
PUT    /assignments/{assignment_id}/draft            401 403 404 404 200 404 404
POST   /assignments/{assignment_id}/submit           401 403 404 404 200 404 404
POST   /assignments/{assignment_id}/return           401 403 404 404 200 404 404
POST   /assignments/{assignment_id}/skip             401 403 404 404 200 404 404

GET    /projects/{project_id}/assignments            401 403 200 403 403 200 200
GET    /reviews/assignments/{assignment_id}          401 403 200 404 404 200 200
POST   /assignments/{assignment_id}/accept           401 403 200 404 404 403 200
POST   /assignments/{assignment_id}/reject           401 403 200 404 404 403 200
POST   /assignments/{assignment_id}/send-back        401 403 200 404 404 403 200
POST   /assignments/{assignment_id}/bonus            401 403 201 404 404 403 201
POST   /assignments/{assignment_id}/pay-partial      401 403 201 404 404 403 201
POST   /projects/{project_id}/assignments/accept     401 403 200 403 403 403 200
POST   /projects/{project_id}/assignments/reject     401 403 200 403 403 403 200
POST   /projects/{project_id}/assignments/send-back  401 403 200 403 403 403 200

GET    /projects/{project_id}/results                401 403 200 403 403 200 200
GET    /projects/{project_id}/results/summary        401 403 200 403 403 200 200
GET    /projects/{project_id}/results/workers        401 403 200 403 403 200 200
"""

_MONEY = {"amount": 150, "currency": "USD"}
_REASON = "The photo shows a decoy made of wood."
# What is sent; a function gets the caller and the market.
BODIES: dict[str, Any] = {
    "PATCH /me": {"name": "Another name"},
    "POST /me/close": lambda caller, market: {"confirm": caller.email, "forfeit": True},
    "POST /applications": {"name": "App", "client_type": "public", "redirect_uris": ["https://app.example.org/"]},
    "PATCH /applications/{application_id}": {"name": "Another name"},
    "PATCH /collectives/{collective_id}": {"name": "Another name"},
    "POST /notifications/read": {"up_to": 1},
    "POST /threads": lambda caller, market: {
        "about": {"kind": "project", "id": str(market.ids["project_id"])},
        "body": "Is a decoy a duck?",
        "to": market.alias if caller in (market.users["owner"], market.users["member"]) else "",
    },
    "POST /threads/{thread_id}/messages": {"body": "Is a decoy a duck?"},
    "POST /threads/{thread_id}/read": {"up_to": 1},
    "PATCH /messages/settings": {"digest": False},
    "POST /messages/{message_id}/report": {"category": "abuse"},
    "POST /projects/{project_id}/announcements": {"body": "Decoys are ducks."},
    "POST /purses/{purse_id}/deposit": {"amount": _MONEY},
    "POST /purses/{purse_id}/payouts": {"amount": _MONEY, "destination": {"method": "bank", "details": "PT50"}},
    "POST /projects": lambda caller, market: {"title": "Geese", "collective": str(market.group.id)},
    "POST /projects/check": {"interface": build.INTERFACE},
    "PATCH /projects/{project_id}": {"title": "Geese"},
    "POST /projects/{project_id}/tasks": [{"input": {"name": "one more duck"}}],
    "PUT /assignments/{assignment_id}/draft": {"draft": {"label": "1"}},
    "POST /assignments/{assignment_id}/submit": {"answer": {"label": "1"}},
    "POST /assignments/{assignment_id}/reject": {"category": "wrong", "reason": _REASON},
    "POST /assignments/{assignment_id}/send-back": {"comment": "Please look at it again."},
    "POST /assignments/{assignment_id}/bonus": {"amount": _MONEY, "reason": "Well seen"},
    "POST /assignments/{assignment_id}/pay-partial": {"amount": {"amount": 4, "currency": "USD"}, "reason": "Half"},
    "POST /projects/{project_id}/assignments/accept": lambda caller, market: {"ids": [market.ids["submitted"]]},
    "POST /projects/{project_id}/assignments/reject": lambda caller, market: {
        "ids": [market.ids["submitted"]],
        "category": "wrong",
        "reason": _REASON,
    },
    "POST /projects/{project_id}/assignments/send-back": lambda caller, market: {
        "ids": [market.ids["submitted"]],
        "comment": "Please look at it again.",
    },
}
# Which thing of the market an address means, where it is not the one that is named like the parameter.
MEANT = {
    "DELETE /projects/{project_id}": "draft",
    "POST /projects/{project_id}/publish": "draft",
    "POST /projects/{project_id}/resume": "paused",
    "DELETE /projects/{project_id}/draft": "paused",
    "DELETE /batches/{batch_id}": "draft_batch",
    "DELETE /tasks/{task_id}": "draft_task",
    "DELETE /me/applications/{application_id}": "authorised",
    "POST /tasks/{task_id}/claim": "open_task",
    "POST /assignments/{assignment_id}/accept": "submitted",
    "POST /assignments/{assignment_id}/reject": "submitted",
    "POST /assignments/{assignment_id}/send-back": "submitted",
    "POST /assignments/{assignment_id}/bonus": "accepted",
    "POST /assignments/{assignment_id}/pay-partial": "returned",
    "GET /reviews/assignments/{assignment_id}": "submitted",
}


# Nothing is stored, so a token that may only read does.
READS_BY_POST = {"POST /projects/check"}


def _expected() -> dict[str, dict[str, int]]:
    rows = {}
    for line in TABLE.strip().splitlines():
        if line:
            method, path, *statuses = line.split()
            rows[f"{method} {path}"] = dict(zip(CALLERS, map(int, statuses), strict=True))
    return rows


EXPECTED = _expected()


@dataclass(frozen=True)
class Route:
    name: str
    view: type[ApiViewSet]
    action: str


def _routes() -> Iterator[Route]:
    """Every method of every address under /api/v1, as Django would find it."""

    def walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            template, names = normalize(pattern.pattern.regex.pattern)[0]
            path = prefix + template % {name: f"{{{name}}}" for name in names}
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            else:
                yield path, pattern

    for path, pattern in walk(get_resolver().url_patterns, "/"):
        if path.startswith(BASE):
            view = pattern.callback
            assert issubclass(getattr(view, "cls", object), ApiViewSet), f"{path} is not served by an ApiViewSet"
            for method, action in view.actions.items():
                if method != "head":
                    yield Route(f"{method.upper()} {path.removeprefix(BASE)}", view.cls, action)


ROUTES = {route.name: route for route in _routes()}


@dataclass
class Market:
    users: dict[str, User] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)
    """What the parameters of addresses stand for."""
    group: Any = None
    alias: str = ""
    """Under which the group knows the worker."""
    foreign: Any = None
    """Somebody else's application, for which the owner has a token."""

    def address(self, route: str) -> str:
        path = route.partition(" ")[2]
        return BASE + path.format(**{name: self.meant(route, name) for name in self.ids})

    def meant(self, route: str, parameter: str) -> Any:
        """The id that `parameter` stands for in the address of this route."""
        return self.ids[MEANT.get(route, parameter)]

    def body(self, route: str, caller: User) -> Any:
        body = BODIES.get(route, {})
        return body(caller, self) if callable(body) else body

    def client(self, caller: str, scope: str | None) -> factories.ApiClient:
        if caller == "anonymous":
            return factories.make_api()
        if caller == "unscoped":
            return factories.make_api(self.users["owner"], set(factories.ALL_SCOPES) - {scope})
        client = factories.make_api(self.users["owner" if caller == "foreign" else caller])
        if caller == "foreign":
            AccessToken.objects.update(application=self.foreign)
        return client


@pytest.fixture
def market(db: None) -> Market:
    return build_market()


def build_market() -> Market:
    """A group with work in every state, made through the services."""
    market = Market()
    users, ids = market.users, market.ids
    for name in ("stranger", "worker", "member", "owner"):
        users[name] = factories.make_user(name.capitalize())
    owner, worker = users["owner"], users["worker"]
    market.group = group = Collective.objects.create(name="Duck watchers")
    Membership.objects.create(collective=group, user=owner, role="owner")
    Membership.objects.create(collective=group, user=users["member"], role="member")
    ids["collective_id"] = group.id
    build.give_money(group, 10_000)
    _add_personal_things(market, owner)
    _add_money(market, owner)

    project = _project(owner, group, tasks=8, publish=True)
    ids["project_id"], ids["version_id"] = project.id, project.published_id
    ids["batch_id"] = Batch.objects.get(project=project).id
    _add_answers(market, project, worker)
    _add_message(market, worker)
    claimed = [ids[each] for each in ("assignment_id", "submitted", "accepted", "returned")]
    free = Task.objects.filter(project=project).exclude(assignment__in=claimed)
    ids["task_id"] = ids["open_task"] = free.order_by("position")[0].id
    ids["paused"] = _project(owner, group, publish=True).id
    projects.pause_project(project_id=ids["paused"], by=owner)
    projects.edit_project(project_id=ids["paused"], by=owner, fields={"title": "More ducks"})
    ids["draft"] = _project(owner, group).id
    ids["draft_batch"] = Batch.objects.get(project_id=ids["draft"]).id
    ids["draft_task"] = Task.objects.filter(project_id=ids["draft"])[0].id
    return market


def _project(owner: User, group: Collective, *, tasks: int = 2, publish: bool = False) -> Any:
    fields = {"title": "Ducks", "interface": build.INTERFACE, "reward": {"amount": 10, "currency": "USD"}}
    project = projects.create_project(by=owner, fields={**fields, "assignments_per_task": 2}, collective_id=group.id)
    build.add_tasks(project, tasks)
    return projects.publish_project(project_id=project.id, by=owner) if publish else project


def _add_answers(market: Market, project: Any, worker: User) -> None:
    for name in ("submitted", "accepted", "returned", "assignment_id"):
        claim = work.claim_next(worker_id=worker.id, project_id=project.id)
        market.ids[name] = claim.id
        if name in ("submitted", "accepted"):
            work.submit_answer(assignment_id=claim.id, worker_id=worker.id, answer={"label": "1"})
    work.return_assignment(assignment_id=market.ids["returned"], worker=worker)
    reviews.accept_assignment(assignment_id=market.ids["accepted"], reviewer=market.users["owner"])


def _add_message(market: Market, worker: User) -> None:
    thread, message, _ = messaging.open_thread(
        by=worker, kind="assignment", about_id=market.ids["submitted"], body="Did you get my answer?"
    )
    market.ids["thread_id"], market.ids["message_id"], market.alias = thread.id, message.id, thread.alias


def _add_personal_things(market: Market, owner: User) -> None:
    session = Session.objects.create(session_key="k" * 32, expire_date=timezone.now() + timedelta(days=1))
    market.ids["session_id"] = UserSession.objects.create(
        user=owner, session_key=session.session_key, ip="203.0.113.7", user_agent="Mozilla/5.0"
    ).pk
    fields = {"name": "Counter", "client_type": "public", "redirect_uris": ["https://app.example.org/"]}
    fields["grant_types"] = ["authorization_code"]
    application, _ = applications.create_application(owner=owner, fields=fields)
    market.ids["application_id"] = application.pk
    market.foreign, _ = applications.create_application(owner=market.users["stranger"], fields=fields)
    Authorisation.objects.create(
        user=owner,
        application=market.foreign,
        scopes=["work:read"],
        code_checksum="0" * 64,
        code_expires_at=timezone.now(),
        exchanged_at=timezone.now(),
        last_used_at=timezone.now(),
    )
    market.ids["authorised"] = market.foreign.pk


def _add_money(market: Market, owner: User) -> None:
    purse = ledger.purse_of(owner_id=market.group.id, currency="USD").id
    market.ids["purse_id"] = purse
    sum_ = {"purse_id": purse, "amount": 500, "currency": "USD", "by": owner}
    market.ids["deposit_id"] = ledger.request_deposit(**sum_).id
    market.ids["payout_id"] = ledger.request_payout(**sum_, method="bank", details="PT50").id


def test_the_table_has_every_route_and_no_other() -> None:
    assert sorted(ROUTES) == sorted(EXPECTED)


def test_every_action_has_a_permission_row_with_a_scope() -> None:
    """A row without a scope is for anyone; a scope is one that tokens can have."""
    for route in ROUTES.values():
        row = route.view.permission_table.get(route.action)
        assert row is not None, f"{route.name}: no row for {route.action}"
        if row.scope is None:
            assert row.rule is ANYONE, f"{route.name}: no scope, and not for anyone"
        else:
            assert row.scope in factories.ALL_SCOPES, f"{route.name}: no such scope as {row.scope}"


def test_every_scope_that_is_offered_is_needed_by_a_route() -> None:
    """Nobody is asked to allow what means nothing yet."""
    needed = {route.view.permission_table[route.action].scope for route in ROUTES.values()}
    assert set(factories.ALL_SCOPES) == needed - {None}


def test_reading_needs_a_scope_to_read_and_writing_one_to_write() -> None:
    wrong = []
    for route in ROUTES.values():
        scope = route.view.permission_table[route.action].scope
        reads = route.name.startswith("GET ") or route.name in READS_BY_POST
        if scope is not None and scope.endswith(":read") is not reads:
            wrong.append((route.name, scope))
    assert wrong == []


@pytest.mark.parametrize("name", EXPECTED)
def test_who_may_call(market: Market, name: str) -> None:
    route = ROUTES[name]
    scope = route.view.permission_table[route.action].scope
    seen, codes = {}, {}
    for caller in CALLERS:
        with transaction.atomic():
            user = market.users.get(caller, market.users["owner"])
            client = market.client(caller, scope)
            method = getattr(client, name.partition(" ")[0].lower())
            body = () if name.startswith("GET ") else (market.body(name, user),)
            before = _history()
            response = method(market.address(name), *body)
            seen[caller] = response.status_code
            if response.status_code >= 400:
                codes[caller] = response.json()["code"]
                assert _history() == before, f"{caller} was refused, and changed something all the same"
            elif response.streaming:
                b"".join(response.streaming_content)
            transaction.set_rollback(True)
    assert seen == EXPECTED[name]
    refusals = {"anonymous": "not_authenticated", "unscoped": "insufficient_scope"}
    for caller, code in codes.items():
        if caller in refusals:
            assert code == refusals[caller]
        elif seen[caller] == 403:
            assert code in {"not_allowed", "denied", "first_party_only"}, code
        elif seen[caller] == 404:
            assert code == "not_found"


def test_the_open_task_is_another_than_the_claimed_ones(market: Market) -> None:
    """Else the rows on claiming would be about something else."""
    assert not Task.objects.filter(id=market.ids["open_task"], assignment__worker=market.users["worker"]).exists()


def _history() -> list[int]:
    """How much was ever written of what a refused call must leave alone."""
    tables = ("realtime_event", "ledger_entry", "work_move", "work_assignment", "projects_task", "projects_version")
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counts}")
        return list(cursor.fetchone())
