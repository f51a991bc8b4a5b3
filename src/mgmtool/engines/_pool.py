"""Worker processes, each looked after by a thread of the driver, and their answers in the order of the tasks.

Pebble would not do: its workers share one pipe and a lock, and ``kill -9`` of one at a bad moment breaks the whole pool.
"""

from __future__ import annotations

import atexit
import pickle
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from mgmtool.engines._process import WorkerProcess
from mgmtool.engines._worker import Settings, describe
from mgmtool.errors import CrashFailure, VideoError

_JOIN_SECONDS = 2.5


@dataclass(slots=True, eq=False)
class Task:
    """One item, from its arrival until the caller takes the answer.

    Attributes
    ----------
    item : object
        What the work is applied to.
    message : bytes
        The pickled item.
    answer : bytes, VideoError or None
        The pickled result, or why there is none; None while it is awaited.
    size : int
        Bytes of the answer that count as held.
    """

    item: Any
    message: bytes = b""
    answer: bytes | VideoError | None = None
    size: int = 0


class Pool:
    """Threads that have tasks done, each by one worker process at a time. Nothing is started before there is a task for it.

    The caller's thread uses :meth:`submit` and :meth:`take`.

    Parameters
    ----------
    workers : int
        Most processes at a time.
    settings : Settings
        The work, and what a worker may take for it.
    most_bytes : int
        Bytes of answers held here above which further ones wait in their workers, except the one that the caller waits for.
    """

    def __init__(self, workers: int, settings: Settings, most_bytes: int) -> None:
        self._workers, self._settings, self._most_bytes = workers, settings, most_bytes
        self._lock = threading.Lock()
        self._submitted, self._answered, self._room = (threading.Condition(self._lock) for _ in range(3))
        self._window: deque[Task] = deque()
        self._queue: deque[Task] = deque()
        self._held = self._idle = 0
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()
        self._broken: BaseException | None = None

    def __enter__(self) -> Self:
        """Have the workers end with the interpreter, in case a caller never ends its generator."""
        atexit.register(self.close)
        return self

    def __exit__(self, *_: object) -> None:
        """See :meth:`close`."""
        atexit.unregister(self.close)
        self.close()

    def close(self) -> None:
        """End every worker within a bounded time: those without a task in peace, the others at once."""
        with self._lock:
            self._closed.set()
            self._submitted.notify_all()
            self._room.notify_all()
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def __len__(self) -> int:
        """Count the tasks whose answers have not been taken."""
        return len(self._window)

    def submit(self, item: object) -> None:
        """Add a task."""
        task = Task(item)
        try:
            task.message = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001  an item that cannot be sent is a failure like any other
            task.answer = CrashFailure(describe(error))
        with self._lock:
            self._window.append(task)
            if task.answer is None:
                self._queue.append(task)
                if self._idle >= len(self._queue):
                    self._submitted.notify()
                elif len(self._threads) < self._workers:
                    self._threads.append(threading.Thread(target=self._serve, name="mgmtool-pool", daemon=True))
                    self._threads[-1].start()

    def take(self) -> tuple[Any, bytes | VideoError]:
        """Wait for the next answer in order; return it with its item. An error of the pool itself is raised here."""
        with self._lock:
            task = self._window[0]
            while task.answer is None:
                if self._broken is not None:
                    raise self._broken
                self._answered.wait(1.0)  # not for ever: some systems deliver no signal to a thread that waits for ever
            self._window.popleft()
            self._held -= task.size
            self._room.notify_all()
            return task.item, task.answer

    def _serve(self) -> None:
        """Have tasks done, one after the other: what each thread does."""
        worker: WorkerProcess | None = None
        try:
            while (task := self._next()) is not None:
                answer, tries = None, 0
                while answer is None and not self._closed.is_set():
                    if worker is None or worker.ended:
                        worker = WorkerProcess(self._settings, self._closed)
                    try:
                        answer = worker.do(task.message, partial(self._make_room, task))
                    except VideoError as error:
                        tries += 1
                        if tries > self._settings.retries:
                            answer = type(error)(f"{error} ({tries} tries)" if tries > 1 else str(error))
                self._leave(task, answer)
        except BaseException as error:  # noqa: BLE001  the caller's thread raises it
            with self._lock:
                self._broken = error
                self._answered.notify()
        finally:
            if worker is not None and not worker.ended:
                worker.end()

    def _next(self) -> Task | None:
        """Wait for a task; None says that no more are wanted."""
        with self._lock:
            self._idle += 1
            while not self._queue and not self._closed.is_set():
                self._submitted.wait()
            self._idle -= 1
            return None if self._closed.is_set() else self._queue.popleft()

    def _make_room(self, task: Task, size: int) -> None:
        """Wait until an answer may be received. Tasks begin in order, so the one that the caller waits for is on its way."""
        with self._lock:
            while self._held >= self._most_bytes and task is not self._window[0] and not self._closed.is_set():
                self._room.wait()
            self._held += size - task.size
            task.size = size

    def _leave(self, task: Task, answer: bytes | VideoError | None) -> None:
        """Leave an answer for the caller."""
        with self._lock:
            task.answer = answer
            if task is self._window[0]:
                self._answered.notify()
