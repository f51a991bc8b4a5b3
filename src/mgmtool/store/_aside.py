"""Names of what is being written, from which anybody can tell who writes it."""

from __future__ import annotations

import os
import socket

from mgmtool.processes import is_alive


def signed(name: str) -> str:
    """Return a name that says which process of which machine writes under it."""
    return f"{name}.{socket.gethostname()}.{os.getpid()}"


def left_behind(name: str, stem: str) -> bool:
    """Whether a signed name starts with a stem and its writer was a process of this machine that is no more."""
    host, _, process = name.removeprefix(stem).strip(".").rpartition(".")
    return host == socket.gethostname() and process.isdigit() and not is_alive(process)
