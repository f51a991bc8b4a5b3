"""Tasks for engines; a module of its own, so that a worker imports nothing it does not need."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

from mgmtool.errors import VideoError


def double(item: int) -> int:
    return 2 * item


def misbehave(item: str) -> str:
    """Do what the name of the task says."""
    match item.partition("-")[0]:
        case "raise":
            raise KeyError("no such thing\nsecond line")
        case "exit":
            os._exit(3)
        case "segfault":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(600)
        case "unpicklable":
            return lambda: None  # type: ignore[return-value]
        case "pid":
            return str(os.getpid())
    return f"fine {item}"


def touch_and_wait(path: str) -> str:
    """Leave a trace of having started, and of having ended."""
    Path(path).write_text("started")
    time.sleep(0.2)
    Path(path).write_text("ended")
    return path


def blame(item: object, error: VideoError) -> str:
    return f"{error.failure}: {error}"
