"""The driver's side of one worker process."""

from __future__ import annotations

import math
import multiprocessing
import signal
import time
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Any, cast

import psutil

from mgmtool.engines._queue import Task
from mgmtool.engines._worker import STOP, Message, Settings, read_message, serve
from mgmtool.errors import VideoError

_PRELOAD = ["mgmtool.extraction.preload"]
_AHEAD = 2
_SOON = 0.5
"""Seconds of a task that is soon over. Behind a longer one, the next would wait while other workers may be free; and the moment
in which a worker has nothing to do between two of them does not count."""

_SMALL = 32 * 1024
"""A message of more bytes may not fit into the pipe, and a worker that computes does not empty it."""

_STARTS = 5


class WorkerProcess:
    """A process, the pipe to it, and the tasks it has: the first is the one it is busy with, or starts next.

    Attributes
    ----------
    tasks : deque of Task
        Given to it and not answered.
    ready : bool
        Whether it has come up.
    running : bool
        Whether it has started the first of its tasks.
    since : float
        When it started that, or was started itself.
    pace : float
        Seconds its last task has taken.
    verdict : VideoError or None
        Why the driver has killed it.
    doomed : int or None
        Number of the task that the verdict is about.
    """

    def __init__(self, settings: Settings) -> None:
        self._process, self._pipe, self._lifeline = _start(settings)
        self.tasks: deque[Task] = deque()
        self.ready = self.running = False
        self.since, self.pace = time.monotonic(), math.inf
        self.verdict: VideoError | None = None
        self.doomed: int | None = None
        self._meter: psutil.Process | None = None
        with suppress(psutil.Error):
            self._meter = psutil.Process(self._process.pid)

    @property
    def pipe(self) -> Connection:
        """Ready when there is a message to receive."""
        return self._pipe

    @property
    def sentinel(self) -> int:
        """Ready when the process has ended."""
        return int(self._process.sentinel)

    def has_room(self, task: Task) -> bool:
        """Tell whether a task may be sent now: one to work on, and a small one for afterwards if this one is soon over."""
        if not self.tasks:
            return True
        slowest = max(self.pace, time.monotonic() - self.since)
        return len(self.tasks) < _AHEAD and len(task.message) <= _SMALL and slowest < _SOON

    def give(self, task: Task) -> bool:
        """Send a task; return False if the process is no more. The task is in :attr:`tasks` either way."""
        self.tasks.append(task)
        return self._send(task.message)

    def stop(self) -> bool:
        """Ask it to end; return False if the process is no more."""
        return self._send(STOP)

    def has_message(self) -> bool:
        """Tell whether :meth:`receive` would return at once."""
        try:
            return self._pipe.poll(0)
        except OSError:
            return True

    def receive(self) -> Message | None:
        """Return its next message, or None if there are no more because the process has ended."""
        try:
            return read_message(self._pipe.recv_bytes())
        except (EOFError, OSError):
            return None

    def memory(self) -> int:
        """Return the bytes of memory it has now, shared ones included."""
        with suppress(psutil.Error):
            return 0 if self._meter is None else int(self._meter.memory_info().rss)
        return 0

    def kill(self, verdict: VideoError | None = None) -> None:
        """End it whatever it does; the verdict is about the first of its tasks."""
        if verdict is not None:
            self.verdict, self.doomed = verdict, self.tasks[0].number
        self._process.kill()

    def ended(self, seconds: float) -> bool:
        """Wait for its end so long; return whether it has ended."""
        self._process.join(max(0.0, seconds))
        return self._process.exitcode is not None

    def end(self) -> int | None:
        """Clean up after it and return its exit code; minus the number of the signal that ended it."""
        if not self.ended(1.0):  # it has closed its pipe without ending
            self._process.kill()
        gone = self.ended(5.0)
        code: int | None = self._process.exitcode
        self._pipe.close()
        self._lifeline.close()
        if gone:
            self._process.close()
        return code

    def _send(self, data: bytes) -> bool:
        try:
            self._pipe.send_bytes(data)
        except OSError:
            return False
        return True


def how_it_died(code: int | None) -> str:
    """Put an exit code into words."""
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
    hint = ", killed from outside, perhaps by the system for lack of memory" if name == "SIGKILL" else ""
    return name + hint


def _start(settings: Settings) -> tuple[Any, Connection, Connection]:
    """Start a process; return it with our ends of its pipe and of its lifeline."""
    for attempt in range(_STARTS):
        try:
            return _start_once(settings)
        except (OSError, EOFError):  # it was killed before it had read what to do, or the fork server was
            if attempt == _STARTS - 1:
                raise
            time.sleep(0.05)
    raise AssertionError


def _start_once(settings: Settings) -> tuple[Any, Connection, Connection]:
    context: Any = start_context()
    ours, theirs = context.Pipe()
    ends, held = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(theirs, ends, settings), name="mgmtool-worker", daemon=True)
    try:
        process.start()
    except BaseException:
        ours.close()
        held.close()
        raise
    finally:
        theirs.close()  # so that the pipe ends with the process
        ends.close()
    return process, ours, held


def start_context() -> BaseContext:
    """Fork from a clean server that has the heavy imports; spawn where the system has no fork server."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return cast("BaseContext", context)
