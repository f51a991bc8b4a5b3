"""What runs in a worker process, and the messages between it and the driver.

A worker does one task after the other, in the order in which they come, and says when it starts one. So whatever ends it, the
driver knows which task it was busy with.
"""

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

from mgmtool.engines._memory import resident, return_pictures_to_the_system
from mgmtool.errors import one_line

READY, STARTED, DONE, FAILED = b"R", b"S", b"D", b"F"
STOP = b""

_TASK = Struct("!Q")
_HEAD = Struct("!c??Q")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a worker is told when it starts.

    Attributes
    ----------
    work : bytes
        The pickled function.
    recycle : int
        Tasks after which the worker leaves.
    memory : int or None
        Bytes above which the driver kills it; a worker that kept about half of that from earlier tasks leaves before the next.
    """

    work: bytes
    recycle: int
    memory: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """What a worker says.

    Attributes
    ----------
    kind : bytes
        That it is ready, has started a task, has done it, has failed.
    leaving : bool
        Whether it ends now.
    goes_on : bool
        Whether it starts its next task now; said with an answer, this saves a message.
    number : int
        Of the task.
    payload : memoryview
        The pickled result, or the text of the failure.
    """

    kind: bytes
    leaving: bool
    goes_on: bool
    number: int
    payload: memoryview

    @property
    def size(self) -> int:
        """Bytes the answer takes in the driver."""
        return len(self.payload)


def write_task(number: int, item: object) -> bytes:
    """Make the message that gives a worker a task."""
    return _TASK.pack(number) + pickle.dumps(item, pickle.HIGHEST_PROTOCOL)


def read_message(data: bytes) -> Message:
    """Read what a worker has sent."""
    kind, leaving, goes_on, number = _HEAD.unpack_from(data)
    return Message(kind, leaving, goes_on, number, memoryview(data)[_HEAD.size :])


def describe(error: BaseException) -> str:
    """Put an error in one line, even one that cannot be put into words."""
    try:
        return one_line(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001  an error whose own text raises is still the failure of one item
        return type(error).__name__


def serve(tasks: Connection, lifeline: Connection, settings: Settings) -> None:
    """Answer tasks until told to stop, until it is time to be replaced, or until the driver is gone.

    Parameters
    ----------
    tasks : Connection
        Tasks come in here, and answers go out.
    lifeline : Connection
        Ends when the driver does, whatever else happens.
    settings : Settings
        The work, and when to leave.
    """
    _prepare(lifeline)
    work = _load(settings.work)
    base, after = resident(), STOP
    with suppress(EOFError, OSError):
        tasks.send_bytes(_HEAD.pack(READY, False, False, 0))
        for done in range(1, settings.recycle + 1):
            task = after or tasks.recv_bytes()
            if task == STOP:
                break
            (number,) = _TASK.unpack_from(task)
            if not after:
                tasks.send_bytes(_HEAD.pack(STARTED, False, True, number))
            kind, payload = _answer(work, memoryview(task)[_TASK.size :])
            leaving = done == settings.recycle or _keeps_too_much(base, settings.memory)
            after = tasks.recv_bytes() if not leaving and tasks.poll() else STOP
            tasks.send_bytes(_HEAD.pack(kind, leaving, after != STOP, number) + payload)
            del payload
            if leaving:
                break


def _answer(work: Callable[[Any], Any], task: memoryview) -> tuple[bytes, bytes]:
    try:
        return DONE, pickle.dumps(work(pickle.loads(task)), pickle.HIGHEST_PROTOCOL)  # noqa: S301  from our driver
    except Exception as error:  # noqa: BLE001  whatever a worker could not answer is the failure of its one item
        return FAILED, describe(error).encode("utf-8", "backslashreplace")


def _load(work: bytes) -> Callable[[Any], Any]:
    """Return the function; one that cannot be loaded here becomes one that says so for every item."""
    try:
        loaded: Callable[[Any], Any] = pickle.loads(work)  # noqa: S301  from our driver
    except Exception as error:  # noqa: BLE001  raised again for each item
        reason = error

        def fail(_item: object) -> None:
            raise reason

        return fail
    return loaded


def _keeps_too_much(base: int, limit: int | None) -> bool:
    """Tell whether earlier tasks have left so much behind that the next one might be blamed for it."""
    if limit is None:
        return False
    most = base + max(0, limit - base) // 2
    if resident() <= most:
        return False
    gc.collect()
    return resident() > most


def _prepare(lifeline: Connection) -> None:
    # Ctrl-C reaches the whole process group; the driver decides what happens to the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return_pictures_to_the_system()
    threading.Thread(target=_end_with_driver, args=[lifeline], daemon=True).start()
    if sys.platform == "linux":
        # The thread needs the interpreter's lock, which C code may hold for good; the system's default for SIGIO, which is
        # to end the process, does not.
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)
        end = lifeline.fileno()
        fcntl.fcntl(end, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(end, fcntl.F_SETFL, fcntl.fcntl(end, fcntl.F_GETFL) | os.O_ASYNC)


def _end_with_driver(lifeline: Connection) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)
