"""Files that appear whole or not at all, folders that are safely on disk, and locks.

Everything that writes a file under its final name does so through here. Failures are ``OSError`` as the system raises them, but
for those of :func:`written_whole`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mgmtool.errors import MgmtoolError, OutputError

if sys.platform != "win32":
    import fcntl

_FLOCK = "@hhqqi4x"
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EBADF}


@contextlib.contextmanager
def whole(path: Path, aside: Path | None = None) -> Iterator[Path]:
    """Lend a name beside a file, and give what was written there its final name once it is safely on disk.

    Parameters
    ----------
    path : Path
        The file to write. One that is there is replaced at the end, and untouched if anything goes wrong.
    aside : Path, optional
        The name to lend, in the same folder. By default ``.0123456789abcdef.partial``, as long as any file system takes.

    Yields
    ------
    Path
        An empty file, removed on any error.
    """
    with _aside(path, aside) as partial:
        yield partial
        sync(partial)
        sync(path.parent)
        partial.replace(path)
        sync(path)
        sync(path.parent)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Do as :func:`whole` for a file that the caller asked for, and name it in errors.

    Raises
    ------
    OutputError
        The file cannot be written. What mgmtool itself raises inside goes through unchanged.
    """
    try:
        with whole(path) as partial:
            yield partial
    except MgmtoolError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def create(path: Path, content: bytes, aside: Path | None = None) -> None:
    """Write a file whole, unless there is one of that name; ``aside`` as for :func:`whole`.

    Raises
    ------
    FileExistsError
        There is one. Where a file system has no hard links, the last of several writers wins instead.
    """
    with _aside(path, aside) as partial:
        partial.write_bytes(content)
        sync(partial)
        sync(path.parent)
        try:
            os.link(partial, path)
        except FileExistsError:
            raise
        except OSError:
            if path.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
            partial.replace(path)
        sync(path)
        sync(path.parent)


@contextlib.contextmanager
def _aside(path: Path, aside: Path | None) -> Iterator[Path]:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    partial = aside or path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        partial.touch()
        yield partial
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless they are there; each is safely on disk afterwards.

    Raises
    ------
    FileExistsError
        There is a file of that name.
    """
    if path.is_dir():
        return
    if not path.parent.exists():
        make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def is_alive(process: str) -> bool:
    """Whether a process of this machine with this number, as text, exists; False for what is no number."""
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True  # somebody else's
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    return True


class Locks:
    """Numbered locks, one byte of a lock file each; the system drops them when their process ends, however it ends.

    Where a file system has no locks, every lock is granted.

    Parameters
    ----------
    file : Path
        The lock file, made by the first lock that is taken.

    Attributes
    ----------
    exclude : bool
        Whether locks keep others out, as far as the first of them could tell.
    """

    def __init__(self, file: Path) -> None:
        self.exclude = sys.platform != "win32"
        self._file = file
        self._descriptor: int | None = None

    def __reduce__(self) -> tuple[type[Locks], tuple[Path]]:
        return Locks, (self._file,)

    def take(self, first: int, count: int = 1) -> bool:
        """Take ``count`` locks from ``first`` on, or all of them for 0, without waiting; False if somebody else has one."""
        return self._set(True, first, count)

    def give(self, first: int, count: int = 1) -> None:
        """Give locks back."""
        self._set(False, first, count)

    def held(self, first: int, count: int) -> bool:
        """Whether anybody has one of ``count`` locks from ``first`` on, or of all of them for 0; takes and writes nothing."""
        command = getattr(fcntl, "F_OFD_GETLK", None) if sys.platform != "win32" else None
        if command is None:
            return False
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, first, count, 0)
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            answer = fcntl.fcntl(descriptor, command, question)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return bool(struct.unpack_from("@h", answer)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """Give all locks back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def _set(self, locked: bool, first: int, count: int) -> bool:
        """Lock or unlock some bytes. Locks of an open file, which Linux has, also keep two writers of one process apart."""
        if sys.platform == "win32":
            return True
        if self._descriptor is None:
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        descriptor, command = self._descriptor, getattr(fcntl, "F_OFD_SETLK", None)
        if command is None:
            how = fcntl.LOCK_EX | fcntl.LOCK_NB if locked else fcntl.LOCK_UN
            granted = _granted(lambda: fcntl.lockf(descriptor, how, count, first))
        else:
            kind = fcntl.F_WRLCK if locked else fcntl.F_UNLCK
            request = struct.pack(_FLOCK, kind, os.SEEK_SET, first, count, 0)
            granted = _granted(lambda: fcntl.fcntl(descriptor, command, request))
        self.exclude = granted is not None
        return granted is not False


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Hold a whole folder, and say whether nobody else does. No file is left behind; without locks, everybody is alone."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield (
            sys.platform == "win32"
            or _granted(lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)) is not False
        )
    finally:
        os.close(descriptor)


def _granted(lock: Callable[[], object]) -> bool | None:
    """Try to lock; say whether that was granted, or None where there are no locks."""
    try:
        lock()
    except (BlockingIOError, PermissionError):  # some systems say the latter where somebody else has the lock
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return None
    return True


def can_lock(folder: Path) -> bool:
    """Whether a lock taken in a folder keeps others out, which some network file systems only pretend; leaves a file behind."""
    first, second = Locks(folder / ".lock"), Locks(folder / ".lock")
    try:
        return first.take(0) and not second.take(0)
    finally:
        first.close()
        second.close()
