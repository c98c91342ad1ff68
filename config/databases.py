"""What Django is told of the databases: the primary, and the replicas that safe requests may read.

An address is read by libpq itself, so it may be all that libpq takes: several hosts, each with a port,
`target_session_attrs`, certificates.
"""

import re
from typing import Any

import psycopg2
from django.core.exceptions import ImproperlyConfigured
from psycopg2.extensions import parse_dsn

ENGINE = "api.core.postgres"
_SCHEMES = ("postgresql://", "postgres://")
_OWN = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT", "dbname": "NAME"}
_CONNECT_TIMEOUT = "3"
"""Seconds for each host of an address."""
_REPLICA_CONNECT_TIMEOUT = "2"
# An address may have commas of its own, between its hosts.
_BETWEEN = re.compile(r"[\s,]+(?=\w+://)")
_READ_ONLY = "-c default_transaction_read_only=on"


def databases(url: str, replica_urls: str) -> dict[str, dict[str, Any]]:
    """`DATABASES`: `default` is the primary; `replica0` and so on are replicas, with commas between their addresses.

    Raises ImproperlyConfigured, which names the variable and never the address: there is a password in it.
    """
    found = {"default": _database("DATABASE_URL", url)}
    found["default"]["OPTIONS"].setdefault("connect_timeout", _CONNECT_TIMEOUT)
    for number, each in enumerate(filter(None, _BETWEEN.split(replica_urls))):
        replica = found[f"replica{number}"] = _database("REPLICA_URLS", each)
        options = replica["OPTIONS"]
        options.setdefault("connect_timeout", _REPLICA_CONNECT_TIMEOUT)
        options["options"] = f"{options.get('options', '')} {_READ_ONLY}".strip()
        replica["TEST"] = {"MIRROR": "default"}
    return found


def _database(variable: str, url: str) -> dict[str, Any]:
    if not url.startswith(_SCHEMES):
        raise ImproperlyConfigured(f"{variable} must be postgresql://user:password@host:5432/name.")
    try:
        given = parse_dsn(url)
    except psycopg2.ProgrammingError as error:
        reason = str(error).partition("dsn: ")[2].strip()
        if "query parameter" not in reason:
            # What libpq quotes may be the password.
            reason = reason.partition('"')[0].strip(" :")
        raise ImproperlyConfigured(f"{variable} cannot be read: {reason}.") from None
    if not given.get("dbname"):
        raise ImproperlyConfigured(f"{variable} names no database: postgresql://user:password@host:5432/name.")
    hosts, ports = given.get("host", "").split(","), given.get("port", "").split(",")
    if len(ports) not in (1, len(hosts)):
        raise ImproperlyConfigured(f"{variable} names {len(hosts)} hosts and {len(ports)} ports.")
    if any(port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536) for port in ports):
        raise ImproperlyConfigured(f"{variable} has a port that is no number from 1 to 65535.")
    own = {setting: given.pop(name, "") for name, setting in _OWN.items()}
    return {
        "ENGINE": ENGINE,
        **own,
        "OPTIONS": given,
        # For good: a thread keeps its connection, and looks before each request whether it still stands.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }
