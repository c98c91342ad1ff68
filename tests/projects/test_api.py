"""Projects over HTTP."""

import json
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from api.collectives.models import Collective, Membership
from api.projects import services
from api.projects.models import (
    Batch,
    BatchProblem,
    Project,
    ProjectMinute,
    ProjectStats,
    Task,
)
from api.projects.serializers import tasks_by_state
from api.realtime.models import Event
from tests.projects.build import INTERFACE, draft, escrow_of, give_money, published

pytestmark = pytest.mark.django_db
BASE = "/api/v1/projects"


@pytest.fixture
def owner(make_user):
    return make_user("Owner")


@pytest.fixture
def client(api, owner):
    return api(owner)


def problem(response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def fields_of(response) -> dict[str, str]:
    return {each["field"]: each["code"] for each in response.json()["errors"]}


class TestMakingAndChanging:
    def test_the_way_of_a_project(self, client, owner) -> None:
        made = client.post(BASE, {"title": "Ducks"})
        assert made.status_code == 201
        project = made.json()
        assert project["state"] == "draft"
        assert project["collective"] == {"id": str(owner.id), "name": "Owner"}
        assert project["draft"]["reward"] == {"amount": 0, "currency": "USD"}
        assert project["draft"]["claim_lasts"] == 900
        assert project["may"] == {
            "edit": True, "delete": True, "import": True, "publish": True,
            "pause": False, "resume": False, "close": False,
        }  # fmt: skip
        address = f"{BASE}/{project['id']}"

        changed = client.patch(
            address,
            {
                "interface": INTERFACE,
                "instructions": "Look **well**.",
                "reward": {"amount": 15, "currency": "USD"},
                "assignments_per_task": 2,
                "claim_lasts": 60,
                "expected_minutes": 0.5,
                "keywords": ["birds", "birds", "images"],
            },
        ).json()["draft"]
        assert changed["instructions_html"] == "<p>Look <strong>well</strong>.</p>\n"
        assert (changed["claim_lasts"], changed["keywords"]) == (60, ["birds", "images"])

        batch = client.post(f"{address}/tasks", "name\nAda\nBob\n", "text/csv")
        assert batch.status_code == 201, batch.content
        assert batch.json()["added"] == 2
        assert batch.json()["funded"] is None

        quote = client.get(f"{address}/quote").json()
        assert quote["total"] == quote["missing"] == {"amount": 60, "currency": "USD"}
        assert quote["hourly_wage"] == {"amount": 1800, "currency": "USD"}
        assert quote["problems"] == []

        short = client.post(f"{address}/publish")
        assert problem(short) == (409, "insufficient_funds")
        assert short.json()["missing"] == {"amount": 60, "currency": "USD"}
        give_money(owner, 100)
        done = client.post(f"{address}/publish").json()
        assert (done["state"], done["version"], done["draft"]) == ("published", 1, None)
        assert done["escrow"] == {"amount": 60, "currency": "USD"}
        assert done["counts"]["open_places"] == 4
        assert done["may"]["pause"]
        assert not done["may"]["publish"]

        more = client.post(f"{address}/tasks", json.dumps([{"input": {"name": "Cid"}, "key": "c"}]))
        assert more.json()["funded"] == {"amount": 30, "currency": "USD"}
        assert problem(client.post(f"{address}/tasks", json.dumps([{"input": {"name": "Dan"}}]))) == (
            409,
            "insufficient_funds",
        )
        assert Task.objects.count() == 3

        assert client.post(f"{address}/pause").json()["state"] == "paused"
        assert client.post(f"{address}/resume").json()["state"] == "published"
        closed = client.post(f"{address}/close").json()
        assert (closed["state"], closed["escrow"]["amount"], closed["spent"]["amount"]) == ("closed", 0, 0)
        assert problem(client.post(f"{address}/tasks", json.dumps([{"input": {"name": "Eve"}}]))) == (
            409,
            "project_closed",
        )

    def test_what_is_wrong_is_told_by_field(self, client) -> None:
        response = client.post(
            BASE,
            {
                "title": "",
                "reward": {"amount": -1, "currency": "usd"},
                "claim_lasts": 29,
                "auto_accept_after": 31 * 86_400,
                "assignments_per_task": 1001,
                "expected_minutes": 0.01,
                "keywords": ["x" * 41],
                "interface": [],
                "colour": "red",
            },
        )
        assert problem(response) == (400, "invalid")
        assert set(fields_of(response)) == {
            "title", "reward.amount", "reward.currency", "claim_lasts", "auto_accept_after", "assignments_per_task",
            "expected_minutes", "keywords.0", "interface", "colour",
        }  # fmt: skip
        assert fields_of(response)["colour"] == "unknown_field"

    def test_publishing_an_incomplete_draft(self, client, owner) -> None:
        project = services.create_project(by=owner, fields={"title": "Ducks"})
        response = client.post(f"{BASE}/{project.id}/publish")
        assert problem(response) == (400, "not_ready")
        assert set(fields_of(response)) == {"reward", "interface", "tasks"}

    def test_check_stores_nothing(self, client) -> None:
        good = client.post(f"{BASE}/check", {"interface": INTERFACE, "instructions": "# Hi"}).json()
        assert good["problems"] == []
        assert good["answer_schema"]["required"] == ["label"]
        assert good["instructions_html"] == "<h1>Hi</h1>\n"
        bad = client.post(
            f"{BASE}/check",
            {"interface": INTERFACE, "answer_schema": {"type": "object", "properties": {"label": {"type": "integer"}}}},
        ).json()
        assert bad["problems"][0]["field"].startswith("interface.elements.1")
        assert not Project.objects.exists()

    def test_delete_and_discard(self, client, owner) -> None:
        project = draft(owner)
        assert client.delete(f"{BASE}/{project.id}").status_code == 204
        assert problem(client.get(f"{BASE}/{project.id}")) == (404, "not_found")
        project = published(owner)
        assert problem(client.delete(f"{BASE}/{project.id}")) == (409, "not_a_draft")
        assert client.patch(f"{BASE}/{project.id}", {"title": "Geese"}).json()["draft"]["number"] == 2
        assert client.delete(f"{BASE}/{project.id}/draft").json()["draft"] is None

    def test_a_key_makes_one_project(self, client) -> None:
        key = {"Idempotency-Key": str(uuid4())}
        one, two = (client.post(BASE, {"title": "Ducks"}, headers=key) for _ in range(2))
        assert one.json() == two.json()
        assert two["Idempotency-Replayed"] == "true"
        assert Project.objects.count() == 1


class TestWhoSees:
    def test_a_stranger_sees_what_was_published_and_no_more(self, api, owner, make_user) -> None:
        stranger = api(make_user("Stranger"))
        hidden = draft(owner)
        project = published(owner)
        assert problem(stranger.get(f"{BASE}/{hidden.id}")) == (404, "not_found")
        assert problem(stranger.post(f"{BASE}/{hidden.id}/publish")) == (404, "not_found")
        seen = stranger.get(f"{BASE}/{project.id}").json()
        assert seen["published"]["answer_schema"]
        for secret in ("draft", "counts", "escrow", "spent", "may"):
            assert secret not in seen
        for path in ("versions", "quote", "tasks", "batches", "progress"):
            assert problem(stranger.get(f"{BASE}/{project.id}/{path}")) == (403, "not_allowed")
            assert problem(stranger.get(f"{BASE}/{hidden.id}/{path}")) == (404, "not_found")
        task, batch = Task.objects.filter(project=project).first(), Batch.objects.get(project=project)
        for path in (f"tasks/{task.id}", f"batches/{batch.id}", f"batches/{batch.id}/problems"):
            assert problem(stranger.get(f"/api/v1/{path}")) == (404, "not_found")
        assert stranger.get(BASE).json() == []

    def test_a_member_sees_and_only_an_owner_acts(self, api, owner, make_user) -> None:
        member = make_user("Member")
        Membership.objects.create(collective_id=owner.id, user=member, role="member")
        client = api(member)
        project = published(owner)
        seen = client.get(f"{BASE}/{project.id}").json()
        assert seen["counts"]["tasks"] == 3
        assert not any(seen["may"].values())
        assert problem(client.post(f"{BASE}/{project.id}/pause")) == (403, "denied")
        assert problem(client.post(f"{BASE}/{project.id}/tasks", "name\nx\n", "text/csv")) == (403, "denied")

    @pytest.mark.parametrize(
        ("method", "path", "scope"),
        [
            ("get", BASE, "projects:read"),
            ("post", BASE, "projects:write"),
            ("get", "/api/v1/collectives", "collectives:read"),
        ],
    )
    def test_scopes(self, api, owner, method, path, scope) -> None:
        assert problem(getattr(api(), method)(path)) == (401, "not_authenticated")
        narrow = api(owner, scopes=["account:read"])
        assert problem(getattr(narrow, method)(path)) == (403, "insufficient_scope")
        assert getattr(api(owner, scopes=[scope]), method)(path).status_code in (200, 400)

    def test_versions(self, api, client, owner, make_user) -> None:
        project = published(owner)
        client.patch(f"{BASE}/{project.id}", {"title": "Geese"})
        assert [each["number"] for each in client.get(f"{BASE}/{project.id}/versions").json()] == [2, 1]
        newer, older = (each["id"] for each in client.get(f"{BASE}/{project.id}/versions").json())
        worker = api(make_user("Worker"), scopes=["work:read"])
        fixed = worker.get(f"/api/v1/versions/{older}")
        assert fixed["Cache-Control"] == "private, max-age=31536000, immutable"
        assert "origin" in fixed["Vary"], "a client on another origin must not be given this copy"
        assert fixed.json()["interface"] == INTERFACE
        assert problem(worker.get(f"/api/v1/versions/{newer}")) == (404, "not_found")
        assert client.get(f"/api/v1/versions/{newer}")["Cache-Control"] == "no-store"


class TestLists:
    def test_filters_and_pages(self, client, owner, api) -> None:
        guild = Collective.objects.create(name="Guild")
        Membership.objects.create(collective=guild, user=owner, role="owner")
        for title in ("Ducks", "Geese", "More ducks"):
            draft(owner, tasks=0, title=title)
        services.create_project(by=owner, fields={"title": "Swans"}, collective_id=guild.id)
        published(owner, title="Open")

        def titles(query: str) -> list[str]:
            return [each["title"] for each in client.get(f"{BASE}?{query}").json()]

        assert titles("") == ["Open", "Swans", "More ducks", "Geese", "Ducks"]
        assert titles("q=duck") == ["More ducks", "Ducks"]
        assert titles("state=published") == ["Open"]
        assert titles(f"collective={guild.id}") == ["Swans"]
        assert problem(client.get(f"{BASE}?state=lost")) == (400, "invalid")
        assert problem(client.get(f"{BASE}?colour=red")) == (400, "invalid")
        first = client.get(f"{BASE}?limit=3")
        following = first["Link"].partition(">")[0][1:].replace("http://testserver", "")
        assert [each["title"] for each in client.get(following).json()] == ["Geese", "Ducks"]
        assert "interface" not in first.json()[1]["draft"]

    def test_a_list_says_of_a_project_what_its_page_says(self, client, owner) -> None:
        draft(owner, keywords=["birds"], max_tasks_per_worker=2, expected_minutes=0.5)
        changed = published(owner, title="Geese", summary="Honk")
        client.patch(f"{BASE}/{changed.id}", {"title": "Swans"})
        services.close_project(project_id=published(owner).id, by=owner)
        ProjectStats.objects.filter(project=changed).update(claimed=1, submitted=2, sent_back=3, accepted=4, funded=90)
        ProjectStats.objects.filter(project=draft(owner, tasks=0)).delete()
        listed = client.get(BASE).json()
        assert len(listed) == 4
        for each in listed:
            page = client.get(f"{BASE}/{each['id']}").json()
            for which in ("draft", "published"):
                page[which] = page[which] and {name: page[which][name] for name in each[which]}
            assert each == {name: page[name] for name in each}
        assert [each["spent"]["amount"] for each in listed] == [0, 0, 30, 0]

    def test_a_list_takes_few_queries_whatever_its_length(self, client, owner, django_assert_max_num_queries) -> None:
        for _ in range(3):
            published(owner)
        client.get(BASE)
        with django_assert_max_num_queries(6):
            assert len(client.get(BASE).json()) == 3
        for _ in range(9):
            draft(owner)
        with django_assert_max_num_queries(6):
            assert len(client.get(BASE).json()) == 12

    @pytest.mark.parametrize("path", ["tasks", "batches", "versions", "progress", "quote"])
    def test_parts_of_a_project_take_few_queries(self, client, owner, path, django_assert_max_num_queries) -> None:
        project = published(owner, money=5000, tasks=60)
        with django_assert_max_num_queries(6):
            assert client.get(f"{BASE}/{project.id}/{path}").status_code == 200

    def test_tasks_in_order_with_their_places(self, client, owner) -> None:
        project = published(owner)
        tasks = client.get(f"{BASE}/{project.id}/tasks?limit=2")
        assert [(each["position"], each["open_places"], each["answers"]) for each in tasks.json()] == [
            (0, 2, 0),
            (1, 2, 0),
        ]
        following = tasks["Link"].partition(">")[0][1:].replace("http://testserver", "")
        assert [each["key"] for each in client.get(following).json()] == ["t2"]
        one = client.get(f"/api/v1/tasks/{tasks.json()[0]['id']}").json()
        assert one == tasks.json()[0]
        assert problem(client.delete(f"/api/v1/tasks/{one['id']}")) == (409, "not_a_draft")


class TestImports:
    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            ("name\nAda\nBob\n", "text/csv"),
            ('{"input": {"name": "Ada"}}\n{"input": {"name": "Bob"}}\n', "application/x-ndjson"),
            ('[{"input": {"name": "Ada"}}, {"input": {"name": "Bob"}}]', "application/json"),
        ],
    )
    def test_formats(self, client, owner, body, content_type) -> None:
        project = draft(owner, tasks=0)
        response = client.post(f"{BASE}/{project.id}/tasks?filename=birds", body, content_type)
        assert response.status_code == 201, response.content
        batch = response.json()
        assert (batch["added"], batch["filename"], batch["state"]) == (2, "birds", "done")
        assert list(Task.objects.order_by("position").values_list("input__name", flat=True)) == ["Ada", "Bob"]
        assert ProjectStats.objects.get().tasks == 2

    def test_a_form_with_a_file(self, client, owner) -> None:
        project = draft(owner, tasks=0)
        file = SimpleUploadedFile("birds.csv", b"name\nAda\n", "application/vnd.ms-excel")
        batch = super(type(client), client).post(f"{BASE}/{project.id}/tasks", {"file": file})
        assert batch.status_code == 201, batch.content
        assert (batch.json()["filename"], batch.json()["format"]) == ("birds.csv", "csv")
        wrong = super(type(client), client).post(f"{BASE}/{project.id}/tasks", {"sheet": "x"})
        assert problem(wrong) == (400, "invalid")

    def test_errors_of_the_whole_file(self, client, owner, settings) -> None:
        project = draft(owner, tasks=0)
        address = f"{BASE}/{project.id}/tasks"
        assert problem(client.post(address, "\n", "text/csv")) == (400, "empty_file")
        assert problem(client.post(address, "x", "image/png")) == (415, "unknown_format")
        assert problem(client.post(f"{address}?delimiter=%23", "name\nAda", "text/csv")) == (400, "invalid")
        settings.IMPORT_MAX_BYTES = 5
        assert problem(client.post(address, "name\nAda\n", "text/csv")) == (413, "too_large")

    def test_bad_lines_refuse_the_file_and_leave_a_report(self, client, owner) -> None:
        project = draft(owner, tasks=0)
        address = f"{BASE}/{project.id}/tasks"
        body = '{"input": {"name": "Ada"}}\n{"input": {"nome": "Bob"}}\n'
        refused = client.post(address, body, "application/x-ndjson")
        assert problem(refused) == (400, "lines_refused")
        batch = refused.json()["batch"]
        assert (batch["state"], batch["added"], batch["rejected"]) == ("refused", 0, 1)
        assert batch["problems"][0]["line"] == 2
        assert not Task.objects.exists()
        assert client.get(f"/api/v1/batches/{batch['id']}").json() == batch
        assert client.get(f"{BASE}/{project.id}/batches").json() == [batch]
        kept = client.post(f"{address}?on_error=keep", body, "application/x-ndjson").json()
        assert (kept["added"], kept["rejected"]) == (1, 1)

    def test_problems_as_a_list_and_as_csv(self, client, owner) -> None:
        project = draft(owner, tasks=1)
        batch = Batch.objects.get()
        BatchProblem.objects.bulk_create(
            BatchProblem(batch=batch, line=n, code="invalid", column="=x", detail="No.") for n in range(150)
        )
        assert len(client.get(f"/api/v1/batches/{batch.id}").json()["problems"]) == 100
        page = client.get(f"/api/v1/batches/{batch.id}/problems?limit=140")
        following = page["Link"].partition(">")[0][1:].replace("http://testserver", "")
        assert [each["line"] for each in client.get(following).json()] == list(range(140, 150))
        text = b"".join(client.get(f"/api/v1/batches/{batch.id}/problems?format=csv")).decode()
        assert text.splitlines()[:2] == ["line,code,column,detail", "0,invalid,'=x,No."]
        assert client.delete(f"/api/v1/batches/{batch.id}").status_code == 204
        assert not Task.objects.filter(project=project).exists()

    def test_a_key_imports_once_and_replays_refusals(self, client, owner) -> None:
        project = draft(owner, tasks=0)
        for body, status in (("name\nAda\n", 201), ("nome\nAda\n", 400), ("\n", 400)):
            key = {"Idempotency-Key": str(uuid4())}
            one, two = (client.post(f"{BASE}/{project.id}/tasks", body, "text/csv", headers=key) for _ in range(2))
            assert one.status_code == two.status_code == status
            assert one.json() == two.json()
            assert two["Idempotency-Replayed"] == "true"
        assert Task.objects.count() == 1
        other = client.post(f"{BASE}/{project.id}/tasks", "name\nBob\n", "text/csv", headers=key)
        assert problem(other) == (422, "idempotency_key_reused")

    def test_a_large_upload_under_a_key(self, client, owner) -> None:
        project = draft(owner, tasks=0)
        body = "name\n" + "".join(f"duck {n}\n" for n in range(150_000))
        assert len(body) > 1_048_576
        key = {"Idempotency-Key": str(uuid4())}
        one, two = (client.post(f"{BASE}/{project.id}/tasks", body, "text/csv", headers=key) for _ in range(2))
        assert one.json()["added"] == 150_000
        assert two.json() == one.json()
        assert Task.objects.count() == 150_000


class TestProgress:
    def test_reads_what_was_rolled_up(self, client, owner) -> None:
        project = published(owner)
        ProjectStats.objects.update(
            open_places=2, claimed=1, submitted=1, accepted=2, rejected=1, workers=3, recent_seconds=[10, 20, 30],
            median_seconds=20, hourly_wage=1800, recent_review_seconds=[60, 120],
            histogram=[0] * 6 + [1, 0, 1, 1] + [0] * 18,
        )  # fmt: skip
        for minute, submitted in ((0, 3), (1, 4), (59, 1)):
            ProjectMinute.objects.create(
                project=project, at=f"2026-01-01T10:{minute:02}:00Z", submitted=submitted, accepted=1
            )
        seen = client.get(f"{BASE}/{project.id}/progress").json()
        assert seen["by"] == "minute"
        assert seen["submitted_over_time"][1] == {"at": "2026-01-01T10:01:00Z", "submitted": 4, "accepted": 1}
        assert seen["tasks_by_state"] == {"open": 1, "in_work": 1, "answered": 0, "done": 1}
        assert sum(seen["tasks_by_state"].values()) == 3
        assert (seen["seconds"]["median"], seen["seconds"]["p10"], seen["seconds"]["p90"]) == (20, 10, 30)
        assert [row["count"] for row in seen["seconds"]["histogram"]] == [1, 0, 1, 1]
        assert seen["hourly_wage"] == {"amount": 1800, "currency": "USD"}
        assert seen["review"] == {"median_seconds": 90.0, "rejection_rate": pytest.approx(1 / 3)}
        assert seen["workers"] == 3
        hours = client.get(f"{BASE}/{project.id}/progress?by=hour").json()["submitted_over_time"]
        assert hours == [{"at": "2026-01-01T10:00:00Z", "submitted": 8, "accepted": 3}]
        assert problem(client.get(f"{BASE}/{project.id}/progress?by=year")) == (400, "invalid")

    @pytest.mark.parametrize("tasks", [0, 1, 2, 7, 100])
    @pytest.mark.parametrize("places", [1, 3])
    def test_shares_add_up_to_all_tasks(self, tasks, places) -> None:
        total = tasks * places
        stats = ProjectStats(
            tasks=tasks, open_places=total - total // 2, submitted=total // 2 - total // 3, accepted=total // 3
        )
        assert sum(tasks_by_state(stats, places).values()) == tasks

    def test_of_a_draft(self, client, owner) -> None:
        seen = client.get(f"{BASE}/{draft(owner).id}/progress").json()
        assert seen["submitted_over_time"] == []
        assert seen["seconds"] == {"median": None, "p10": None, "p90": None, "histogram": []}


def test_events_reach_the_collective(client, owner) -> None:
    project = published(owner)
    client.post(f"{BASE}/{project.id}/close")
    assert [(each.type, each.audience) for each in Event.objects.order_by("id")] == [
        ("project.published", [owner.id]),
        ("project.closed", [owner.id]),
    ]
    assert escrow_of(project) == 0
