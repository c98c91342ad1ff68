"""Addresses of databases, as the environment gives them."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.databases import databases


def parts(url: str) -> dict[str, str]:
    found = databases(url, "")["default"]
    return {name: found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://u:p%40@db.example:5433/guild", "db.example", "5433"),
        ("postgres://u:p%40@db.example/guild", "db.example", ""),
        ("postgresql://u:p%40@one:1,two:2,three:3/guild", "one,two,three", "1,2,3"),
        ("postgresql://u:p%40@/guild?host=one,two&port=1,2", "one,two", "1,2"),
        ("postgresql://u:p%40@/guild?host=%2Fvar%2Frun%2Fa%20folder", "/var/run/a folder", ""),
        ("postgresql://u:p%40@/guild?host=/var/run/a folder", "/var/run/a folder", ""),
        ("postgresql://u:p%40@[2001:db8::1]:5433/guild", "2001:db8::1", "5433"),
    ],
)
def test_an_address_is_read_as_libpq_reads_it(url, host, port) -> None:
    assert parts(url) == {"USER": "u", "PASSWORD": "p@", "HOST": host, "PORT": port, "NAME": "guild"}


def test_options_go_to_libpq_and_waiting_is_bounded() -> None:
    found = databases("postgresql://one:1,two:2/guild?target_session_attrs=read-write&sslmode=require", "")["default"]
    assert found["OPTIONS"] == {
        "target_session_attrs": "read-write",
        "sslmode": "require",
        "connect_timeout": "3",
    }
    assert databases("postgresql://one/guild?connect_timeout=9", "")["default"]["OPTIONS"] == {"connect_timeout": "9"}


@pytest.mark.parametrize("between", [",", ", ", " ", "\n"])
def test_replicas_have_addresses_of_their_own(between) -> None:
    given = between.join(["postgresql://one:1,two:2/guild", "postgres://three/guild"])
    found = databases("postgresql://one/guild", given)
    assert list(found) == ["default", "replica0", "replica1"]
    assert [found[alias]["HOST"] for alias in found] == ["one", "one,two", "three"]


def test_sessions_on_replicas_are_read_only_whatever_else_they_are() -> None:
    found = databases("postgresql://one/guild", "postgresql://two/guild?options=-c%20work_mem%3D1MB")["replica0"]
    assert found["OPTIONS"]["options"] == "-c work_mem=1MB -c default_transaction_read_only=on"
    assert found["TEST"] == {"MIRROR": "default"}


def test_no_replica_is_one_database() -> None:
    assert list(databases("postgresql://one/guild", "")) == ["default"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:hidden@one/guild", "must be postgresql://"),
        ("host=one password=hidden", "must be postgresql://"),
        ("postgresql://u:hidden@one", "names no database"),
        ("postgresql://u:hidden@one:99x/guild", "port"),
        ("postgresql://u:hidden@one:0/guild", "port"),
        ("postgresql://u:hidden@one:65536/guild", "port"),
        ("postgresql://u:hidden@one:٣/guild", "port"),
        ("postgresql://u:hidden@one,two/guild?port=1,2,3", "2 hosts and 3 ports"),
        ("postgresql://u:hidden@one/guild?timeout=3", 'query parameter: "timeout"'),
        ("postgresql://u:hidden%zz@one/guild", "cannot be read"),
        ("postgresql://u:hidden@[one/guild", "cannot be read"),
    ],
)
@pytest.mark.parametrize("variable", ["DATABASE_URL", "REPLICA_URLS"])
def test_what_cannot_be_read_is_said_without_the_password(url, said, variable) -> None:
    given = (url, "") if variable == "DATABASE_URL" else ("postgresql://one/guild", url)
    with pytest.raises(ImproperlyConfigured) as refused:
        databases(*given)
    assert str(refused.value).startswith(variable)
    assert said in str(refused.value)
    assert "hidden" not in str(refused.value)
