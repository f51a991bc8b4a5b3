"""Where the caller leaves tasks and picks up answers in order, and the pool's thread does the reverse."""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe

from mgmtool.engines._worker import Message, describe, write_task
from mgmtool.errors import CrashFailure, VideoError


@dataclass(order=True, slots=True)
class Task:
    """One item on its way to a worker.

    Attributes
    ----------
    number : int
        Its place in the order.
    message : bytes
        What the worker is sent.
    tries : int
        Workers it has cost.
    """

    number: int
    message: bytes = field(compare=False)
    tries: int = field(default=0, compare=False)


Answer = Message | VideoError


class TaskQueue:
    """Tasks and answers, shared by the caller's thread and the pool's.

    The caller uses :meth:`submit`, :meth:`take` and :meth:`close`; the rest is for the pool.

    Parameters
    ----------
    most_bytes : int
        Answers held above which no further task is given out, except the one that the caller waits for.
    """

    def __init__(self, most_bytes: int) -> None:
        self.bell: Connection
        self.bell, self._button = Pipe(duplex=False)
        self._pressed = False
        self._changed = threading.Condition()
        self._tasks: list[Task] = []
        self._answers: dict[int, Answer] = {}
        self._submitted = self._taken = 0
        self._held, self._most_bytes = 0, most_bytes
        self._open = True
        self._broken: BaseException | None = None

    def submit(self, item: object) -> None:
        """Add a task; it gets the next number."""
        with self._changed:
            try:
                heapq.heappush(self._tasks, Task(self._submitted, write_task(self._submitted, item)))
                if len(self._tasks) == 1:  # or else the pool is busy with the others, and looks here again
                    self._ring()
            except Exception as error:  # noqa: BLE001  an item that cannot be sent is a failure like any other
                self._answers[self._submitted] = CrashFailure(describe(error))
            self._submitted += 1

    def take(self) -> Answer:
        """Wait for the next answer in order; an error of the pool itself is raised here."""
        with self._changed:
            while self._taken not in self._answers:
                if self._broken is not None:
                    raise self._broken
                self._changed.wait(1.0)  # not for ever: some systems deliver no signal to a thread that waits for ever
            answer = self._answers.pop(self._taken)
            self._taken += 1
            if self.full:
                self._ring()
            self._held -= _size(answer)
            return answer

    def close(self) -> None:
        """Have the pool end."""
        with self._changed:
            self._open = False
            self._ring()

    @property
    def is_open(self) -> bool:
        """Whether the caller may still want something."""
        return self._open

    @property
    def head(self) -> int:
        """Number of the answer that the caller waits for, now or next."""
        return self._taken

    @property
    def full(self) -> bool:
        """Whether so many bytes of answers are held that no more are welcome."""
        return self._held >= self._most_bytes

    @property
    def head_is_here(self) -> bool:
        """Whether the task that the caller waits for has not been given out."""
        with self._changed:
            return bool(self._tasks) and self._tasks[0].number == self._taken

    def peek(self) -> Task | None:
        """Return the task to give out next, if one may be given out now."""
        with self._changed:
            welcome = self._tasks and (not self.full or self._tasks[0].number == self._taken)
            return self._tasks[0] if welcome else None

    def pop(self) -> Task:
        """Remove the task of :meth:`peek`."""
        with self._changed:
            return heapq.heappop(self._tasks)

    def put_back(self, task: Task) -> None:
        """Return a task that was given out in vain; it keeps its place in the order."""
        with self._changed:
            heapq.heappush(self._tasks, task)

    def answer(self, number: int, answer: Answer) -> None:
        """Leave an answer for the caller."""
        with self._changed:
            self._answers[number] = answer
            self._held += _size(answer)
            if number == self._taken:
                self._changed.notify()

    def give_up(self, error: BaseException) -> None:
        """Tell the caller that the pool itself is broken."""
        with self._changed:
            self._broken = error
            self._changed.notify()

    def hear_bell(self) -> None:
        """Take note that something has changed."""
        with self._changed:
            if self._pressed:
                self.bell.recv_bytes()
                self._pressed = False

    def _ring(self) -> None:
        if not self._pressed:
            self._pressed = True
            self._button.send_bytes(b".")


def _size(answer: Answer) -> int:
    return answer.size if isinstance(answer, Message) else 0
