"""Drafts, versions, publishing and closing, with the money they move."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from api.collectives.errors import Denied
from api.collectives.models import Membership
from api.core.errors import Invalid, NotAllowed, NotFound
from api.ledger.errors import InsufficientFunds
from api.ledger.models import Transfer
from api.projects import errors, selectors, services
from api.projects.models import (
    Batch,
    OpenTask,
    Project,
    ProjectStats,
    Task,
    UnfundedPlace,
    Version,
)
from api.projects.services import places
from api.projects.services.checks import MOST_CHECKED
from api.realtime.models import Event
from tests.projects.build import INTERFACE, add_tasks, draft, escrow_of, give_money, published, purse_left

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(make_user):
    return make_user("Owner")


def codes(error: pytest.ExceptionInfo) -> set[tuple[str, str]]:
    return {(each.field, each.code) for each in error.value.errors}


def events() -> list[str]:
    return list(Event.objects.order_by("id").values_list("type", flat=True))


class TestDrafts:
    def test_a_title_is_enough(self, owner) -> None:
        project = services.create_project(by=owner, fields={"title": "Ducks"})
        assert project.state == "draft"
        assert project.collective_id == owner.id
        assert project.draft.number == 1
        assert project.published is None
        assert project.stats.tasks == 0

    def test_a_collective_of_others_is_not_found(self, owner, make_user) -> None:
        with pytest.raises(Invalid) as error:
            services.create_project(by=owner, fields={"title": "x"}, collective_id=make_user().id)
        assert codes(error) == {("collective", "not_found")}

    def test_a_member_who_is_not_an_owner_is_denied(self, owner, make_user) -> None:
        member = make_user("Member")
        Membership.objects.create(collective_id=owner.id, user=member, role="member")
        with pytest.raises(Denied):
            services.create_project(by=member, fields={"title": "x"}, collective_id=owner.id)
        project = draft(owner)
        for act in (services.publish_project, services.close_project, services.delete_project):
            with pytest.raises(Denied):
                act(project_id=project.id, by=member)

    def test_a_stranger_finds_no_draft_and_may_not_manage_what_is_published(self, owner, make_user) -> None:
        stranger = make_user("Stranger")
        project = draft(owner)
        with pytest.raises(NotFound):
            services.edit_project(project_id=project.id, by=stranger, fields={"title": "Mine"})
        give_money(owner, 60)
        services.publish_project(project_id=project.id, by=owner)
        with pytest.raises(NotAllowed):
            services.pause_project(project_id=project.id, by=stranger)

    def test_documents_are_checked_when_saved_but_may_be_half_made(self, owner) -> None:
        project = draft(owner)
        with pytest.raises(Invalid) as error:
            services.edit_project(
                project_id=project.id, by=owner, fields={"answer_schema": {"type": "object", "required": 7}}
            )
        assert error.value.errors[0].field == "answer_schema.required"
        services.edit_project(project_id=project.id, by=owner, fields={"interface": {"kind": "elements"}})

    def test_the_currency_follows_the_reward_until_it_is_published(self, owner) -> None:
        project = draft(owner)
        euro = {"reward": {"amount": 5, "currency": "EUR"}}
        assert services.edit_project(project_id=project.id, by=owner, fields=euro).currency == "EUR"
        project = published(owner)
        with pytest.raises(Invalid) as error:
            services.edit_project(project_id=project.id, by=owner, fields=euro)
        assert codes(error) == {("reward.currency", "fixed")}

    def test_a_draft_is_deleted_with_all_it_has_and_what_was_published_is_not(self, owner) -> None:
        project = draft(owner)
        services.delete_project(project_id=project.id, by=owner)
        for model in (Project, Version, Task, Batch, ProjectStats):
            assert not model.objects.exists()
        with pytest.raises(errors.NotADraft):
            services.delete_project(project_id=published(owner).id, by=owner)

    def test_tasks_and_batches_of_a_draft_can_be_deleted(self, owner) -> None:
        project = draft(owner, tasks=3)
        services.delete_task(task_id=Task.objects.first().id, by=owner)
        assert ProjectStats.objects.get().tasks == 2
        add_tasks(project, 4)
        services.delete_batch(batch_id=Batch.objects.order_by("id").first().id, by=owner)
        assert ProjectStats.objects.get().tasks == Task.objects.count() == 4
        give_money(owner, 1000)
        services.publish_project(project_id=project.id, by=owner)
        assert OpenTask.objects.count() == 4
        with pytest.raises(errors.NotADraft):
            services.delete_task(task_id=Task.objects.first().id, by=owner)
        with pytest.raises(errors.NotADraft):
            services.delete_batch(batch_id=Batch.objects.first().id, by=owner)


class TestFirstPublication:
    def test_opens_every_place_and_moves_the_whole_cost_into_escrow(self, owner, settings) -> None:
        settings.FEE_BPS = 250
        give_money(owner, 1000)
        project = draft(owner, tasks=3)
        project = services.publish_project(project_id=project.id, by=owner)
        assert project.state == "published"
        assert (project.published.number, project.draft) == (1, None)
        assert (project.assignments_per_task, project.fee_bps) == (2, 250)
        assert [row.free for row in OpenTask.objects.all()] == [2, 2, 2]
        # The fee of 2.5 % on 10 is rounded up to 1 for each assignment.
        assert (escrow_of(project), purse_left(owner)) == (66, 934)
        assert (project.stats.open_places, project.stats.funded) == (6, 66)
        assert events() == ["project.published"]

    def test_takes_the_schemas_from_the_elements(self, owner) -> None:
        version = published(owner).published
        assert version.input_schema["required"] == ["name"]
        assert version.answer_schema["properties"]["label"]["enum"] == ["1", "0"]

    def test_twice_is_the_same_as_once(self, owner) -> None:
        project = published(owner)
        again = services.publish_project(project_id=project.id, by=owner)
        assert again.published_id == project.published_id
        assert (escrow_of(project), events()) == (60, ["project.published"])

    def test_says_all_that_is_missing(self, owner) -> None:
        project = services.create_project(by=owner, fields={"title": "Ducks"})
        with pytest.raises(errors.NotReady) as error:
            services.publish_project(project_id=project.id, by=owner)
        assert codes(error) == {("reward", "required"), ("interface", "required"), ("tasks", "required")}

    def test_an_interface_that_does_not_fit_the_schemas_is_refused(self, owner) -> None:
        schema = {"type": "object", "properties": {"other": {"type": "string"}}}
        project = draft(owner, answer_schema=schema)
        with pytest.raises(errors.NotReady) as error:
            services.publish_project(project_id=project.id, by=owner)
        assert any(each.field.startswith("interface.elements.1") for each in error.value.errors)

    def test_a_purse_that_is_short_changes_nothing(self, owner) -> None:
        give_money(owner, 59)
        project = draft(owner)
        with pytest.raises(InsufficientFunds) as error:
            services.publish_project(project_id=project.id, by=owner)
        assert error.value.extra["missing"] == {"amount": 1, "currency": "USD"}
        project.refresh_from_db()
        assert (project.state, purse_left(owner)) == ("draft", 59)
        assert not OpenTask.objects.exists()
        assert not events()

    def test_tasks_that_no_longer_fit_are_refused_and_named(self, owner) -> None:
        give_money(owner, 1000)
        project = draft(owner)
        add_tasks(project, 1, {"title": "not a name"})
        schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        project = services.edit_project(
            project_id=project.id, by=owner, fields={"input_schema": {**schema, "minProperties": 1}}
        )
        assert project.inputs_unchecked
        with pytest.raises(errors.NotReady) as error:
            services.publish_project(project_id=project.id, by=owner)
        assert codes(error) == {("input_schema", "tasks_do_not_fit")}
        assert "'t3' (number 4)" in error.value.errors[0].detail
        Task.objects.filter(key="t3").update(input={"name": "now it has one"})
        assert not services.publish_project(project_id=project.id, by=owner).inputs_unchecked

    def test_too_many_tasks_are_not_checked_again(self, owner) -> None:
        project = draft(owner)
        ProjectStats.objects.update(tasks=MOST_CHECKED + 1)
        schema = {"type": "object", "minProperties": 1, "properties": {"name": {"type": "string"}}}
        services.edit_project(project_id=project.id, by=owner, fields={"input_schema": schema})
        with pytest.raises(errors.NotReady) as error:
            services.publish_project(project_id=project.id, by=owner)
        assert codes(error) == {("input_schema", "too_many_tasks")}


class TestVersions:
    def test_an_edit_makes_a_new_version_and_leaves_the_published_one(self, owner) -> None:
        project = published(owner)
        edited = services.edit_project(project_id=project.id, by=owner, fields={"title": "Geese"})
        assert (edited.draft.number, edited.draft.title) == (2, "Geese")
        assert (edited.published.title, edited.title) == ("Ducks", "Ducks")
        assert edited.draft.interface == edited.published.interface
        again = services.edit_project(project_id=project.id, by=owner, fields={"summary": "Honk"})
        assert again.draft_id == edited.draft_id
        done = services.publish_project(project_id=project.id, by=owner)
        assert (done.title, done.published.number, done.draft) == ("Geese", 2, None)
        assert escrow_of(project) == 60

    def test_a_discarded_draft_is_gone_and_its_number_free(self, owner) -> None:
        project = published(owner)
        services.edit_project(project_id=project.id, by=owner, fields={"title": "Geese"})
        for _ in range(2):
            assert services.discard_draft(project_id=project.id, by=owner).draft is None
        edited = services.edit_project(project_id=project.id, by=owner, fields={"title": "Swans"})
        assert edited.draft.number == 2

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE projects_version SET reward = 1 WHERE id = %s",
            "UPDATE projects_version SET published_at = NULL WHERE id = %s",
            "DELETE FROM projects_version WHERE id = %s",
        ],
    )
    def test_the_database_keeps_a_published_version(self, owner, sql) -> None:
        version = published(owner).published
        with (
            pytest.raises(DatabaseError, match="is published and never changes"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, [version.id])
        services.edit_project(project_id=version.project_id, by=owner, fields={"summary": "a draft may change"})

    def test_the_number_of_assignments_stays(self, owner) -> None:
        project = published(owner)
        services.edit_project(project_id=project.id, by=owner, fields={"assignments_per_task": 3})
        with pytest.raises(errors.NotReady) as error:
            services.publish_project(project_id=project.id, by=owner)
        assert codes(error) == {("assignments_per_task", "fixed")}

    @pytest.mark.parametrize(("reward", "escrow"), [(25, 5 * 25 + 10), (4, 5 * 4 + 10)])
    def test_a_new_price_is_paid_for_open_places_only(self, owner, reward, escrow) -> None:
        project = published(owner)
        place = OpenTask.objects.first()
        place.free = 1  # The other is claimed at 10.
        place.save()
        services.edit_project(project_id=project.id, by=owner, fields={"reward": {"amount": reward, "currency": "USD"}})
        project = services.publish_project(project_id=project.id, by=owner)
        assert escrow_of(project) == escrow
        assert purse_left(owner) == 1000 - escrow
        assert ProjectStats.objects.get().funded == escrow

    def test_a_raise_the_purse_cannot_pay_is_refused(self, owner) -> None:
        project = published(owner, money=100)
        services.edit_project(project_id=project.id, by=owner, fields={"reward": {"amount": 20, "currency": "USD"}})
        with pytest.raises(InsufficientFunds):
            services.publish_project(project_id=project.id, by=owner)
        project.refresh_from_db()
        assert project.published.number == 1
        assert escrow_of(project) == 60

    def test_a_new_price_changes_the_measured_wage(self, owner) -> None:
        project = published(owner)
        ProjectStats.objects.update(median_seconds=36, hourly_wage=1000)
        services.edit_project(project_id=project.id, by=owner, fields={"reward": {"amount": 20, "currency": "USD"}})
        assert services.publish_project(project_id=project.id, by=owner).stats.hourly_wage == 2000

    def test_a_changed_input_schema_is_checked_against_the_tasks(self, owner) -> None:
        project = published(owner)
        schema = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 2}}}
        services.edit_project(project_id=project.id, by=owner, fields={"input_schema": schema})
        with pytest.raises(errors.NotReady) as error:
            services.publish_project(project_id=project.id, by=owner)
        assert codes(error) == {("input_schema", "tasks_do_not_fit")}


class TestStates:
    def test_pause_and_resume(self, owner) -> None:
        project = published(owner)
        for _ in range(2):
            assert services.pause_project(project_id=project.id, by=owner).state == "paused"
        services.edit_project(project_id=project.id, by=owner, fields={"title": "Geese"})
        assert services.publish_project(project_id=project.id, by=owner).state == "paused"
        with pytest.raises(errors.NothingToPublish):
            services.publish_project(project_id=project.id, by=owner)
        for _ in range(2):
            assert services.resume_project(project_id=project.id, by=owner).state == "published"
        assert events() == [
            "project.published", "project.paused", "project.published", "project.resumed"
        ]  # fmt: skip

    def test_a_draft_is_not_paused_resumed_or_closed(self, owner) -> None:
        project = draft(owner)
        for act in (services.pause_project, services.resume_project, services.close_project):
            with pytest.raises(errors.WrongState):
                act(project_id=project.id, by=owner)

    def test_closing_gives_the_money_of_open_places_back(self, owner) -> None:
        project = published(owner)
        OpenTask.objects.filter(position=0).delete()  # Both places claimed: they stay funded.
        for _ in range(2):
            closed = services.close_project(project_id=project.id, by=owner)
            assert (closed.state, escrow_of(project), purse_left(owner)) == ("closed", 20, 980)
        assert not OpenTask.objects.exists()
        assert closed.closed_at
        assert ProjectStats.objects.get().funded == 20
        for act in (services.publish_project, services.pause_project, services.resume_project):
            with pytest.raises((errors.ProjectClosed, errors.WrongState)):
                act(project_id=project.id, by=owner)
        with pytest.raises(errors.ProjectClosed):
            services.edit_project(project_id=project.id, by=owner, fields={"title": "x"})


class TestQuote:
    def test_of_a_draft(self, owner, settings) -> None:
        settings.FEE_BPS = 1000
        give_money(owner, 50)
        project = draft(owner, expected_minutes=0.5)
        quote = services.quote(project_id=project.id, by=owner)
        assert (quote.tasks, quote.assignments, quote.reward, quote.fee, quote.total) == (3, 6, 10, 6, 66)
        assert (quote.purse, quote.missing, quote.hourly_wage, quote.problems) == (50, 16, 1200, [])
        give_money(owner, 16)
        services.publish_project(project_id=project.id, by=owner)
        assert purse_left(owner) == 0

    def test_of_a_new_price_is_what_moves(self, owner) -> None:
        project = published(owner)
        assert services.quote(project_id=project.id, by=owner).total == 0
        for reward, total in ((12, 12), (7, -18)):
            services.edit_project(
                project_id=project.id, by=owner, fields={"reward": {"amount": reward, "currency": "USD"}}
            )
            assert services.quote(project_id=project.id, by=owner).total == total

    def test_counts_no_big_table(self, owner, django_assert_max_num_queries) -> None:
        project = draft(owner)
        with django_assert_max_num_queries(3):
            services.quote(project_id=project.id, by=owner)


class TestPlaces:
    """`free_places` with assignments that were claimed at 10."""

    def freed(self, project: Project, position: int = 0, reward: int = 10) -> places.Freed:
        task = Task.objects.get(project=project, position=position)
        return places.Freed(Task().id, position, task.id, reward)

    def claim(self, project: Project, position: int = 0) -> None:
        OpenTask.objects.filter(project=project, position=position).delete()

    def reprice(self, project: Project, owner, reward: int) -> Project:
        services.edit_project(project_id=project.id, by=owner, fields={"reward": {"amount": reward, "currency": "USD"}})
        return services.publish_project(project_id=project.id, by=owner)

    def test_opens_again_and_is_marked(self, owner) -> None:
        project = published(owner)
        self.claim(project)
        assert places.free_places(project=project, freed=[self.freed(project), self.freed(project)]) == 2
        place = OpenTask.objects.get(position=0)
        assert place.free == 2
        assert place.reopened
        assert places.free_places(project=project, freed=[]) == 0
        assert escrow_of(project) == 60

    def test_opens_beside_places_that_are_left(self, owner) -> None:
        project = published(owner)
        OpenTask.objects.filter(position=1).update(free=1)
        places.free_places(project=project, freed=[self.freed(project, 1)])
        place = OpenTask.objects.get(position=1)
        assert (place.free, place.reopened is not None) == (2, True)

    def test_money_of_a_closed_project_goes_back(self, owner) -> None:
        project = published(owner)
        self.claim(project)
        project = services.close_project(project_id=project.id, by=owner)
        assert places.free_places(project=project, freed=[self.freed(project), self.freed(project)]) == 0
        assert (escrow_of(project), purse_left(owner)) == (0, 1000)
        assert not OpenTask.objects.exists()
        assert Event.objects.get(type="escrow.changed").data["funded"] == -20

    @pytest.mark.parametrize(("reward", "cost"), [(15, 5), (6, -4)])
    def test_a_changed_price_is_settled_with_the_purse(self, owner, reward, cost) -> None:
        project = published(owner)
        self.claim(project)
        project = self.reprice(project, owner, reward)
        before = purse_left(owner)
        assert places.free_places(project=project, freed=[self.freed(project)]) == 1
        assert purse_left(owner) == before - cost
        # One place is still claimed at 10; five are open.
        assert escrow_of(project) == 5 * reward + 10

    def test_a_place_the_purse_cannot_pay_for_waits_until_it_can(self, owner) -> None:
        project = published(owner, money=60 + 4 * 10)
        self.claim(project)
        project = self.reprice(project, owner, 20)
        assert purse_left(owner) == 0
        both = [self.freed(project), self.freed(project)]
        assert places.free_places(project=project, freed=both) == 0
        assert (purse_left(owner), escrow_of(project)) == (20, 80)
        assert UnfundedPlace.objects.get().places == 2
        assert services.quote(project_id=project.id, by=owner).unfunded_places == 2

        services.pause_project(project_id=project.id, by=owner)
        services.resume_project(project_id=project.id, by=owner)
        assert UnfundedPlace.objects.exists()

        give_money(owner, 20)
        services.pause_project(project_id=project.id, by=owner)
        services.resume_project(project_id=project.id, by=owner)
        assert not UnfundedPlace.objects.exists()
        assert OpenTask.objects.get(position=0).free == 2
        assert (purse_left(owner), escrow_of(project)) == (0, 120)
        assert Event.objects.get(type="place.reopened").data["places"] == 2

    def test_a_cheaper_place_pays_for_a_dearer_one(self, owner) -> None:
        project = published(owner)
        OpenTask.objects.all().delete()
        give = purse_left(owner)
        before = Transfer.objects.count()
        freed = [self.freed(project, 0, reward=5), self.freed(project, 1, reward=15)]
        assert places.free_places(project=project, freed=freed) == 2
        assert purse_left(owner) == give
        assert Transfer.objects.count() == before + 2

    def test_many_places_take_few_queries(self, owner, django_assert_max_num_queries) -> None:
        project = published(owner, money=10_000, tasks=50)
        OpenTask.objects.all().delete()
        freed = [self.freed(project, n) for n in range(50)]
        with django_assert_max_num_queries(5):
            assert places.free_places(project=project, freed=freed) == 50
        project = services.close_project(project_id=project.id, by=owner)
        freed = [self.freed(project, n) for n in range(25)]
        with django_assert_max_num_queries(11):
            places.free_places(project=project, freed=freed)


def test_adding_tasks_to_a_published_project_funds_them(owner) -> None:
    project = published(owner)
    with transaction.atomic():
        assert services.fund_places(project=project, places=4, by=owner, key="import:x") == 40
    assert escrow_of(project) == 100
    with pytest.raises(InsufficientFunds), transaction.atomic():
        services.fund_places(project=project, places=1000, by=owner, key="import:y")
    with pytest.raises(ValueError, match="never published"):
        services.fund_places(project=draft(owner), places=1, by=owner, key="import:z")


def test_durations_and_the_rest_arrive_as_given(owner) -> None:
    fields = {
        "claim_lasts": timedelta(minutes=5),
        "keywords": ["a", "b"],
        "max_tasks_per_worker": 3,
        "expected_minutes": 0.5,
        "interface": INTERFACE,
    }
    project = draft(owner)
    version = services.edit_project(project_id=project.id, by=owner, fields=fields).draft
    assert {name: getattr(version, name) for name in fields} == fields
    with pytest.raises(ValueError, match="No version has state"):
        services.edit_project(project_id=project.id, by=owner, fields={"state": "published"})


class TestClosingAnAccount:
    def test_waits_until_nothing_is_open_or_owed(self, owner) -> None:
        project = published(owner)
        draft(owner)
        with pytest.raises(errors.WorkOpen) as error:
            services.refuse_open_projects(owner, True)
        assert error.value.extra["projects"] == [{"id": str(project.id), "title": "Ducks"}]
        OpenTask.objects.filter(position=0).delete()  # Two places claimed: the closed project still owes for them.
        services.close_project(project_id=project.id, by=owner)
        with pytest.raises(errors.WorkOpen):
            services.refuse_open_projects(owner, True)
        freed = places.Freed(project.id, 0, project.id, 20)
        places.free_places(project=Project.objects.get(id=project.id), freed=[freed])
        assert escrow_of(project) == 0
        services.refuse_open_projects(owner, False)

    def test_own_projects_can_be_taken_out(self, owner, make_user) -> None:
        published(make_user())
        project = published(owner)
        services.edit_project(project_id=project.id, by=owner, fields={"title": "Geese"})
        (taken,) = selectors.own_projects(owner)
        assert (taken["id"], taken["title"]) == (project.id, "Ducks")
        assert [(each["number"], each["title"], each["claim_lasts"]) for each in taken["versions"]] == [
            (1, "Ducks", 900),
            (2, "Geese", 900),
        ]
        assert [each["added"] for each in selectors.own_batches(owner)] == [3]
