"""What must hold when things happen at once: real threads, each with a connection of its own."""

from datetime import timedelta
from io import BytesIO
from threading import Event
from time import monotonic, sleep

import pytest
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from api.ledger.models import Transfer
from api.projects import services
from api.projects.models import Offer, OpenTask, Project, ProjectStats, Version
from api.projects.selectors import unfunded_places
from api.work.errors import NoTaskLeft, ProjectNotOpen
from api.work.models import Assignment
from api.work.services.claim import claim_next
from api.work.services.handback import expire_overdue, return_assignment
from tests.factories import make_user
from tests.projects.build import draft, escrow_of, give_money, published, purse_left


def owed(project: Project) -> int:
    """What the escrow must hold: open places at today's price, claimed ones at theirs."""
    price = Project.objects.get(id=project.id).published.reward
    free = OpenTask.objects.filter(project=project).aggregate(sum=Sum("free"))["sum"] or 0
    live = Assignment.objects.filter(project=project, state="claimed").aggregate(sum=Sum("reward"))["sum"] or 0
    return free * price + live


def test_two_publish_at_once_and_fund_once(together) -> None:
    owner = make_user("Owner")
    give_money(owner, 1000)
    project = draft(owner)

    def publish():
        return services.publish_project(project_id=project.id, by=owner).state

    assert together(*[publish] * 4) == ["published"] * 4
    assert (escrow_of(project), purse_left(owner)) == (60, 940)
    assert Transfer.objects.filter(kind="fund").count() == 1
    assert OpenTask.objects.aggregate(sum=Sum("free"))["sum"] == 6


def test_two_edits_at_once_make_one_draft(together) -> None:
    owner = make_user("Owner")
    project = published(owner)

    def edit(**fields):
        return lambda: services.edit_project(project_id=project.id, by=owner, fields=fields).id

    together(edit(title="Geese"), edit(summary="Honk"), edit(instructions="Look."))
    made = Version.objects.get(project=project, number=2)
    assert (made.title, made.summary, made.instructions) == ("Geese", "Honk", "Look.")


def claims(project: Project, workers: int, each: int):
    """One function for each worker, who claims until nothing is left for them."""

    def run(worker):
        def go():
            taken = []
            try:
                for _ in range(each):
                    taken.append(claim_next(worker_id=worker.id, project_id=project.id))
            except (NoTaskLeft, ProjectNotOpen):
                pass
            return taken

        return go

    return [run(make_user(f"worker {n}")) for n in range(workers)]


@pytest.mark.parametrize("reward", [25, 3])
def test_a_new_price_while_workers_claim_keeps_every_place_funded(together, settings, reward) -> None:
    settings.HOLD_LIMIT = 1000
    owner = make_user("Owner")
    project = published(owner, money=50_000, tasks=60)
    services.edit_project(project_id=project.id, by=owner, fields={"reward": {"amount": reward, "currency": "USD"}})
    results = together(
        *claims(project, workers=6, each=15),
        lambda: services.publish_project(project_id=project.id, by=owner).state,
    )
    assert results[-1] == "published"
    taken = [claim for result in results[:-1] for claim in result]
    assert Assignment.objects.count() == len(taken)
    assert {claim.reward for claim in taken} <= {10, reward}
    assert escrow_of(project) == owed(project)
    for assignment in Assignment.objects.all()[:30]:
        return_assignment(assignment_id=assignment.id, worker=assignment.worker)
    assert escrow_of(project) == owed(project)


def test_closing_while_workers_claim_and_return_leaves_what_is_claimed(together, settings) -> None:
    settings.HOLD_LIMIT = 1000
    owner = make_user("Owner")
    project = published(owner, money=50_000, tasks=60)
    early = [claim_next(worker_id=make_user().id, project_id=project.id) for _ in range(8)]

    def give_back(claim):
        assignment = Assignment.objects.get(id=claim.id)
        return lambda: return_assignment(assignment_id=claim.id, worker=assignment.worker).state

    together(
        *claims(project, workers=4, each=20),
        lambda: services.close_project(project_id=project.id, by=owner).state,
        *[give_back(claim) for claim in early],
    )
    assert not OpenTask.objects.exists()
    assert escrow_of(project) == owed(project)
    assert purse_left(owner) == 50_000 - escrow_of(project)
    for assignment in Assignment.objects.filter(state="claimed"):
        return_assignment(assignment_id=assignment.id, worker=assignment.worker)
    assert (escrow_of(project), purse_left(owner)) == (0, 50_000)
    while services.roll_up():
        pass
    stats = ProjectStats.objects.annotate(rest=F("funded")).get()
    assert (stats.open_places, stats.claimed, stats.funded) == (0, 0, 0)


def test_places_that_come_back_without_money_while_the_project_resumes_are_not_lost(together) -> None:
    """The requester has money for the one place that waits, not for the five that join it meanwhile."""
    owner, workers = make_user("Owner"), [make_user(f"Worker {n}") for n in range(6)]
    project = published(owner, money=60)
    first, *others = (claim_next(worker_id=each.id, project_id=project.id) for each in workers)
    services.edit_project(project_id=project.id, by=owner, fields={"reward": {"amount": 50, "currency": "USD"}})
    services.publish_project(project_id=project.id, by=owner)
    return_assignment(assignment_id=first.id, worker=workers[0])
    services.pause_project(project_id=project.id, by=owner)
    assert (unfunded_places(project.id), purse_left(owner)) == (1, 10)
    long_ago = timezone.now() - timedelta(hours=1)
    Assignment.objects.filter(id__in=[each.id for each in others]).update(expires_at=long_ago)
    expired = Event()

    def expire():
        with transaction.atomic():
            assert expire_overdue() == 5
            expired.set()
            sleep(0.5)

    def resume():
        assert expired.wait(10)
        services.resume_project(project_id=project.id, by=owner)

    assert together(expire, resume) == [None, None]
    free = OpenTask.objects.filter(project=project).aggregate(sum=Sum("free"))["sum"] or 0
    assert free + unfunded_places(project.id) == 6
    assert escrow_of(project) == owed(project)


@pytest.mark.parametrize("act", ["import", "close"])
def test_long_work_on_places_holds_up_nobodys_numbers(together, act) -> None:
    owner = make_user("Owner")
    project = published(owner)
    claim_next(worker_id=make_user("Worker").id, project_id=project.id)
    held, rolled = Event(), Event()

    def hold():
        """Makes who imports, or closes, wait in the middle of the project's places."""
        with transaction.atomic():
            first = OpenTask.objects.select_for_update().filter(project=project).order_by("position").first()
            OpenTask.objects.create(project=project, position=3, task_id=first.task_id, free=1)
            held.set()
            assert rolled.wait(20)
            transaction.set_rollback(True)

    def long():
        assert held.wait(10)
        if act == "close":
            services.close_project(project_id=project.id, by=owner)
        else:
            stream = BytesIO(b'{"input": {"name": "duck"}}\n')
            services.import_tasks(project_id=project.id, by=owner, stream=stream, format="jsonl")

    def roll():
        try:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            deadline = monotonic() + 10
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
                while cursor.execute(waiting) or cursor.fetchone() == (0,):
                    assert monotonic() < deadline
                    sleep(0.02)
            return services.roll_up()
        finally:
            rolled.set()

    assert together(hold, long, roll) == [None, None, 1]
    while services.roll_up():
        pass
    free = OpenTask.objects.filter(project=project).aggregate(sum=Sum("free"))["sum"] or 0
    stats = ProjectStats.objects.get()
    assert (stats.claimed, stats.open_places, free) == (1, *([0, 0] if act == "close" else [7, 7]))
    assert Offer.objects.filter(last_position=3, open_places=7).count() == (act == "import")
