"""What runs in a worker process: one task after the other, until the driver closes the pipe or it is time to be replaced."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from struct import Struct
from typing import Any

from mgmtool.engines._machine import resident, return_frames_to_the_system
from mgmtool.errors import one_line

HEAD = Struct("!??Q")
"""What a worker sends before each payload: whether the task has failed, whether it ends now, bytes of the payload. It sends one
head without a payload when it has come up. The payload is the pickled result, or the text of the failure."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The work, and what a worker may take for it.

    Attributes
    ----------
    work : bytes
        The pickled function.
    recycle : int
        Tasks after which a worker is replaced.
    memory : int or None
        Bytes above which it is killed; one that kept about half of that from earlier tasks is replaced before the next.
    timeout : float
        Seconds a task may run.
    retries : int
        How often a task that has cost its worker is tried again.
    """

    work: bytes
    recycle: int
    memory: int | None
    timeout: float
    retries: int


def describe(error: BaseException) -> str:
    """Put an error in one line, even one whose own text raises."""
    try:
        return one_line(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001
        return type(error).__name__


def serve(pipe: Connection, lifeline: Connection, settings: Settings) -> None:
    """Answer tasks until the pipe is closed, until it is time to be replaced, or until the driver is gone.

    Parameters
    ----------
    pipe : Connection
        Tasks come in here, and answers go out.
    lifeline : Connection
        Ends when the driver does, whatever else happens.
    settings : Settings
        The work, and when to leave.
    """
    end_with_driver(lifeline)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the driver decides what becomes of us
    return_frames_to_the_system()
    base = resident()
    try:
        work: Callable[[Any], Any] | Exception = pickle.loads(settings.work)  # noqa: S301  from our driver
    except Exception as error:  # noqa: BLE001  then this is the failure of every item
        work = error
    with suppress(EOFError, OSError):
        pipe.send_bytes(HEAD.pack(False, False, 0))
        for left in reversed(range(settings.recycle)):
            failed, payload = answer(work, pipe.recv_bytes())
            leaving = not left or keeps_too_much(base, settings.memory)
            pipe.send_bytes(HEAD.pack(failed, leaving, len(payload)))
            pipe.send_bytes(payload)
            del payload
            if leaving:
                return


def answer(work: Callable[[Any], Any] | Exception, task: bytes) -> tuple[bool, bytes]:
    """Do one task; return whether it failed, and the payload of the answer."""
    try:
        if isinstance(work, Exception):
            raise work
        return False, pickle.dumps(work(pickle.loads(task)), pickle.HIGHEST_PROTOCOL)  # noqa: S301  from our driver
    except Exception as error:  # noqa: BLE001  whatever a worker could not answer is the failure of its one item
        return True, describe(error).encode("utf-8", "backslashreplace")


def keeps_too_much(base: int, limit: int | None) -> bool:
    """Tell whether earlier tasks have left so much behind that the next one might be blamed for it."""
    if limit is None or resident() <= (most := base + max(0, limit - base) // 2):
        return False
    gc.collect()
    return resident() > most


def end_with_driver(lifeline: Connection) -> None:
    """Have this process end when the other end of the lifeline is closed, which the death of the driver does."""

    def watch() -> None:
        with suppress(EOFError, OSError):
            lifeline.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    if sys.platform == "linux":
        # The thread needs the interpreter's lock, which C code may hold for good. The system's default for SIGIO, which is to
        # end the process, needs nothing.
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
