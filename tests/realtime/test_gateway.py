"""The gateway, as clients see it: real sockets to a real process on a real database."""

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections, transaction
from oauth2_provider.models import AccessToken

from api.accounts.models import User
from api.collectives.models import Collective, Membership
from api.realtime import outbox
from api.realtime.models import Event
from tests.factories import make_token, make_user
from tests.realtime.sockets import Client, GatewayProcess, Mute, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def tell(*audience: User | Collective, type_: str = "assignment.accepted", **data: Any) -> UUID:
    """Publish an event for these. Returns its subject."""
    subject = uuid4()
    with transaction.atomic():
        outbox.publish(type_, subject=subject, audience=[each.pk for each in audience], data=data)
    return subject


def subjects(client: Client) -> list[str]:
    return [event["subject"] for event in client.events]


def test_an_event_comes_to_whom_it_is_for_and_to_nobody_else(connect: Callable[..., Client]) -> None:
    ana, ben = make_user("Ana"), make_user("Ben")
    hers, his = connect(make_token(ana)), connect(make_token(ben))
    project = str(uuid4())
    subject = tell(ana, project=project, worker=str(ben.id), seconds=3)
    frame = hers.wait("event", subject=str(subject))
    assert frame["event"] == "assignment.accepted"
    assert frame["data"] == {"project": project}, "only what the catalogue names is sent"
    assert frame.keys() == {"type", "id", "event", "subject", "at", "data", "read_after"}
    marker = tell(ben)
    his.wait("event", subject=str(marker))
    assert subjects(his) == [str(marker)]


def test_members_hear_of_their_collective_until_they_leave_it(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    lab = Collective.objects.create(name="Duck Lab")
    place = Membership.objects.create(collective=lab, user=ana)
    client = connect(make_token(ana))
    client.wait("event", subject=str(tell(lab, type_="project.paused")))
    place.until = place.since
    place.save(update_fields=["until"])

    def is_deaf() -> bool:
        heard = tell(lab, type_="project.paused"), tell(ana)
        client.wait("event", subject=str(heard[1]))
        return str(heard[0]) not in subjects(client)

    wait_for(is_deaf, "who has left still hears", within=25)


def test_a_token_hears_only_what_its_scopes_allow(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    client = connect(make_token(ana, ["ledger:read"]))
    tell(ana, type_="assignment.accepted")
    tell(ana, type_="project.paused")
    tell(ana, type_="thing.unheard_of")
    subject = tell(ana, type_="payout.paid")
    client.wait("event", subject=str(subject))
    assert subjects(client) == [str(subject)]


@pytest.mark.parametrize("token", ["", "nobody's", None, 5])
def test_without_a_good_token_nobody_gets_in(connect: Callable[..., Client], token: object) -> None:
    client = connect()
    client.send({"token": token, "after": None})
    assert client.wait_closed() == 4401
    assert client.frames == []


def test_who_says_nothing_is_shown_out(connect: Callable[..., Client]) -> None:
    assert connect().wait_closed(within=10) == 4401


def test_tokens_that_have_expired_or_belong_to_somebody_who_left_do_not_open(connect: Callable[..., Client]) -> None:
    gone = make_user("Gone", is_active=False)
    for token in (make_token(make_user("Late"), lasts=timedelta(seconds=-1)), make_token(gone)):
        client = connect()
        client.send({"token": token})
        assert client.wait_closed() == 4401


def test_a_socket_ends_with_its_token(connect: Callable[..., Client]) -> None:
    client = connect(make_token(make_user("Ana"), lasts=timedelta(seconds=2)))
    began = time.monotonic()
    assert client.wait_closed() == 4401
    assert time.monotonic() - began < 2 + 5


def test_a_revoked_token_ends_its_sockets_within_five_seconds(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    token, other = make_token(ana), make_token(ana)
    client, stays = connect(token), connect(other)
    AccessToken.objects.filter(token=token).delete()
    began = time.monotonic()
    assert client.wait_closed() == 4401
    assert time.monotonic() - began < 5
    stays.settle()
    assert not stays.closed


def test_closing_an_account_ends_its_sockets(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    client = connect(make_token(ana))
    User.objects.filter(id=ana.id).update(is_active=False)
    assert client.wait_closed() == 4401


def test_a_refreshed_token_keeps_the_socket(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    old, new = make_token(ana, lasts=timedelta(seconds=3)), make_token(ana)
    client = connect(old)
    AccessToken.objects.filter(token=old).delete()
    client.send({"type": "token", "token": new})
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        client.settle()
        time.sleep(0.2)
    assert not client.closed


def test_another_users_token_does_not_take_a_socket_over(connect: Callable[..., Client]) -> None:
    client = connect(make_token(make_user("Ana")))
    client.send({"type": "token", "token": make_token(make_user("Ben"))})
    assert client.wait_closed() == 4401


@pytest.mark.parametrize(
    "first",
    [
        "no JSON",
        "[1, 2]",
        '"text"',
        b"\x00\x01",
        json.dumps({"token": "x", "after": "5"}),
        json.dumps({"token": "x", "after": -1}),
        json.dumps({"token": "x", "after": True}),
        json.dumps({"token": "x", "after": 2**70}),
        json.dumps({"token": "x", "unknown": 1}),
        json.dumps({"type": "ping"}),
        "[" * 5000,
    ],
)
def test_a_first_frame_that_is_no_hello_is_refused(connect: Callable[..., Client], first: str | bytes) -> None:
    client = connect()
    client.send(first)
    assert client.wait_closed() == 4400


@pytest.mark.parametrize("frame", [{"type": "publish"}, {"type": None}, {"type": ["ping"]}, {}, "x", b"x"])
def test_frames_that_nobody_knows_end_the_socket(connect: Callable[..., Client], frame: Any) -> None:
    client = connect(make_token(make_user("Ana")))
    client.send(frame)
    assert client.wait_closed() == 4400


def test_frames_have_a_largest_size_and_a_rate(connect: Callable[..., Client]) -> None:
    token = make_token(make_user("Ana"))
    client = connect(token)
    client.send({"type": "ping", "filler": "x" * 15_000})
    client.settle()
    client.send({"type": "ping", "filler": "x" * 17_000})
    assert client.wait_closed() == 1009
    client = connect(token)
    for _ in range(100):
        client._loop.loop.call_soon_threadsafe(client._socket.write_message, '{"type": "ping"}')
    assert client.wait_closed() == 4400


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("http://guildhall.test", None),
        ("https://app.example", None),
        (None, None),
        ("https://guildhall.test", 4403),
        ("http://guildhall.test.evil.example", 4403),
        ("null", 4403),
    ],
)
def test_only_pages_of_known_origins_may_connect(
    connect: Callable[..., Client], origin: str | None, code: int | None
) -> None:
    token = make_token(make_user("Ana"))
    client = connect(origin=origin)
    if code is None:
        client.hello(token)
    else:
        assert client.wait_closed() == code


def test_a_user_has_so_many_sockets_and_no_more(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    held = [connect(make_token(ana)) for _ in range(3)]
    fourth = connect()
    fourth.send({"token": make_token(ana)})
    assert fourth.wait_closed() == 4409
    held[0].close()
    held[0].wait_closed()
    connect(make_token(ana))
    connect(make_token(make_user("Ben")))


def test_pong_tells_how_far_the_stream_has_come(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    client = connect(make_token(ana))
    tell(make_user("Ben"))
    newest = Event.objects.latest("id").id
    wait_for(lambda: client.settle() == newest, "pong does not tell of the newest")
    assert client.events == []


# Going on


def test_what_came_while_nobody_listened_comes_afterwards(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    token = make_token(ana)
    client = connect(token)
    client.wait("event", subject=str(tell(ana)))
    after = client.events[-1]["id"]
    client.close()
    missed = [str(tell(ana)) for _ in range(5)]
    tell(make_user("Ben"))
    again = connect(token, after)
    again.wait("event", subject=missed[-1])
    assert [event["subject"] for event in again.events if event["id"] > after] == missed
    assert again.frames[0]["type"] == "ready"
    assert again.frames[0]["after"] == after


@pytest.mark.parametrize("after", [0, 999_999_999])
def test_who_comes_back_after_an_event_nobody_knows_is_told_to_fetch_anew(
    connect: Callable[..., Client], after: int
) -> None:
    ana = make_user("Ana")
    tell(ana)
    client = connect(make_token(ana), after)
    assert [frame["type"] for frame in client.frames[:2]] == ["reload", "ready"]
    client.wait("event", subject=str(tell(ana)))


def test_who_has_missed_too_much_is_told_to_fetch_anew(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    tell(ana)
    after = Event.objects.latest("id").id
    with transaction.atomic():
        outbox.publish_many("assignment.accepted", ((uuid4(), [ana.id], {}) for _ in range(1100)))
    client = connect(make_token(ana))
    newest = Event.objects.latest("id").id
    wait_for(lambda: client.settle() == newest, "the gateway has not read it all")
    again = connect(make_token(ana), after)
    assert [frame["type"] for frame in again.frames[:2]] == ["reload", "ready"]


def test_coming_back_misses_nothing_while_events_commit_out_of_order(connect: Callable[..., Client]) -> None:
    """Writers whose transactions take turns in committing, and a client that is cut off again and again."""
    ana = make_user("Ana")
    token = make_token(ana)
    stop = threading.Event()
    written: list[str] = []

    def write(number: int) -> None:
        try:
            while not stop.is_set():
                subject = uuid4()
                with transaction.atomic():
                    outbox.publish("assignment.accepted", subject=subject, audience=[ana.id])
                    stop.wait(0.005 * (number + 1) ** 2)
                written.append(str(subject))
        finally:
            connections.close_all()

    client = connect(token)
    seen: dict[int, str] = {}
    after = client.frames[0]["after"]
    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(12):
        stop.wait(0.15)
        client.close()
        client.wait_closed()
        # As the client does: what was seen last, whatever its id.
        for event in client.events:
            seen[event["id"]] = event["subject"]
            after = event["id"]
        client = connect(token, after)
    stop.set()
    for thread in threads:
        thread.join(10)
    last = str(tell(ana))
    client.wait("event", subject=last)
    client.settle()
    seen.update({event["id"]: event["subject"] for event in client.events})
    assert len(written) > 50
    assert set(written) <= set(seen.values())
    assert "reload" not in [frame["type"] for frame in client.frames]


def test_while_connected_each_event_comes_once(connect: Callable[..., Client]) -> None:
    ana = make_user("Ana")
    lab = Collective.objects.create(name="Duck Lab")
    Membership.objects.create(collective=lab, user=ana)
    client = connect(make_token(ana))
    for _ in range(20):
        tell(ana, lab)
    client.wait("event", subject=str(tell(ana)))
    ids = [event["id"] for event in client.events]
    assert len(ids) == len(set(ids)) == 21


def test_who_does_not_read_is_cut_off_and_costs_the_others_nothing(
    connect: Callable[..., Client], gateway: GatewayProcess
) -> None:
    ana, ben = make_user("Ana"), make_user("Ben")
    slow, quick = Mute(gateway.port, make_token(ana)), connect(make_token(ben))
    before = gateway.metric("guildhall_gateway_slow_total")

    def is_cut() -> bool:
        with transaction.atomic():
            outbox.publish_many(
                "assignment.accepted", ((uuid4(), [ana.id], {"project": "x" * 2000}) for _ in range(500))
            )
        quick.wait("event", subject=str(tell(ben)))
        return gateway.metric("guildhall_gateway_slow_total") > before

    wait_for(is_cut, "whatever waits for a client is kept")
    rest = slow.rest()
    _, reload, closing = rest.rpartition(b'{"type":"reload"}')
    assert reload
    assert closing[:1] == b"\x88"
    assert closing[2:4] == (4408).to_bytes(2, "big")
    assert len(rest) < 4_000_000
