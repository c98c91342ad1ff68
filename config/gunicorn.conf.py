"""How gunicorn serves `config.wsgi`. Every node is alike and keeps nothing of its own.

**Processes** (`WEB_CONCURRENCY`): one more than there are cores, because Python runs on one core at a time and a
process may wait for the database; but no more than fit into three quarters of the memory at `_PROCESS_BYTES` each. A
node that swaps or is killed for its memory serves nobody, and the last quarter is for what is shared, for uploads and
for the kernel. Cores and memory are those of the control group where it has less than the machine, as in a container.

**Threads** (`WEB_THREADS`): 8 for each, so that a slow upload or download does not hold up short requests. Every thread
keeps a connection to the database (config/connections.py counts them), and config/worker.py says what happens when all
are busy, and how a process ends.
"""

import gc
import os
from pathlib import Path
from typing import Any

from config import connections, env

_GROUP = Path("/sys/fs/cgroup")
# What a process grows to: 150 MB after a day of imports and exports, and a large answer or two.
_PROCESS_BYTES = 200 * 1024**2


def _cores() -> int:
    """The cores this process may use: its affinity mask, or the control group's quota where that is less."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = _GROUP / "cpu.max"
    if limit.exists():
        quota, period = limit.read_text().split()
        if quota != "max":
            allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


def _memory() -> int:
    """The bytes this process may use: the machine's, or the control group's limit where that is less."""
    allowed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = _GROUP / name
        if limit.exists() and (text := limit.read_text().strip()) != "max":
            allowed = min(allowed, int(text))
    return allowed


def _processes(cores: int, memory: int) -> int:
    return max(1, min(cores + 1, memory * 3 // 4 // _PROCESS_BYTES))


bind = f"{env.text('HOST', '127.0.0.1')}:{env.number('PORT', 8000)}"
worker_class = "config.worker.Worker"
workers = env.number("WEB_CONCURRENCY", _processes(_cores(), _memory()))
threads = env.number("WEB_THREADS", 8)
# Each process opens its own connections; nothing worth sharing is loaded before they fork.
preload_app = False
max_requests = 0
# Heartbeats of a thread pool do not stop while one request runs long, so this bounds a stuck process, not an export.
timeout = 60
graceful_timeout = env.number("GRACEFUL_SECONDS", 20) + env.number("DRAIN_SECONDS", 0)
keepalive = 15
# Heartbeat files on a disk block a worker while the disk is busy.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# Its path is one for all nodes of a user, and nothing here talks to it.
control_socket_disable = True
# The application writes its own request log, with the request id and the user.
accesslog = None
loglevel = "warning"
# gunicorn's own lines, in the shape of all others (config/settings.py); its own format asks for what no line tells.
logconfig_dict = {
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.orjson.OrjsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
        },
        "plain": {"format": "%(levelname)s %(name)s: %(message)s"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": env.text("LOG_FORMAT", "json")}},
    "root": {"handlers": []},
    "loggers": {"gunicorn.error": {"level": "WARNING", "handlers": ["stderr"], "propagate": False}},
}
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
proc_name = "guildhall-web"

# Where the processes of this node write what they count (api/core/metrics.py), begun anew with the node.
_COUNTED = env.data_dir() / "run" / f"metrics-{env.number('PORT', 8000)}"
raw_env = [f"PROMETHEUS_MULTIPROC_DIR={_COUNTED}"]


def on_starting(server: Any) -> None:
    _COUNTED.mkdir(parents=True, exist_ok=True)
    for old in _COUNTED.glob("*.db"):
        old.unlink()


def child_exit(server: Any, worker: Any) -> None:
    """A process that is gone works on no request; what it has counted stays."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def post_worker_init(worker: Any) -> None:
    """Count the connections once for each start, and keep the garbage collector off what a process holds for good."""
    if worker.age == 1:
        connections.count_in_background(processes=workers, threads=threads)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
