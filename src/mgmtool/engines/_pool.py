"""Worker processes, each looked after by one thread of the driver.

Pebble would not do: its workers share one pipe and a lock, and ``kill -9`` of one at a bad moment breaks the whole pool.
"""

from __future__ import annotations

import atexit
import threading
import time
from functools import partial
from typing import Any, Self

from mgmtool.engines._process import WorkerProcess
from mgmtool.engines._queue import TaskQueue
from mgmtool.engines._worker import Settings
from mgmtool.errors import VideoError

_JOIN_SECONDS = 2.5


class Pool:
    """Threads that have tasks done, each by one worker process at a time. Nothing is started before there is a task for it.

    Parameters
    ----------
    workers : int
        Most processes at a time.
    settings : Settings
        The work, and what a worker may take for it.
    most_bytes : int
        See :class:`TaskQueue`.
    """

    def __init__(self, workers: int, settings: Settings, most_bytes: int) -> None:
        self._workers, self._settings = workers, settings
        self._queue = TaskQueue(most_bytes)
        self._threads: list[threading.Thread] = []

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
        self._queue.close()
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def __len__(self) -> int:
        """Count the tasks whose answers have not been taken."""
        return len(self._queue)

    def submit(self, item: object) -> None:
        """Add a task."""
        if not self._queue.submit(item) and len(self._threads) < self._workers:
            self._threads.append(threading.Thread(target=self._serve, name="mgmtool-pool", daemon=True))
            self._threads[-1].start()

    def take(self) -> tuple[Any, bytes | VideoError]:
        """Wait for the next answer in order; return it with its item. See :meth:`TaskQueue.take`."""
        return self._queue.take()

    def _serve(self) -> None:
        """Have tasks done, one after the other: what each thread does."""
        queue, retries, worker = self._queue, self._settings.retries, None
        try:
            while (task := queue.next()) is not None:
                answer, tries = None, 0
                while answer is None and not queue.closed.is_set():
                    if worker is None or worker.ended:
                        worker = WorkerProcess(self._settings, queue.closed)
                    try:
                        answer = worker.do(task.message, partial(queue.make_room, task))
                    except VideoError as error:
                        tries += 1
                        if tries > retries:
                            answer = type(error)(f"{error} ({tries} tries)" if tries > 1 else str(error))
                queue.answer(task, answer)
        except BaseException as error:  # noqa: BLE001  the caller's thread raises it
            queue.give_up(error)
        finally:
            if worker is not None and not worker.ended:
                worker.end()
