"""How many workers this process may keep busy."""

from __future__ import annotations

import math
import os

from mgmtool.engines._cgroups import cpu_quota


def available_cpus() -> int:
    """Count the CPUs this process may use: those it may run on, or fewer where its control group gets less time."""
    return usable(allowed_cpus(), cpu_quota())


def usable(cpus: int, quota: float | None) -> int:
    """Bring both limits together.

    Parameters
    ----------
    cpus : int
        CPUs the process may run on.
    quota : float or None
        CPUs' worth of time it gets; rounded to the nearest whole number, since half a worker too many costs less than half a
        CPU unused, and at least 1.
    """
    return cpus if quota is None else min(cpus, max(1, math.floor(quota + 0.5)))


def allowed_cpus() -> int:
    """Count the CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
