"""What the control groups of Linux (containers, batch systems) leave of the machine to this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

MEMBERSHIP = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")

_NO_LIMIT = 1 << 60
"""Version 1 writes about 2 ** 63 where there is no limit."""


def cpu_quota(membership: Path = MEMBERSHIP, mount: Path = MOUNT) -> float | None:
    """Return how many CPUs' worth of time the tightest group allows, or None where no group says.

    Parameters
    ----------
    membership : Path
        The file that names the groups of this process.
    mount : Path
        Where the groups are mounted.
    """
    unified = [_quota_2(folder / "cpu.max") for folder in _folders(membership, mount, "")]
    separate = [_quota_1(folder) for folder in _folders(membership, mount, "cpu")]
    return min((quota for quota in unified + separate if quota is not None), default=None)


def memory_limit(membership: Path = MEMBERSHIP, mount: Path = MOUNT) -> int | None:
    """Return the bytes the tightest group allows, or None where no group says; see :func:`cpu_quota`."""
    unified = [_number(folder / "memory.max") for folder in _folders(membership, mount, "")]
    separate = [_number(folder / "memory.limit_in_bytes") for folder in _folders(membership, mount, "memory")]
    return min((limit for limit in unified + separate if limit is not None and 0 < limit < _NO_LIMIT), default=None)


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


def _quota_2(file: Path) -> float | None:
    quota, period = (*_read(file).split(), "", "")[:2]
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() and int(period) else None


def _quota_1(folder: Path) -> float | None:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _number(file: Path) -> int | None:
    text = _read(file).strip()
    return int(text) if text.isdecimal() else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
