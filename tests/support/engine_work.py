"""Tasks for engines; a module of its own, so that a worker imports nothing it does not need."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mgmtool.engines.local import Local
from mgmtool.errors import VideoError
from mgmtool.extraction.worker import Task


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
        case "spin":
            while True:
                pass
        case "stuck":
            ctypes.PyDLL(None).sleep(600)  # in C code that keeps the interpreter's lock
        case "eat":
            return eat()
        case "leak":
            KEPT.append(bytearray(b"x") * 400_000_000)
            return str(os.getpid())
        case "workers":
            return str(len(psutil.Process(os.getppid()).children()))
        case "unpicklable":
            return lambda: None  # type: ignore[return-value]
        case "pid":
            return str(os.getpid())
    return f"fine {item}"


KEPT: list[bytearray] = []


def eat() -> str:
    """Take more and more memory, up to a bound for the sake of the machine, and never end."""
    for _ in range(40):
        KEPT.append(bytearray(b"x") * 50_000_000)
        time.sleep(0.05)
    time.sleep(600)
    return "not eaten up"


def try_again(path: str) -> str:
    """Die until there are as many lines in the file as its name says."""
    lines = Path(path).read_text().count("\n") if Path(path).exists() else 0
    if lines == int(Path(path).name):
        return "fine"
    with Path(path).open("a") as file:
        file.write("tried\n")
    os._exit(3)


def give_bytes(item: int) -> bytes:
    """Give 3 MB that say which item they are of."""
    time.sleep(item % 5 / 1000)
    return item.to_bytes(4, "big") * 750_000


def give_bytes_or_wait(path: str) -> bytes:
    """Give 1 MB and leave a trace; or wait until there is such a file."""
    if Path(path).name.startswith("wait"):
        end = time.monotonic() + 20
        while not Path(path).exists() and time.monotonic() < end:
            time.sleep(0.01)
        return b""
    Path(path).write_text(str(os.getpid()))
    return Path(path).name.encode() * (1_000_000 // len(Path(path).name))


def compiled(_item: int) -> int:
    """How many of the kernels are there before any work is done."""
    from mgmtool.kernels.tokens import sample_tokens

    return len(getattr(sample_tokens, "signatures", [None]))


def touch_and_wait(path: str) -> str:
    """Leave a trace of having started, and of having ended."""
    Path(path).write_text("started")
    time.sleep(0.2)
    Path(path).write_text("ended")
    return path


def blame(item: object, error: VideoError) -> str:
    return f"{error.failure}: {error}"


@dataclass(frozen=True)
class Misbehaving:
    """The work of a run, once the worker has done what the name of the video says."""

    work: Callable[[Any], Any]

    def __call__(self, task: Task) -> Any:
        misbehave(Path(task.video.id).name)
        return self.work(task)


@dataclass(frozen=True)
class Wild(Local):
    """The local engine with videos such as ``segfault-1.mp4``."""

    def run(
        self, work: Callable[[Any], Any], items: Iterable[Any], lost: Callable[[Any, VideoError], Any]
    ) -> Generator[Any, None, None]:
        return super().run(Misbehaving(work), items, lost)
