"""Parts as tasks of a Ray cluster; inside each task, a pool of processes does the videos."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from mgmtool.engines._machine import available_cpus, share_of_memory
from mgmtool.engines._worker import describe
from mgmtool.engines.base import Engine, Item, Result
from mgmtool.engines.local import Local
from mgmtool.errors import CrashFailure, MemoryFailure, UsageError, VideoError, one_line

_LOG = logging.getLogger(__name__)

_MOST_CPUS = 4
"""CPUs of a task where nothing is asked for: enough to hide one slow video, few enough for nodes of any size."""

_AHEAD = 2
"""Tasks given to the cluster for each that it can run: no node waits for the driver."""

_RETRIES = 3
_CANCEL_SECONDS = 5.0
_CONNECT_SECONDS = 10.0
_LONGEST = 400


@dataclass(frozen=True)
class InTask(Local):
    """The pool inside a task: as many workers as the task has CPUs, and a share of the node's memory."""

    def run(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item, VideoError], Result],
    ) -> Generator[Result, None, None]:
        """See :meth:`mgmtool.engines.Engine.run`."""
        return Local.run(replace(self, workers=self.workers or _cpus_of_this_task()), work, items, lost)

    def _memory_limit(self, workers: int) -> int | None:
        if self.worker_memory == "auto":  # other tasks run on the same node
            return share_of_memory(max(workers, available_cpus()))
        return super()._memory_limit(workers)


@dataclass(frozen=True)
class Ray:
    """Tasks on a Ray cluster, one part each, done by worker processes inside it; a node that dies costs its tasks a retry.

    Attributes
    ----------
    workers : int or None
        CPUs that each task reserves, and processes in it; None (``auto``) takes those of the smallest node, at most 4.
    timeout, retries, worker_memory, recycle
        As in the local engine, for the processes inside a task.
    address : str
        Of the cluster, or ``auto`` for one this machine is part of, or ``local`` to start one; empty looks at RAY_ADDRESS, then
        for a running one, and then starts one.
    """

    whole_parts: ClassVar[bool] = True

    workers: int | None = None
    timeout: float = 300.0
    retries: int = 1
    worker_memory: str = "auto"
    recycle: int = 1000
    address: str = ""

    def __post_init__(self) -> None:
        """Check the options."""
        self.inside()

    def inside(self) -> Engine:
        """See :meth:`mgmtool.engines.Engine.inside`."""
        return InTask(**{field.name: getattr(self, field.name) for field in fields(InTask)})

    def run(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item, VideoError], Result],
    ) -> Generator[Result, None, None]:
        """See :meth:`mgmtool.engines.Engine.run`."""
        pickled = pickle.dumps(work, pickle.HIGHEST_PROTOCOL)
        waiting: deque[tuple[Item, Any]] = deque()
        with _cluster(self.address) as ray:
            cpus, slots = _plan(_nodes(ray), self.workers)
            task = ray.remote(answer).options(num_cpus=cpus, max_retries=_RETRIES, retry_exceptions=False)
            try:
                for item in items:
                    waiting.append((item, task.remote(pickled, item)))
                    if len(waiting) == _AHEAD * slots:
                        yield _result(*waiting[0], lost)
                        waiting.popleft()  # not before: a task that we wait for is to be cancelled with the others
                while waiting:
                    yield _result(*waiting[0], lost)
                    waiting.popleft()
            finally:
                _cancel(ray, [reference for _, reference in waiting])


def answer(pickled: bytes, item: Any) -> tuple[bool, Any]:
    """Do one item inside a task of the cluster.

    Returns
    -------
    fine : bool
        Whether the work was done.
    result : object
        What it gave, or one line that says why it failed, and where.
    """
    # Each worker of the pool would run the main script of its parent, which here is Ray's own and takes a second.
    vars(sys.modules["__main__"]).pop("__file__", None)
    try:
        return True, pickle.loads(pickled)(item)  # noqa: S301  from our driver
    except Exception as error:  # noqa: BLE001  whatever a task could not do is the failure of its one item
        return False, f"{describe(error)} (on {socket.gethostname()})"


def _result(item: Item, reference: Any, lost: Callable[[Item, VideoError], Result]) -> Result:
    import ray

    try:
        # Not ray.get: it waits in C++ and swallows what a signal handler raises.
        fine, result = reference.future().result()
    except ray.exceptions.OutOfMemoryError as error:
        return lost(item, MemoryFailure(_words(error)))
    except ray.exceptions.RayError as error:
        return lost(item, CrashFailure(_words(error)))
    made: Result = result if fine else lost(item, CrashFailure(result))
    return made


def _words(error: Exception) -> str:
    """Ray names the node and what it knows of the end of its process, in a screenful."""
    text = one_line(f"{type(error).__name__}: {error}")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _cancel(ray: Any, references: list[Any]) -> None:
    """End tasks at once, with the processes inside them, which end with the task's own."""
    for reference in references:
        with suppress(Exception):  # the cluster may be gone
            ray.cancel(reference, force=True)
    if references:
        with suppress(Exception):
            ray.wait(references, num_returns=len(references), timeout=_CANCEL_SECONDS)


def _nodes(ray: Any) -> list[int]:
    """CPUs of each node that has any."""
    alive = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    return sorted(int(cpus) for cpus in alive if cpus >= 1)


def _plan(nodes: list[int], workers: int | None) -> tuple[int, int]:
    """Say how many CPUs a task reserves, and how many tasks can run at a time."""
    if workers is not None and nodes and workers > nodes[-1]:
        raise UsageError(f"workers is {workers}, but no node of the Ray cluster has more than {nodes[-1]} CPUs")
    cpus = workers or min([_MOST_CPUS, *nodes[:1]])
    return cpus, max(1, sum(node // cpus for node in nodes))


def _cpus_of_this_task() -> int:
    import ray

    return max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1)))


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """Be connected to a cluster; stay with the one whoever uses this library is connected to."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # we use no GPU; otherwise Ray explains itself
    try:
        import ray
    except ImportError as error:
        raise UsageError(f"the engine ray needs Ray: pip install 'mgmtool[ray]' ({one_line(str(error))})") from None
    if ray.is_initialized():
        yield ray
        return
    with _our_sigterm():
        _connect(ray, address or os.environ.get("RAY_ADDRESS", ""))
    try:
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address != "local":
        try:
            _reach(address)
            ray.init(address=address or "auto", **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            if address:
                raise UsageError(f"cannot join a Ray cluster at {address!r}: {_words(error)}") from None
        else:
            return
        _LOG.warning("no Ray cluster is running here; starting one on this machine")
    ray.init(address="local", include_dashboard=False, **quiet)


def _reach(address: str) -> None:
    """Raise OSError at once where nobody listens; Ray alone tries for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()


@contextmanager
def _our_sigterm() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray replaces by one of its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


PLUGIN = Ray
