"""Collectives over HTTP."""

import pytest

from api.collectives.errors import Denied, LastOwner
from api.collectives.models import Collective, Membership
from api.collectives.selectors import own_memberships
from api.collectives.services import ACTIONS, close_account, govern, permitted

pytestmark = pytest.mark.django_db
BASE = "/api/v1/collectives"


@pytest.fixture
def owner(make_user):
    return make_user("Owner")


@pytest.fixture
def guild(owner, make_user) -> Collective:
    guild = Collective.objects.create(name="Guild")
    Membership.objects.create(collective=guild, user=owner, role="owner")
    Membership.objects.create(collective=guild, user=make_user("Ana"), role="member")
    return guild


def test_mine_with_my_role(api, owner, guild, make_user) -> None:
    Membership.objects.create(collective_id=make_user("Bo").id, user=owner, role="member")
    seen = {each["name"]: (each["kind"], each["role"]) for each in api(owner).get(BASE).json()}
    assert seen == {"Owner": ("solo", "owner"), "Guild": ("group", "owner"), "Bo": ("solo", "member")}


def test_a_former_member_sees_it_no_more(api, owner, guild) -> None:
    ana = Membership.objects.get(collective=guild, role="member")
    assert api(ana.user).get(f"{BASE}/{guild.id}").json()["role"] == "member"
    ana.until = ana.since
    ana.save()
    assert api(ana.user).get(f"{BASE}/{guild.id}").status_code == 404
    assert [each["name"] for each in api(owner).get(f"{BASE}/{guild.id}/members").json()] == ["Owner"]


def test_strangers_find_nothing(api, guild, make_user) -> None:
    stranger = api(make_user("Stranger"))
    for path in ("", "/members"):
        assert stranger.get(f"{BASE}/{guild.id}{path}").status_code == 404
    assert stranger.patch(f"{BASE}/{guild.id}", {"name": "Mine"}).status_code == 404


def test_members_newest_first(api, owner, guild) -> None:
    members = api(owner).get(f"{BASE}/{guild.id}/members").json()
    assert [(each["name"], each["role"]) for each in members] == [("Ana", "member"), ("Owner", "owner")]
    assert "email" not in members[0]


def test_an_owner_renames_and_a_member_is_denied(api, owner, guild) -> None:
    assert api(owner).patch(f"{BASE}/{guild.id}", {"name": "Hall of ducks"}).json()["name"] == "Hall of ducks"
    member = Membership.objects.get(collective=guild, role="member").user
    denied = api(member).patch(f"{BASE}/{guild.id}", {"name": "Mine"})
    assert (denied.status_code, denied.json()["code"]) == (403, "denied")
    assert api(owner).patch(f"{BASE}/{guild.id}", {"kind": "hall"}).json()["errors"][0]["code"] == "unknown_field"


def test_lists_take_few_queries(api, owner, guild, make_user, django_assert_max_num_queries) -> None:
    for n in range(20):
        Membership.objects.create(collective=guild, user=make_user(f"u{n}"), role="member")
    client = api(owner)
    for path in (BASE, f"{BASE}/{guild.id}/members"):
        with django_assert_max_num_queries(3):
            client.get(path)


def test_what_is_permitted_is_what_govern_lets_pass(owner, guild) -> None:
    member = Membership.objects.get(collective=guild, role="member").user

    class Subject:
        collective_id = guild.id

    for user in (owner, member):
        shown = permitted(actor=user, actions=[*ACTIONS, "rob.bank"], collective_ids=[guild.id])[guild.id]
        for action in [*ACTIONS, "rob.bank"]:
            try:
                govern(actor=user, action=action, subject=Subject())
                passed = True
            except Denied:
                passed = False
            assert (action in shown) == passed


def test_ones_own_collective_follows_ones_name(api, owner) -> None:
    refused = api(owner).patch(f"{BASE}/{owner.id}", {"name": "Other"})
    assert (refused.status_code, refused.json()["code"]) == (409, "follows_user")


def test_closing_an_account_leaves_groups_that_keep_an_owner(owner, guild) -> None:
    with pytest.raises(LastOwner) as error:
        close_account(owner, False)
    assert error.value.extra["collectives"] == [{"id": str(guild.id), "name": "Guild"}]
    Membership.objects.filter(collective=guild, role="member").update(role="owner")
    close_account(owner, False)
    assert [each.collective_id for each in Membership.objects.filter(user=owner, until=None)] == [owner.id]
    assert Collective.objects.get(id=owner.id).closed_at
    assert {each["name"] for each in own_memberships(owner)} == {"Guild", "Owner"}
