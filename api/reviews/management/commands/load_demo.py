"""`manage.py load_demo`: people, projects and some weeks of work to look at. Prints the accounts it made.

Everything goes through the services a person's clicks would; only the times are moved back afterwards. For local
installations: the accounts have a password that everybody knows.
"""

import random
from datetime import timedelta
from io import BytesIO
from typing import Any

import orjson
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone

from api.accounts.models import User
from api.ledger import services as ledger
from api.ledger.models import Purse
from api.projects import services as projects
from api.projects.imports import Options
from api.projects.models import Project
from api.reviews import services as reviews
from api.work import services as work

PASSWORD = "guildhall-demo"  # noqa: S105  (printed at every start; refused outside of local mode)
PEOPLE = {
    "operator@example.org": ("Odile Operator", [], "confirms deposits, at /admin/"),
    "requester@example.org": ("Wetlands Lab", ["request"], "has projects, answers to review, and money"),
    "worker@example.org": ("Ana Worker", ["work"], "finds work, has some done"),
}
DUCKS = {
    "title": "Is there a duck in the picture?",
    "summary": "Look at a picture of a pond and say whether a duck is on it. Half a minute each.",
    "instructions": (
        "Look at the whole picture, also between the reeds.\n\n"
        "- A **duck** counts wherever it swims, even if only half of it shows.\n"
        "- Logs and stones are *not* ducks, however much they look like one.\n\n"
        "If the picture does not load, say so. You are paid all the same."
    ),
    "interface": {
        "kind": "elements",
        "elements": [
            {"show": "image", "from": "picture", "alt": "A pond with reeds"},
            {
                "ask": "choice",
                "key": "label",
                "label": "Is there a duck?",
                "required": True,
                "options": [
                    {"value": "duck", "label": "Yes, a duck"},
                    {"value": "no_duck", "label": "No duck"},
                    {"value": "not_loaded", "label": "The picture does not load"},
                ],
            },
            {
                "ask": "text",
                "key": "note",
                "label": "Anything the requester should know",
                "multiline": True,
                "max_length": 500,
            },
        ],
    },
    "reward": {"amount": 15, "currency": "USD"},
    "assignments_per_task": 5,
    "claim_lasts": timedelta(minutes=12),
    "keywords": ["pictures", "birds"],
    "expected_minutes": 0.5,
}
REVIEWS = {
    "title": "How does this guest feel about the hotel?",
    "summary": "Read two or three sentences of a hotel review and say how the guest feels.",
    "instructions": "Judge what the guest **says**, not what you would feel in their place.",
    "interface": {
        "kind": "elements",
        "elements": [
            {"show": "text", "from": "review", "label": "The guest writes"},
            {
                "ask": "choice",
                "key": "feeling",
                "label": "The guest is",
                "required": True,
                "options": [
                    {"value": "happy", "label": "Happy"},
                    {"value": "mixed", "label": "Mixed"},
                    {"value": "unhappy", "label": "Unhappy"},
                ],
            },
            {
                "ask": "scale",
                "key": "sure",
                "label": "How sure are you?",
                "min": 1,
                "max": 5,
                "min_label": "guessing",
                "max_label": "certain",
            },
        ],
    },
    "reward": {"amount": 22, "currency": "USD"},
    "assignments_per_task": 3,
    "claim_lasts": timedelta(minutes=15),
    "keywords": ["text", "feelings"],
    "expected_minutes": 1,
}
REGISTER = {
    "title": "Transcribe one line of a parish register",
    "summary": "Type what an old hand has written, letter by letter.",
    "instructions": "Keep the spelling as it is. Write `[?]` for what you cannot read.",
    "interface": {
        "kind": "elements",
        "elements": [
            {"show": "text", "from": "line", "label": "The line"},
            {"ask": "text", "key": "text", "label": "What does it say?", "required": True, "max_length": 300},
        ],
    },
    "reward": {"amount": 40, "currency": "USD"},
    "assignments_per_task": 2,
    "keywords": ["transcription", "history"],
    "claim_lasts": timedelta(minutes=20),
    "expected_minutes": 3,
}
COLOURS = {
    "title": "Which of these two paints matches the sample?",
    "summary": "Compare three patches of colour.",
    "keywords": ["colours"],
}
_SENTENCES = (
    ("The room was quiet and the breakfast the best we had all summer.", "happy"),
    ("Friendly people, but the lift was out of order for three days.", "mixed"),
    ("We asked for towels four times and left without any.", "unhappy"),
    ("From the window you see the harbour; we did not want to leave.", "happy"),
    ("Nice pool. The walls are so thin that we heard every word next door.", "mixed"),
    ("They lost our booking and did not say sorry.", "unhappy"),
    ("Simple, clean, fair price. We shall come again.", "happy"),
    ("The bed was good. The street was loud until two in the morning.", "mixed"),
)
_LINES = (
    "Anno 1743 the 4th of Maij was baptiſed Anna, daughter of Jan the miller",
    "Buried the widow Grietje, of the Eaſt dyke, aged 71 years",
    "Wed in this church: Pieter the ſmith and Trijntje, maid of the rectory",
    "Anno 1744 in the hard froſt no baptiſms for three weeks",
    "Baptiſed a foundling, whom we named Maria after the day",
    "Paid to the glazier for the north window 3 guilders 4 ſtuivers",
    "Buried two ſailors of the Good Hope, names unknown to us",
    "Received of the poor box 11 guilders, given out before Chriſtmas",
    "Wed: Cornelis, widower, of the mill, and Neeltje of the Weſt end",
    "Anno 1745 the river over the dyke; the books carried to the tower",
)


class Command(BaseCommand):
    help = "Load the demo, once, and print its accounts."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.LOCAL:
            raise CommandError("The demo is for local installations: everybody knows its passwords.")
        with transaction.atomic():
            if not User.objects.filter(email="requester@example.org").exists():
                self._load()
        for email, (_, _, note) in PEOPLE.items():
            role = email.partition("@")[0].capitalize()
            self.stdout.write(f"{role:<10} {email:<22} {PASSWORD}   {note}")

    def _load(self) -> None:
        chance = random.Random(20261124)  # noqa: S311
        operator, requester, ana = (_person(email, name, uses) for email, (name, uses, _) in PEOPLE.items())
        User.objects.filter(id=operator.id).update(is_staff=True, is_superuser=True)
        operator.refresh_from_db()
        _deposit(operator, requester, 100_000)
        names = ("Ben", "Chidi", "Dora", "Emil", "Fatma")
        others = [_person(f"{name.lower()}@example.org", f"{name} Worker", ["work"]) for name in names]
        ponds = [{"picture": f"/demo/pond-{1 + n % 12:02}.svg"} for n in range(48)]
        ducks = _publish(requester, DUCKS, ponds, "ponds.jsonl")
        for worker, count in zip([ana, *others], (9, 34, 40, 28, 22, 37), strict=True):
            _work(worker, ducks, count, _duck_answer, chance)
        _accept_some(requester, ducks, 140)
        guests = [{"review": f"{one} {other}"} for one, _ in _SENTENCES for other, _ in _SENTENCES if one != other]
        feelings = _publish(requester, REVIEWS, guests, "hotels.jsonl")
        for worker, count in zip((ana, *others[:2]), (5, 21, 17), strict=True):
            _work(worker, feelings, count, _feeling_answer, chance)
        _accept_some(requester, feelings, 30)
        projects.create_project(by=requester, fields=COLOURS)
        archive = _person("archive@example.org", "Parish Archive Co-op", ["request"])
        _deposit(operator, archive, 20_000)
        lines = [{"line": text} for text in _LINES]
        _work(others[3], _publish(archive, REGISTER, lines, "register.jsonl"), 4, _line_answer, chance)
        _move_back(chance)


def _person(email: str, name: str, uses: list[str]) -> User:
    user = User.objects.create_user(email, PASSWORD, name=name, uses=uses)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _deposit(operator: User, requester: User, amount: int) -> None:
    purse = ledger.purse_of(owner_id=requester.id, currency=settings.CURRENCY)
    deposit = ledger.request_deposit(
        purse_id=purse.id, amount=amount, currency=purse.currency, by=requester, provider="manual"
    )
    ledger.confirm_deposit(deposit_id=deposit.id, by=operator)
    assert purse.kind == Purse.Kind.PURSE  # noqa: S101


def _publish(requester: User, fields: dict[str, Any], inputs: list[dict[str, str]], filename: str) -> Project:
    project = projects.create_project(by=requester, fields=fields)
    body = b"".join(orjson.dumps(each) + b"\n" for each in inputs)
    projects.import_tasks(
        project_id=project.id,
        by=requester,
        stream=BytesIO(body),
        format="jsonl",
        options=Options(bare=True, filename=filename),
    )
    return projects.publish_project(project_id=project.id, by=requester)


def _work(worker: User, project: Project, count: int, answer: Any, chance: random.Random) -> None:
    for _ in range(count):
        claim = work.claim_next(worker_id=worker.id, project_id=project.id)
        work.submit_answer(assignment_id=claim.id, worker_id=worker.id, answer=answer(claim.input, chance))


def _duck_answer(data: dict[str, Any], chance: random.Random) -> dict[str, str]:
    number = int(data["picture"][-6:-4])
    right = "no_duck" if number % 3 == 0 else "duck"
    return {"label": right if chance.random() < 0.88 else "duck" if right == "no_duck" else "no_duck"}


def _feeling_answer(data: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    felt = {feeling for text, feeling in _SENTENCES if text in data["review"]}
    right = felt.pop() if len(felt) == 1 else "mixed"
    return {"feeling": right if chance.random() < 0.85 else "mixed", "sure": chance.randint(3, 5)}


def _line_answer(data: dict[str, Any], chance: random.Random) -> dict[str, str]:
    return {"text": data["line"].replace("ſ", "s")}


def _accept_some(requester: User, project: Project, count: int) -> None:
    ids = project.assignment_set.order_by("id").values_list("id", flat=True)[:count]
    reviews.accept_many(project_id=project.id, reviewer=requester, ids=list(ids))


def _move_back(chance: random.Random) -> None:
    """Spread the work over the days before today, each answer taking as long as such an answer does."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, state FROM work_assignment ORDER BY id")
        rows = cursor.fetchall()
        for index, (identifier, state) in enumerate(rows):
            age = timedelta(days=6 * (1 - index / len(rows)), minutes=chance.randint(5, 400))
            seconds = round(chance.lognormvariate(3.2, 0.45), 1)
            claimed = now - age
            submitted = claimed + timedelta(seconds=seconds)
            decided = submitted + timedelta(minutes=chance.randint(20, 240)) if state == "accepted" else None
            cursor.execute(
                "UPDATE work_assignment SET claimed_at = %s, submitted_at = %s, decided_at = %s,"
                " auto_accept_at = CASE WHEN state = 'submitted' THEN %s::timestamptz + interval '3 days' END"
                " WHERE id = %s",
                [claimed, submitted, decided and min(decided, now), now, identifier],
            )
            times = {"claimed": claimed, "submitted": submitted, "accepted": decided and min(decided, now)}
            for to, at in times.items():
                if at is None:
                    continue
                cursor.execute(
                    'UPDATE work_move SET at = %s WHERE assignment_id = %s AND "to" = %s', [at, identifier, to]
                )
                facts = {"seconds": seconds} if to == "submitted" else {}
                if to == "accepted":
                    facts = {"review_seconds": (at - submitted).total_seconds()}
                cursor.execute(
                    "UPDATE realtime_event SET at = %s, data = data || %s::jsonb WHERE subject_id = %s AND type = %s",
                    [at, orjson.dumps(facts).decode(), identifier, f"assignment.{to}"],
                )
