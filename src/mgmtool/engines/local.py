"""A pool of processes on this machine."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from mgmtool.engines._machine import available_cpus, processes_by_files, read_size, share_of_memory
from mgmtool.engines._pool import Pool
from mgmtool.engines._worker import Settings, describe
from mgmtool.engines.base import Item, Result
from mgmtool.errors import CrashFailure, UsageError, VideoError

_ITEMS_AHEAD = 64
"""Items taken ahead of the results, for each worker: so long can the others go on while one hangs."""

_BYTES_AHEAD = 128 * 2**20


@dataclass(frozen=True)
class Local:
    """Worker processes on this machine, one video a task; a hung or dead worker costs its own video only.

    Attributes
    ----------
    workers : int or None
        Processes; None (``auto``) takes one for each CPU this process may use.
    timeout : float
        Seconds a video may take before its worker is stopped.
    retries : int
        How often a video that has cost its worker (died, too slow, too large) is tried again in a new one.
    worker_memory : str
        Memory above which a worker is stopped: bytes such as ``4GB`` or ``800MiB``, ``none``, or ``auto``: 0.9 of the memory of
        the machine or the container, shared among the workers, and at least 1 GiB.
    recycle : int
        Videos after which a worker is replaced, which bounds what a leak in a decoder can cost.
    """

    workers: int | None = None
    timeout: float = 300.0
    retries: int = 1
    worker_memory: str = "auto"
    recycle: int = 1000

    def __post_init__(self) -> None:
        """Check the options."""
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"workers is {self.workers}; expected auto, or 1 or more")
        if not self.timeout > 0:
            raise UsageError(f"timeout is {self.timeout}; expected more than 0 seconds")
        if self.retries < 0:
            raise UsageError(f"retries is {self.retries}; expected 0 or more")
        if self.worker_memory not in {"auto", "none"} and read_size(self.worker_memory) is None:
            raise UsageError(
                f"worker_memory is {self.worker_memory!r}; expected auto, none, or a size such as 4GB or 800MiB"
            )
        if self.recycle < 1:
            raise UsageError(f"recycle is {self.recycle}; expected 1 or more")

    def run(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item, VideoError], Result],
    ) -> Generator[Result, None, None]:
        """See :meth:`mgmtool.engines.Engine.run`."""
        workers = self.processes()
        pickled = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        settings = Settings(pickled, self.recycle, self.worker_limit(workers), self.timeout, self.retries)
        with Pool(workers, settings, _BYTES_AHEAD) as pool:
            for item in items:
                pool.submit(item)
                if len(pool) == workers * _ITEMS_AHEAD:
                    yield _result(*pool.take(), lost)
            while pool:
                yield _result(*pool.take(), lost)

    def processes(self) -> int:
        """Return how many worker processes there will be: as asked for, but no more than limits of the system allow.

        Raises
        ------
        WorkerStartError
            There can be none.
        """
        return processes_by_files(self.workers or available_cpus())

    def worker_limit(self, workers: int) -> int | None:
        """Return the bytes above which one of so many workers is stopped; None for no limit."""
        if self.worker_memory == "auto":
            return share_of_memory(workers)
        return read_size(self.worker_memory)


def _result(item: Item, answer: bytes | VideoError, lost: Callable[[Item, VideoError], Result]) -> Result:
    if isinstance(answer, VideoError):
        return lost(item, answer)
    try:
        result: Result = pickle.loads(answer)  # noqa: S301  from our own worker
    except Exception as error:  # noqa: BLE001  an answer that cannot be read is the failure of its one item
        return lost(item, CrashFailure(describe(error)))
    return result


PLUGIN = Local
