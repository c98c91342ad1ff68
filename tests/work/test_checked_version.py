"""An answer is checked against the version that was claimed, whichever the process has seen last."""

import pytest

from api.work import errors, services
from api.work.models import Assignment, State
from api.work.services import submit
from tests.work.build import published_project

NUMBER = {
    "type": "object",
    "properties": {"count": {"type": "integer"}},
    "required": ["count"],
    "additionalProperties": False,
}


@pytest.fixture
def held(make_user):
    """One assignment of each of two projects, whose schemas take nothing of each other's."""
    submit._latest.clear()
    owner, worker = make_user("Owner"), make_user("Worker")
    ducks = published_project(owner, tasks=9)
    counts = published_project(owner, tasks=9, answer_schema=NUMBER)

    def claim(project):
        return services.claim_next(worker_id=worker.id, project_id=project.id).id

    def hand_in(assignment_id, answer):
        return services.submit_answer(assignment_id=assignment_id, worker_id=worker.id, answer=answer)

    return worker, lambda: claim(ducks), lambda: claim(counts), hand_in


@pytest.mark.django_db
def test_answers_to_two_projects_in_turn(held) -> None:
    _, duck, count, hand_in = held
    for number in range(3):
        for assignment_id, answer in ((duck(), {"label": "duck"}), (count(), {"count": number})):
            done = hand_in(assignment_id, answer)
            stored = Assignment.objects.get(id=assignment_id)
            assert (stored.state, stored.answer) == (State.SUBMITTED, answer)
            assert (done.version_id, done.project_id) == (stored.version_id, stored.project_id)


@pytest.mark.django_db
@pytest.mark.parametrize("before", ["nothing", "this project", "the other project"])
def test_an_answer_that_only_the_other_version_takes_is_refused(held, before) -> None:
    _, duck, count, hand_in = held
    if before == "this project":
        hand_in(duck(), {"label": "duck"})
    elif before == "the other project":
        hand_in(count(), {"count": 1})
    assignment_id = duck()
    with pytest.raises(errors.InvalidAnswer) as refused:
        hand_in(assignment_id, {"count": 1})
    assert len(refused.value.errors) == 2, "the label is missing, and the count is not known"
    stored = Assignment.objects.get(id=assignment_id)
    assert (stored.state, stored.answer) == (State.CLAIMED, None)
    hand_in(assignment_id, {"label": "duck"})


@pytest.mark.django_db
def test_the_second_answer_of_a_worker_is_one_query(held, django_assert_num_queries) -> None:
    _, duck, _, hand_in = held
    hand_in(duck(), {"label": "duck"})
    assignment_id = duck()
    with django_assert_num_queries(1):
        hand_in(assignment_id, {"label": "duck"})


@pytest.mark.django_db
def test_what_is_remembered_is_bounded(held, monkeypatch) -> None:
    worker, duck, _, hand_in = held
    monkeypatch.setattr(submit, "_LATEST_KEPT", 1)
    submit._latest["somebody else"] = "a version"
    hand_in(duck(), {"label": "duck"})
    assert list(submit._latest) == [worker.id]
