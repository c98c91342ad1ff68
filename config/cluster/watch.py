"""Watch the primary where there is no pgpool, and fail over when it is lost: `python -m config.cluster.watch NODES`.

One process only. A primary that it has never seen it does not replace, so start it while there is one. NODES is the
file that `failover.sh` reads; its environment is that of the script, and PGPASSFILE and PGUSER are used here too. Two
misses, a quarter of a second apart, are a loss; a server that takes the connection and says nothing for two seconds has
missed.
"""

import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from config.cluster.programs import FAILOVER as SCRIPTS
from config.cluster.programs import as_database_user

FAILOVER = SCRIPTS / "failover.sh"
PAUSE = 0.25
MISSES = 2
_log = logging.getLogger("guildhall.watch")


@dataclass(frozen=True, slots=True)
class Place:
    id: str
    host: str
    port: int


def places(nodes: Path) -> list[Place]:
    lines = [line.split() for line in nodes.read_text().splitlines() if line.strip()]
    return [Place(line[0], line[1], int(line[2])) for line in lines]


def is_primary(place: Place) -> bool:
    """Whether a server answers and is not in recovery."""
    try:
        connection = psycopg2.connect(
            host=place.host, port=place.port, user=os.environ.get("PGUSER", "postgres"), dbname="postgres",
            connect_timeout=2, options="-c statement_timeout=2000",
        )  # fmt: skip
    except psycopg2.Error:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOT pg_is_in_recovery()")
            row = cursor.fetchone()
            return bool(row and row[0])
    except psycopg2.Error:
        return False
    finally:
        connection.close()


def watch(nodes: Path) -> None:
    """Run until killed."""
    there = places(nodes)
    primary: Place | None = None
    missed = 0
    while True:
        if primary is None or not is_primary(primary):
            missed += primary is not None
            found = next((place for place in there if place is not primary and is_primary(place)), None)
            if found is not None:
                primary, missed = found, 0
                _log.info("node %s is primary", found.id)
            elif primary is not None and missed >= MISSES:
                _log.warning("node %s was primary and is lost", primary.id)
                done = subprocess.run(as_database_user([FAILOVER, nodes, primary.id, primary.id]), check=False)
                # Where nobody could be promoted it is tried again: a standby may answer by then.
                if done.returncode == 0:
                    primary, missed = None, 0
        else:
            missed = 0
        time.sleep(PAUSE)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    watch(Path(sys.argv[1]))
