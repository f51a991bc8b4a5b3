"""Tasks of one caller on their way to the threads that have them done, and answers on their way back, in order."""

from __future__ import annotations

import pickle
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from mgmtool.engines._worker import describe
from mgmtool.errors import CrashFailure, VideoError


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


class TaskQueue:
    """Tasks from the first whose answer has not been taken to the last submitted.

    The caller uses :meth:`submit`, :meth:`take` and the length; the threads use the rest.

    Parameters
    ----------
    most_bytes : int
        Bytes of answers held above which further ones wait in their workers, except the one that the caller waits for.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes, self._held, self._idle = most_bytes, 0, 0
        self._lock = threading.Lock()
        self._submitted, self._answered, self._room = (threading.Condition(self._lock) for _ in range(3))
        self._window: deque[Task] = deque()
        self._waiting: deque[Task] = deque()
        self._broken: BaseException | None = None
        self.closed = threading.Event()

    def __len__(self) -> int:
        """Count the tasks whose answers have not been taken."""
        return len(self._window)

    def submit(self, item: object) -> bool:
        """Add a task; return whether there is an idle thread for it, or none is needed."""
        task = Task(item)
        try:
            task.message = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001  an item that cannot be sent is a failure like any other
            task.answer = CrashFailure(describe(error))
        with self._lock:
            self._window.append(task)
            if task.answer is None:
                self._waiting.append(task)
                self._submitted.notify()
            return self._idle >= len(self._waiting)

    def take(self) -> tuple[Any, bytes | VideoError]:
        """Wait for the next answer in order; return it with its item. An error of a thread itself is raised here."""
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

    def next(self) -> Task | None:
        """Wait for a task to be done; None says that no more are wanted."""
        with self._lock:
            self._idle += 1
            while not self._waiting and not self.closed.is_set():
                self._submitted.wait()
            self._idle -= 1
            return None if self.closed.is_set() else self._waiting.popleft()

    def make_room(self, task: Task, size: int) -> None:
        """Wait until an answer may be received. Tasks begin in order, so the one that the caller waits for is on its way."""
        with self._lock:
            while self._held >= self._most_bytes and task is not self._window[0] and not self.closed.is_set():
                self._room.wait()
            self._held += size - task.size
            task.size = size

    def answer(self, task: Task, answer: bytes | VideoError | None) -> None:
        """Leave an answer for the caller."""
        with self._lock:
            task.answer = answer
            if task is self._window[0]:
                self._answered.notify()

    def give_up(self, error: BaseException) -> None:
        """Have the caller's thread raise an error."""
        with self._lock:
            self._broken = error
            self._answered.notify()

    def close(self) -> None:
        """Wake every thread: no answer is wanted any more."""
        with self._lock:
            self.closed.set()
            self._submitted.notify_all()
            self._room.notify_all()
