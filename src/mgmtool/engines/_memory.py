"""Memory of a process that decodes video after video, and what a worker may take of it."""

from __future__ import annotations

import ctypes
import re
import sys

import psutil

from mgmtool.engines._cgroups import memory_limit

_M_MMAP_THRESHOLD = -3
_PICTURE_BYTES = 1 << 20

_SHARE = 0.9
"""Part of the memory that the workers may take together; the rest is for the driver and the system."""

_LEAST = 1 << 30
"""Less than this is never a worker's limit by default: an ordinary video needs some hundred MB."""

_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(?:([kmgt])(i?))?b?", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}


def return_pictures_to_the_system() -> None:
    """Have glibc give buffers of a picture's size back to the system when they are freed.

    By default glibc raises the size from which it does so to that of the largest buffer freed, up to 32 MiB; pictures then sit on
    the heap between small arrays, and the process keeps their memory. Inline on 10,883 frames of 1080p,
    peaks of four runs without were 290 to 370 MB, of two runs with it 293 and 297 MB. For processes of our own only; a library
    does not set this for its host.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # another C library than glibc may have none
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _PICTURE_BYTES)


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


def share_of_memory(workers: int) -> int:
    """Return the bytes each of so many workers may take by default, of the machine or of the control group we are in."""
    total = psutil.virtual_memory().total
    return max(_LEAST, int(_SHARE * min(total, memory_limit() or total) / workers))


def resident(pid: int | None = None) -> int:
    """Return the bytes of memory a process has now, shared ones included; 0 if there is no such process any more."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
