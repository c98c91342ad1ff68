"""What a system's package manager has to bring, where that is apt-get."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from config.local.prepare import Stop, call

OF_A_CLUSTER = {"nginx": "nginx", "redis-server": "redis-server", "pgpool": "pgpool2", "pg_ctl": "postgresql"}
"""Debian's package for each program that a cluster is made of."""


def can_install() -> bool:
    """Whether there is an apt-get that this user may use."""
    return shutil.which("apt-get") is not None and (os.geteuid() == 0 or shutil.which("sudo") is not None)


def install(wanted: list[str]) -> None:
    """Install packages by name. Raises Stop."""
    apt = [*as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    names = " ".join(wanted)
    failed = f"apt-get could not install {names}."
    call("Reading the lists of apt-get", [*apt, "update", "-q"], failed=failed, own_session=False)
    command = [*apt, "install", "-q", "-y", "--no-install-recommends", *wanted]
    call(f"Installing {names} with apt-get", command, failed=failed, own_session=False)


def missing_of_a_cluster() -> list[str]:
    """The packages of those programs that are not there."""
    servers = [str(folder) for folder in Path("/usr/lib/postgresql").glob("*/bin")]
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", *servers])
    return [package for program, package in OF_A_CLUSTER.items() if shutil.which(program, path=path) is None]


def as_root() -> list[str]:
    """What makes a command root's. Raises Stop where nothing does."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise Stop("The tests need packages that only root may install, and there is no sudo: run make test as root once.")


def is_ubuntu() -> bool:
    try:
        return platform.freedesktop_os_release().get("ID") == "ubuntu"
    except OSError:
        return False
