"""The driver's side of one worker process.

Each process has a pipe of its own and shares no lock with others, so it can be killed at any moment, in the middle of a message
too, and only the task it was busy with is affected.
"""

from __future__ import annotations

import errno
import multiprocessing
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from mgmtool.engines._machine import resident, write_size
from mgmtool.engines._worker import HEAD, Settings, serve
from mgmtool.errors import CrashFailure, MemoryFailure, TimeoutFailure, VideoError, WorkerStartError

_PRELOAD = ["mgmtool.extraction.preload"]
_STARTS = 5
_START_SECONDS = 120.0
_GRACE_SECONDS = 1.0
_REAP_SECONDS = 5.0
_TICK = 0.25
"""Seconds between two looks at clock and memory."""

_ASLEEP = 1.0
"""A look that comes this late shows that the driver was stopped or starved, and perhaps the worker with it."""

_CHILDREN = threading.Lock()
"""Each start has multiprocessing poll all its children, and of two threads that read one exit code, one would get none."""


class WorkerProcess:
    """A process and the pipe to it, for the use of one thread.

    Parameters
    ----------
    settings : Settings
        The work, and what the process may take for it.
    closed : Event
        Set when no answer is wanted any more.

    Attributes
    ----------
    ended : bool
        Whether it has ended and takes no more tasks.
    """

    def __init__(self, settings: Settings, closed: threading.Event) -> None:
        self._settings, self._closed = settings, closed
        self._process, self._pipe, self._lifeline = start_worker(settings)
        self._ready = self.ended = False
        self._verdict: VideoError | None = None

    def do(self, task: bytes, make_room: Callable[[int], None]) -> bytes | VideoError | None:
        """Have a task done.

        Parameters
        ----------
        task : bytes
            The pickled item.
        make_room : callable
            Called with the size of the result in bytes; returns when it may be received.

        Returns
        -------
        bytes, VideoError or None
            The pickled result; or what the work has raised; or None if the process died before it had read the task.

        Raises
        ------
        VideoError
            The task has cost the process: it died, or was killed because it took too long or too much memory.
        """
        try:
            if not self._ready:
                self._listen()
                self._ready = True
            self._pipe.send_bytes(task)
            failed, leaving, size = HEAD.unpack(self._listen())
            make_room(size)
            payload = self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            code = self.end()
            # Linux says "reset" where the process left something unread in its end of the pipe.
            if self._verdict is None and isinstance(error, BrokenPipeError | ConnectionResetError):
                return None
            raise self._verdict or CrashFailure(f"the worker died: {how_it_died(code)}") from None
        if leaving or self._verdict is not None:  # killed, but it had answered in the last moment
            self.end()
        return CrashFailure(str(payload, "utf-8")) if failed else payload

    def _listen(self) -> bytes:
        """Wait for its next message; kill it when it takes too long or too much, or is wanted no more."""
        since = looked = time.monotonic()
        while not self._pipe.poll(_TICK):
            now = time.monotonic()
            if now - looked > _ASLEEP:
                since += now - looked
            looked = now
            self._verdict = self._judge(now - since)
            if self._verdict is not None or self._closed.is_set():
                self._process.kill()
                break
        return self._pipe.recv_bytes()

    def _judge(self, seconds: float) -> VideoError | None:
        """Say why it has to be killed, if so."""
        timeout, limit = self._settings.timeout, self._settings.memory
        if not self._ready:
            late = seconds > max(_START_SECONDS, timeout)
            return TimeoutFailure(f"its worker did not start within {seconds:.0f} s") if late else None
        if seconds > timeout:
            return TimeoutFailure(f"took longer than {timeout:g} s; its worker was stopped")
        if limit is not None and (size := resident(self._process.pid)) > limit:
            sizes = f"{write_size(size)}, more than the limit of {write_size(limit)}"
            return MemoryFailure(f"its worker reached {sizes}; see --worker-memory")
        return None

    def end(self) -> int | None:
        """Have it end, within seconds; return its exit code, which is minus the number of the signal that ended it."""
        self.ended = True
        self._pipe.close()  # this ends one that waits for a task
        if not wait([self._process.sentinel], _GRACE_SECONDS):
            self._process.kill()
            wait([self._process.sentinel], _REAP_SECONDS)
        with _CHILDREN:
            code: int | None = self._process.exitcode
            if code is not None:
                self._process.close()
        self._lifeline.close()
        return code


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


def why_not_started(error: OSError | EOFError) -> str:
    """Say in one line why no worker process can be started, and what to do."""
    number, words = (
        getattr(error, "errno", None),
        str(getattr(error, "strerror", None) or error or type(error).__name__),
    )
    if number in {errno.EMFILE, errno.ENFILE}:
        cure = "fewer --workers, or a higher limit of open files (ulimit -n)"
    elif number in {errno.EAGAIN, errno.ENOMEM}:
        cure = "fewer --workers, or higher limits of processes (ulimit -u) and memory"
    else:
        cure = f"a TMPDIR that can be written, has room, and has a short name: it is {tempfile.gettempdir()}"
    return f"a worker process cannot be started: {words}; expected {cure}"


def start_worker(settings: Settings) -> tuple[Any, Connection, Connection]:
    """Start a process; return it with our ends of its pipe and of its lifeline.

    It is forked from a clean server that has the heavy imports; or spawned where the system has no fork server.
    """
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload(_PRELOAD)
    for attempt in range(_STARTS):
        (ours, theirs), (end, held) = context.Pipe(), context.Pipe(duplex=False)
        process = context.Process(target=serve, args=(theirs, end, settings), name="mgmtool-worker", daemon=True)
        try:
            with _CHILDREN:
                process.start()
        except BaseException as error:
            ours.close()
            held.close()
            # An error of the system: it was killed before it had read what to do, or the fork server was.
            if not isinstance(error, OSError | EOFError):
                raise
            if attempt == _STARTS - 1:
                raise WorkerStartError(why_not_started(error)) from error
            time.sleep(0.05)
        else:
            return process, ours, held
        finally:
            theirs.close()  # so that the pipe ends with the process
            end.close()
    raise AssertionError
