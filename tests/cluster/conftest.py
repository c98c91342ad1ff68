"""Clusters for the tests of this folder. Where their programs are not installed the tests are skipped, and say so."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.cluster import Cluster, programs
from config.cluster.pgpool import Pools
from config.cluster.postgres import APPLICATION, Servers


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that the user whom PostgreSQL runs as may enter."""
    if missing := programs.missing():
        pytest.skip(f"needs {', '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="guildhall-cluster-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def servers(folder: Path) -> Iterator[Servers]:
    """Three PostgreSQL servers, one primary, and nothing before them."""
    (folder / "servers").mkdir()
    words = {user: f"word-of-{user}" for user in ("postgres", "repl", "hc", APPLICATION, "watchdog", "pcp")}
    servers = Servers(folder / "servers", programs.free_ports(3), words)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def pools(servers: Servers, folder: Path) -> Iterator[Pools]:
    (folder / "pools").mkdir()
    ports = programs.free_ports(12)
    pools = Pools(folder / "pools", servers, [tuple(ports[n : n + 4]) for n in (0, 4, 8)], "word-of-pcp")
    try:
        pools.start()
        yield pools
    finally:
        pools.stop()


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Cluster]:
    """The whole topology."""
    with Cluster(folder / "cluster", env={"RATE_LIMIT_USER": "100000000", "RATE_LIMIT_APPLICATION": "100000000"}) as it:
        yield it
