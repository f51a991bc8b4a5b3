"""What of this machine a run may use, and who says so."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

from mgmtool.engines._cgroups import cpu_quota, memory_limit
from mgmtool.engines._cpus import allowed_cpus, available_cpus
from mgmtool.engines._memory import share_of_memory


@dataclass(frozen=True, slots=True)
class Limits:
    """CPUs and memory of the machine, of this process, and of the control group it is in.

    Attributes
    ----------
    cpus, allowed_cpus : int
        CPUs of the machine; those this process may run on.
    cpu_quota : float or None
        CPUs' worth of time of the control group; None without a limit.
    workers : int
        What ``--workers auto`` makes of them.
    memory, free_memory : int
        Bytes of the machine; those that could be had now.
    memory_limit : int or None
        Bytes of the control group; None without a limit.
    worker_memory : int
        What ``--worker-memory auto`` makes of them, for so many workers.
    """

    cpus: int
    allowed_cpus: int
    cpu_quota: float | None
    workers: int
    memory: int
    free_memory: int
    memory_limit: int | None
    worker_memory: int


def limits() -> Limits:
    """Look at the machine."""
    workers, memory = available_cpus(), psutil.virtual_memory()
    return Limits(
        cpus=os.cpu_count() or 1,
        allowed_cpus=allowed_cpus(),
        cpu_quota=cpu_quota(),
        workers=workers,
        memory=memory.total,
        free_memory=memory.available,
        memory_limit=memory_limit(),
        worker_memory=share_of_memory(workers),
    )
