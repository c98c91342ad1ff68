"""The process that holds websockets: `python -m config.gateway`. It listens on `HOST` and `GATEWAY_PORT`, else `PORT`.

A gateway that gets SIGTERM takes no more connections, closes those it has so that clients go elsewhere, and ends.
"""

import asyncio
import gc
import logging
import os
import resource
import signal
import socket

import django
from django.conf import settings
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from config import env

# What the kernel keeps for one client that does not read; the gateway itself keeps as much again.
SEND_BUFFER = 128 * 1024
BACKLOG = 4096


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # The admin's pages are for web nodes, and bring half of what there is along.
    admin, simple = "django.contrib.admin", "django.contrib.admin.apps.SimpleAdminConfig"
    settings.INSTALLED_APPS = [simple if each == admin else each for each in settings.INSTALLED_APPS]
    django.setup()
    # Every socket is a file.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(serve())


async def serve() -> None:
    from api.realtime.gateway import Gateway, application  # after `setup`

    log = logging.getLogger("guildhall.gateway")
    port = settings.GATEWAY_PORT
    gateway = Gateway(f"{env.text('NODE_NAME') or socket.gethostname()}:{port}")
    sockets = bind_sockets(port, settings.GATEWAY_HOST, backlog=BACKLOG)
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    await gateway.start()
    server = HTTPServer(application(gateway), idle_connection_timeout=15, max_header_size=16 * 1024)
    server.add_sockets(sockets)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    gc.collect()
    gc.freeze()
    log.info("gateway ready", extra={"gateway": gateway.name})
    await stopped.wait()
    server.stop()
    await gateway.stop()
    await server.close_all_connections()
    log.info("gateway stopped", extra={"gateway": gateway.name})


if __name__ == "__main__":
    main()
