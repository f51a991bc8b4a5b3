"""Items as tasks of a Ray cluster; inside each task, a pool of processes does the members of a batch."""

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
from typing import Any

from mgmtool.engines._machine import available_cpus
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
        workers = self.workers
        if workers is None:
            import ray

            workers = max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1)))
        return Local.run(replace(self, workers=workers), work, items, lost)

    def worker_limit(self, workers: int) -> int | None:
        """See :meth:`Local.worker_limit`; other tasks run on the same node."""
        return super().worker_limit(max(workers, available_cpus()))


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

    workers: int | None = None
    timeout: float = 300.0
    retries: int = 1
    worker_memory: str = "auto"
    recycle: int = 1000
    address: str = ""

    def __post_init__(self) -> None:
        """Check the options."""
        self.on_node()

    def on_node(self) -> Engine:
        """See :meth:`mgmtool.engines.Cluster.on_node`."""
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
        with connection(self.address) as ray:
            cpus, slots = plan(ray.nodes(), self.workers)
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
            finally:  # at once, with the processes inside the tasks, which end with the tasks' own
                for _, reference in waiting:
                    with suppress(Exception):  # the cluster may be gone
                        ray.cancel(reference, force=True)
                if waiting:
                    with suppress(Exception):
                        ray.wait([r for _, r in waiting], num_returns=len(waiting), timeout=_CANCEL_SECONDS)


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


def plan(nodes: list[dict[str, Any]], workers: int | None) -> tuple[int, int]:
    """Say how many CPUs a task reserves, and how many tasks can run at a time.

    Parameters
    ----------
    nodes : list of dict
        What Ray says of the nodes of the cluster.
    workers : int or None
        CPUs for each task; None leaves it to us.

    Raises
    ------
    UsageError
        No node has so many CPUs.
    """
    sizes = sorted(int(node["Resources"].get("CPU", 0)) for node in nodes if node["Alive"])
    sizes = [size for size in sizes if size]
    if workers is not None and sizes and workers > sizes[-1]:
        raise UsageError(f"workers is {workers}, but no node of the Ray cluster has more than {sizes[-1]} CPUs")
    cpus = workers or min([_MOST_CPUS, *sizes[:1]])
    return cpus, max(1, sum(size // cpus for size in sizes))


@contextmanager
def connection(address: str) -> Iterator[Any]:
    """Connect to a cluster and yield the module ``ray``; keep the connection of a host program that has one.

    Raises
    ------
    UsageError
        Ray is not installed, or the cluster cannot be joined.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # we use no GPU; otherwise Ray explains itself
    try:
        import ray
    except ImportError as error:
        raise UsageError(f"the engine ray needs Ray: pip install 'mgmtool[ray]' ({one_line(str(error))})") from None
    if ray.is_initialized():
        yield ray
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        join(ray, address or os.environ.get("RAY_ADDRESS", ""))
    finally:  # Ray sets a handler of its own
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
    try:
        yield ray
    finally:
        ray.shutdown()


def join(ray: Any, address: str) -> None:
    """Join a cluster, or start one where no address is given and none is running here."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address != "local":
        try:
            host, colon, port = address.rpartition(":")
            if colon and port.isdecimal() and "/" not in host:  # Ray alone tries for minutes where nobody listens
                socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
            ray.init(address=address or "auto", **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            if address:
                raise UsageError(f"cannot join a Ray cluster at {address!r}: {_words(error)}") from None
        else:
            return
        _LOG.warning("no Ray cluster is running here; starting one on this machine")
    ray.init(address="local", include_dashboard=False, **quiet)


PLUGIN = Ray
