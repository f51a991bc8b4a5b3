"""The thread of the driver that keeps the workers busy and deals with those that die, hang or swell.

There is one pipe for each worker and no lock between processes, so a worker can be killed at any moment, in the middle of a
message too, and nothing of the others is lost.
"""

from __future__ import annotations

import atexit
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, Self

from mgmtool.engines._memory import write_size
from mgmtool.engines._process import WorkerProcess, how_it_died
from mgmtool.engines._queue import Task, TaskQueue
from mgmtool.engines._worker import DONE, FAILED, Message, Settings
from mgmtool.errors import CrashFailure, MemoryFailure, TimeoutFailure, VideoError

_TICK = 0.25
"""Seconds between two looks at clocks and memory."""

_ASLEEP = 1.0
"""A look that comes so late says that the driver was stopped or starved, and perhaps the workers with it."""

_START_SECONDS = 120.0
_GRACE = 1.0
_JOIN_SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class Rules:
    """What a task may take.

    Attributes
    ----------
    workers : int
        Most processes at a time.
    timeout : float
        Seconds a task may run.
    retries : int
        How often a task that has cost its worker is tried again.
    """

    workers: int
    timeout: float
    retries: int


class Pool:
    """Workers for the tasks of a desk. Nothing is started before there is a task for it."""

    def __init__(self, desk: TaskQueue, rules: Rules, settings: Settings) -> None:
        self._desk, self._rules, self._settings = desk, rules, settings
        self._workers: list[WorkerProcess] = []
        self._leaving: list[tuple[float, WorkerProcess]] = []
        self._looked = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="mgmtool-pool", daemon=True)

    def __enter__(self) -> Self:
        """Start."""
        atexit.register(self._close)  # for a caller that never ends its generator
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End every worker: those without a task in peace, the others at once."""
        atexit.unregister(self._close)
        self._close()

    def _close(self) -> None:
        self._desk.close()
        self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        try:
            while self._desk.is_open:
                self._hand_out()
                self._listen()
                self._look_after()
        except BaseException as error:  # noqa: BLE001  the caller's thread raises it
            self._desk.give_up(error)
        finally:
            self._end()

    def _hand_out(self) -> None:
        """Give out tasks, lowest number first, as long as there is room for one."""
        while self._desk.is_open and (task := self._desk.peek()) is not None:
            worker = self._place_for(task)
            if worker is None:
                return
            self._give(worker, self._desk.pop())

    def _place_for(self, task: Task) -> WorkerProcess | None:
        """Find an idle worker; or start one; or take the one that has started its task last."""
        idle = next((worker for worker in self._workers if not worker.tasks), None)
        if idle is not None:
            return idle
        if len(self._workers) < self._rules.workers:
            return self._start()
        return max((w for w in self._workers if w.has_room(task)), key=lambda w: w.since, default=None)

    def _start(self) -> WorkerProcess:
        worker = WorkerProcess(self._settings)
        self._workers.append(worker)
        return worker

    def _give(self, worker: WorkerProcess, task: Task) -> None:
        if not worker.give(task):
            self._bury(worker)

    def _listen(self) -> None:
        """Wait until something happens, and take in what workers say."""
        sources: list[Any] = [self._desk.bell]
        sources += [worker.pipe for worker in self._workers if self._may_answer(worker)]
        sources += [worker.sentinel for worker in self._workers]
        busy = self._leaving or any(worker.tasks for worker in self._workers)
        ready = set(wait(sources, _TICK if busy else None))
        self._desk.hear_bell()
        for worker in self._workers.copy():
            if worker.sentinel in ready:
                self._bury(worker)
            elif worker.pipe in ready:
                self._hear(worker)

    def _may_answer(self, worker: WorkerProcess) -> bool:
        """Leave answers in the workers while too much is held, but for what leads to the one the caller waits for."""
        if not self._desk.full or self._desk.head_is_here:
            return True
        return any(task.number == self._desk.head for task in worker.tasks)

    def _hear(self, worker: WorkerProcess) -> None:
        message = worker.receive()
        if message is None:
            self._bury(worker)
        else:
            self._note(worker, message)

    def _note(self, worker: WorkerProcess, message: Message) -> None:
        """Act on what a worker says."""
        started, worker.since = worker.since, time.monotonic()
        worker.ready, worker.running = True, message.goes_on
        if message.kind in {DONE, FAILED}:
            worker.pace = worker.since - started
            task = worker.tasks.popleft()
            failed = message.kind == FAILED
            self._desk.answer(task.number, CrashFailure(str(message.payload, "utf-8")) if failed else message)
            if message.leaving:
                self._let_go(worker)

    def _let_go(self, worker: WorkerProcess) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            self._leaving.append((time.monotonic(), worker))
            self._put_back(worker)

    def _put_back(self, worker: WorkerProcess) -> None:
        while worker.tasks:
            self._desk.put_back(worker.tasks.pop())

    def _bury(self, worker: WorkerProcess) -> None:
        """Take in the last words of a worker that is dead, and blame the task that it was running, no other."""
        self._workers.remove(worker)
        while worker.has_message() and (message := worker.receive()) is not None:
            self._note(worker, message)
        code = worker.end()
        # One that never came up is blamed on its first task too: if it is the task's fault, this must not go on for ever.
        task = worker.tasks.popleft() if worker.tasks and (worker.running or not worker.ready) else None
        self._put_back(worker)
        if task is None:
            return
        if worker.doomed is not None and worker.doomed != task.number:  # it had got over that one in the last moment
            self._desk.put_back(task)
        else:
            self._blame(task, worker.verdict or CrashFailure(f"the worker died: {how_it_died(code)}"))

    def _blame(self, task: Task, error: VideoError) -> None:
        """Try again in a new worker, or give up."""
        task.tries += 1
        if task.tries <= self._rules.retries:
            self._give(self._start(), task)
        else:
            tries = f" ({task.tries} tries)" if task.tries > 1 else ""
            self._desk.answer(task.number, type(error)(f"{error}{tries}"))

    def _look_after(self) -> None:
        """Look at clocks and memory, every now and then."""
        now = time.monotonic()
        late = now - self._looked
        if late < _TICK:
            return
        self._looked = now
        for worker in self._workers:
            if late > _ASLEEP:
                worker.since += late
            if worker.tasks and worker.verdict is None and not worker.has_message():
                self._judge(worker, now - worker.since)
        for since, worker in self._leaving.copy():
            if worker.ended(0) or now - since > _START_SECONDS:
                self._leaving.remove((since, worker))
                worker.end()

    def _judge(self, worker: WorkerProcess, seconds: float) -> None:
        """Kill a worker that has taken too long or too much."""
        limit = self._settings.memory
        if not worker.ready:
            if seconds > max(_START_SECONDS, self._rules.timeout):
                worker.kill(TimeoutFailure(f"its worker did not start within {seconds:.0f} s"))
        elif worker.running and seconds > self._rules.timeout:
            worker.kill(TimeoutFailure(f"took longer than {self._rules.timeout:g} s; its worker was stopped"))
        elif worker.running and limit is not None and (size := worker.memory()) > limit:
            sizes = f"{write_size(size)}, more than the limit of {write_size(limit)}"
            worker.kill(MemoryFailure(f"its worker reached {sizes}; see --worker-memory"))

    def _end(self) -> None:
        """End every worker within a bounded time."""
        left = [*self._workers, *(worker for _, worker in self._leaving)]
        for worker in self._workers:
            if worker.tasks or not worker.stop():
                worker.kill()
        deadline = time.monotonic() + _GRACE
        for worker in left:
            if not worker.ended(deadline - time.monotonic()):
                worker.kill()
        for worker in left:
            worker.end()
