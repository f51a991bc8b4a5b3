"""A pool of processes on this machine."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import Any, cast

from pebble import ProcessExpired, ProcessPool

from mgmtool.engines._engine import Item, Result, available_cpus
from mgmtool.engines._memory import return_pictures_to_the_system
from mgmtool.errors import CrashFailure, TimeoutFailure, UsageError, VideoError, one_line

_PRELOAD = ["mgmtool.pipeline"]
_TASKS_AHEAD = 4


@dataclass(frozen=True)
class Local:
    """Worker processes on this machine, one video a task; a hung or dead worker costs its own video only.

    Attributes
    ----------
    workers : int or None
        Processes; None (``auto``) takes one for each CPU this process may use.
    timeout : float
        Seconds a video may take before its worker is stopped.
    recycle : int
        Videos after which a worker is replaced, which bounds what a leak in a decoder can cost.
    """

    workers: int | None = None
    timeout: float = 300.0
    recycle: int = 1000

    def __post_init__(self) -> None:
        """Check the options."""
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"workers is {self.workers}; expected auto, or 1 or more")
        if not self.timeout > 0:
            raise UsageError(f"timeout is {self.timeout}; expected more than 0 seconds")
        if self.recycle < 1:
            raise UsageError(f"recycle is {self.recycle}; expected 1 or more")

    def run(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item, VideoError], Result],
    ) -> Generator[Result, None, None]:
        """See :meth:`mgmtool.engines.Engine.run`."""
        workers = self.workers or available_cpus()
        pool: Any = ProcessPool(
            max_workers=workers, max_tasks=self.recycle, initializer=_start_worker, context=_start_context()
        )
        waiting: deque[tuple[Item, Future[Result]]] = deque()
        try:
            for item in items:
                waiting.append((item, pool.schedule(work, args=[item], timeout=self.timeout)))
                if len(waiting) == workers * _TASKS_AHEAD:
                    yield self._result(*waiting.popleft(), lost)
            while waiting:
                yield self._result(*waiting.popleft(), lost)
            pool.close()
        finally:
            # After a normal end the pool is closed and this only waits; after an interrupt it kills what still runs.
            pool.stop()
            pool.join()

    def _result(self, item: Item, future: Future[Result], lost: Callable[[Item, VideoError], Result]) -> Result:
        try:
            return future.result()
        except TimeoutError:
            return lost(item, TimeoutFailure(f"took longer than {self.timeout:g} s; its worker was stopped"))
        except ProcessExpired as error:
            return lost(item, CrashFailure(f"the worker died: {_how_it_died(error.exitcode)}"))
        except Exception as error:  # noqa: BLE001  whatever a worker could not answer is the failure of its one video
            return lost(item, CrashFailure(one_line(f"{type(error).__name__}: {error}")))


def _how_it_died(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        try:
            return signal.Signals(-exitcode).name
        except ValueError:
            return f"signal {-exitcode}"
    return f"exit code {exitcode}"


def _start_worker() -> None:
    # Ctrl-C reaches the whole process group; the driver decides what happens to the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return_pictures_to_the_system()


def _start_context() -> BaseContext:
    """Fork from a clean server that has the heavy imports; spawn where the system has no fork server."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)
    return cast("BaseContext", context)


PLUGIN = Local
