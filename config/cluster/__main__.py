"""`make cluster`: the whole topology on this machine, up, looked at, down.

make cluster                 start what does not run (data under .data/cluster)
make cluster ARGS=status     what runs, and how it is
make cluster ARGS=down       stop it
make cluster ARGS=rejoin     bring servers back that were lost, as standbys
"""

import argparse
import os
import sys
from pathlib import Path

from config.cluster import Cluster, programs
from config.local import packages, prepare
from config.local.prepare import Stop, one_sentence, say, step

PORT = 8080


def main() -> None:
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    parser.add_argument("act", nargs="?", choices=["up", "status", "down", "rejoin"], default="up")
    act = parser.parse_args().act
    with one_sentence():
        if act == "up" and packages.can_install() and (wanted := packages.missing_of_a_cluster()):
            packages.install(wanted)
        if missing := programs.missing():
            raise Stop(f"A cluster needs {', '.join(missing)}; install them with this system's package manager.")
        folder = Path(os.environ.get("GUILDHALL_DATA") or programs.ROOT / ".data").resolve() / "cluster"
        if act != "up" and not (folder / "plan.json").exists():
            raise Stop("There is no cluster here; make cluster makes one.")
        require_reachable(folder)
        # On one's own machine and for its own browser, like make run: with the demo, play money and mail as files.
        local = {
            "GUILDHALL_MODE": "local",
            "PAYMENT_PROVIDERS": "api.ledger.providers.Play,api.ledger.providers.Manual",
            "LOG_LEVEL": "INFO",
        }
        cluster = Cluster(folder, port=int(os.environ.get("PORT") or PORT), env=local)
        {"up": up, "status": status, "down": down, "rejoin": rejoin}[act](cluster)


def require_reachable(folder: Path) -> None:
    """Raises Stop where the user whom PostgreSQL runs as may not look into the folders that lead to its data."""
    user = programs.database_user()
    for each in folder.parents if user else ():
        mode = each.stat().st_mode if each.exists() else 0o755
        if not mode & 0o001:
            raise Stop(f"{each} is closed to the user {user.pw_name if user else ''}, whom PostgreSQL runs as.")


def up(cluster: Cluster) -> None:
    prepare.require_node()
    prepare.client()
    with step("Starting PostgreSQL, pgpool, Redis, nodes, gateways, jobs and nginx"):
        cluster.up()
    with step("Loading the demo"):
        accounts = cluster.manage("load_demo").strip()
    status(cluster)
    say(f"\nGuildhall is ready at {cluster.url}\n\n{accounts}\n\nmake cluster ARGS=down stops it.")


def status(cluster: Cluster) -> None:
    rows = cluster.status()
    width = max(len(name) for name, _, _ in rows)
    for name, where, state in rows:
        say(f"  {name:<{width}}  {where:<21}  {state}")
    if not any(state == "primary" for _, _, state in rows):
        sys.exit(1)


def down(cluster: Cluster) -> None:
    with step("Stopping the cluster"):
        cluster.down()


def rejoin(cluster: Cluster) -> None:
    for node in cluster.pg.nodes:
        if not node.is_up():
            with step(f"Bringing {node.name} back"):
                cluster.rejoin(node)
    status(cluster)


if __name__ == "__main__":
    main()
