"""What this process may use of the machine: CPUs, and memory, also by the control groups (containers, batch systems) it is in."""

from __future__ import annotations

import ctypes
import math
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import ModuleType

import psutil

from mgmtool.errors import WorkerStartError

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows
    resource = None

MEMBERSHIP = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")

_NO_LIMIT = 1 << 60
"""Version 1 writes about 2 ** 63 where there is no limit."""

_M_MMAP_THRESHOLD = -3
_FRAME_BYTES = 1 << 20

_SHARE = 0.9
"""Part of the memory that the workers may take together; the rest is for the driver and the system."""

_LEAST = 1 << 30
"""No worker gets less than this by default: an ordinary video needs some hundred MB."""

_OWN_FILES, _FILES = 28, 5
"""Files that the driver has open for itself at most, and for each worker: its pipe, its lifeline, what tells its end, and one
while it starts."""

_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(?:([kmgt])(i?))?b?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}


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


def share_of_memory(workers: int) -> int:
    """Return the bytes each of so many workers may take by default, of the machine or of the control group we are in."""
    total = psutil.virtual_memory().total
    return max(_LEAST, int(_SHARE * min(total, memory_limit() or total) / workers))


def cpu_quota(membership: Path = MEMBERSHIP, mount: Path = MOUNT) -> float | None:
    """Return how many CPUs' worth of time the tightest group allows, or None where no group says.

    Parameters
    ----------
    membership : Path
        The file that names the groups of this process.
    mount : Path
        Where the groups are mounted.
    """
    unified, separate = (_folders(membership, mount, controller) for controller in ("", "cpu"))
    texts = [(*_read(folder / "cpu.max").split(), "", "")[:2] for folder in unified]
    names = "cpu.cfs_quota_us", "cpu.cfs_period_us"
    texts += [tuple(_read(folder / name).strip() for name in names) for folder in separate]
    numbers = [(int(quota), int(period)) for quota, period in texts if quota.isdecimal() and period.isdecimal()]
    return min((quota / period for quota, period in numbers if quota and period), default=None)


def memory_limit(membership: Path = MEMBERSHIP, mount: Path = MOUNT) -> int | None:
    """Return the bytes the tightest group allows, or None where no group says; see :func:`cpu_quota`."""
    texts = [_read(folder / "memory.max").strip() for folder in _folders(membership, mount, "")]
    texts += [_read(folder / "memory.limit_in_bytes").strip() for folder in _folders(membership, mount, "memory")]
    limits = [int(text) for text in texts if text.isdecimal()]
    return min((limit for limit in limits if 0 < limit < _NO_LIMIT), default=None)


def _folders(membership: Path, mount: Path, controller: str) -> Iterator[Path]:
    """Yield the folder of the group that holds us and of each group around it; ``""`` means those of version 2."""
    for line in _read(membership).splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controller not in controllers.split(","):
            continue
        for top in (mount / controllers, mount / controller) if controllers else (mount, mount / "unified"):
            # A container may see paths of the host, which are not mounted in it: then only the top is there.
            own = PurePosixPath(path.lstrip("/"))
            if ".." not in own.parts:
                yield from (top / part for part in (own, *own.parents))
            yield top


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def resident(pid: int | None = None) -> int:
    """Return the bytes of memory a process has now, shared ones included; 0 if there is no such process any more."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def processes_by_files(wanted: int) -> int:
    """Return how many of so many worker processes may run with the files that this process may have open at a time.

    The limit that is set is raised first, as far as this process may.

    Raises
    ------
    WorkerStartError
        Not even one.
    """
    if resource is None:
        return wanted
    soft: int
    hard: int
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = _OWN_FILES + wanted * _FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        if soft < _OWN_FILES + _FILES:
            raise WorkerStartError(
                f"only {soft} files may be open at a time, which are too few for a worker; expected {_OWN_FILES + _FILES} or "
                "more, see ulimit -n; or give --engine inline"
            )
        return min(wanted, (soft - _OWN_FILES) // _FILES)
    return wanted


def return_frames_to_the_system() -> None:
    """Have glibc give buffers of a picture's size back to the system when they are freed.

    By default glibc raises the size from which it does so to that of the largest buffer freed, up to 32 MiB; pictures then sit on
    the heap between small arrays, and the process keeps their memory. Inline on 10,883 frames of 1080p,
    peaks of four runs without were 290 to 370 MB, of two runs with it 293 and 297 MB. For processes of our own only; a library
    does not set this for its host.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # another C library than glibc may have none
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _FRAME_BYTES)


def read_size(text: str) -> int | None:
    """Read ``4GB`` (powers of 1000), ``800MiB`` (of 1024) or plain bytes; None where it is none of these, or 0."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    number, unit, binary = match.groups()
    size = float(number) * (1024 if binary else 1000) ** (_POWERS[unit.lower()] if unit else 0)
    return int(size) if 1 <= size < 2**63 else None


def write_size(size: int) -> str:
    """Write bytes for a message: ``4.21 GB``, ``412 MB``."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
