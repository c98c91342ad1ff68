"""How gunicorn serves `config.wsgi`. Every node is alike and keeps nothing of its own.

`WEB_CONCURRENCY` processes (one more than there are cores, so that one may wait for the database) of `WEB_THREADS`
threads each (8, so that a slow upload or download does not hold up short requests). Every thread keeps a database
connection: a node needs processes × threads of them.
"""

import gc
import os
from pathlib import Path

from config import env


def _cores() -> int:
    """The cores this process may use: its affinity mask, or the control group's quota where that is less."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = Path("/sys/fs/cgroup/cpu.max")
    if limit.exists():
        quota, period = limit.read_text().split()
        if quota != "max":
            allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


bind = f"{env.text('HOST', '127.0.0.1')}:{env.number('PORT', 8000)}"
worker_class = "gthread"
workers = env.number("WEB_CONCURRENCY", _cores() + 1)
threads = env.number("WEB_THREADS", 8)
# Each process opens its own connections; nothing worth sharing is loaded before they fork.
preload_app = False
max_requests = 0
# Heartbeats of a thread pool do not stop while one request runs long, so this bounds a stuck process, not an export.
timeout = 60
graceful_timeout = env.number("GRACEFUL_SECONDS", 20)
keepalive = 15
# Heartbeat files on a disk block a worker while the disk is busy.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
# Its path is one for all nodes of a user, and nothing here talks to it.
control_socket_disable = True
# The application writes its own request log, with the request id and the user.
accesslog = None
loglevel = "warning"
forwarded_allow_ips = env.text("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
proc_name = "guildhall-web"


def post_worker_init(worker: object) -> None:
    """Keep the garbage collector off what a process holds for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
