"""One byte of a lock file for each part, so that no two drivers write the same part at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl

LOCK_FILE = ".lock"
RUNS = 1 << 40
"""Offset from which bytes stand for whole runs rather than for parts."""

_FLOCK = "@hhqqi4x"
_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}


class Locks:
    """Locks of the parts of a store; the system drops them when their process ends, however it ends.

    Where a file system has no locks, every lock is granted: the record of a part, written last, then decides.

    Parameters
    ----------
    root : Path
        Folder of the store.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / LOCK_FILE
        self._descriptor: int | None = None

    def __reduce__(self) -> tuple[type[Locks], tuple[Path]]:
        return Locks, (self._path.parent,)

    def take(self, number: int) -> bool:
        """Take one lock without waiting; False if another process has it."""
        return self._set(True, number)

    def give(self, number: int) -> None:
        """Give one lock back."""
        self._set(False, number)

    def held(self, first: int, count: int) -> bool:
        """Whether anybody has one of ``count`` locks from ``first`` on, or of all of them for 0; takes and writes nothing."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return _is_locked(descriptor, first, count)
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Give all locks back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def _set(self, locked: bool, number: int) -> bool:
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            _set_lock(self._descriptor, locked, number)
        except BlockingIOError:
            return False
        except PermissionError:
            return False  # some systems say so where another process has the lock
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
        return True


def can_lock(folder: Path) -> bool:
    """Whether a lock taken in a folder keeps another writer out, which some network file systems only pretend; writes a file."""
    first, second = Locks(folder), Locks(folder)
    try:
        return first.take(0) and not second.take(0)
    finally:
        first.close()
        second.close()


def _set_lock(descriptor: int, locked: bool, number: int) -> None:
    """Lock or unlock one byte. Locks of an open file, which Linux has, also keep two writers of one process apart."""
    if sys.platform == "win32":
        return  # there the record of a part, written last, is all that decides
    command = getattr(fcntl, "F_OFD_SETLK", None)
    if command is None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if locked else fcntl.LOCK_UN, 1, number)
        return
    kind = fcntl.F_WRLCK if locked else fcntl.F_UNLCK
    fcntl.fcntl(descriptor, command, struct.pack(_FLOCK, kind, os.SEEK_SET, number, 1, 0))


def _is_locked(descriptor: int, first: int, count: int) -> bool:
    command = getattr(fcntl, "F_OFD_GETLK", None) if sys.platform != "win32" else None
    if command is None:
        return False
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, first, count, 0)
    return bool(struct.unpack_from("@h", fcntl.fcntl(descriptor, command, asked))[0] != fcntl.F_UNLCK)
