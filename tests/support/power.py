"""Power cuts: what of a folder may be on disk after each step of whoever writes there.

Only an fsync promises anything. The content of a file is on disk as it was at its last fsync; whatever came later may be there or
not. Names come in one of two ways: in the order in which they were made, as far as some moment after the last fsync of any
folder (ext4, XFS), or folder by folder as at the last fsync of each.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Names = dict[int, dict[str, int]]
"""By folder, the names in it; folders and files are inodes."""
Disk = dict[str, bytes | None]
"""By path, the content of every file, and None for folders."""

_STEPS = {"open", "os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree"}
_recorders: list[Recorder] = []


class Recorder:
    """Watches a folder while this process writes there.

    Parameters
    ----------
    folder : Path
        Where everything happens; it is on disk from the start.

    Attributes
    ----------
    disks : list of (int, Disk)
        What may be on disk after a power cut, each content once, with how much had been promised by then.
    promised : int
        To be counted up by whoever is told that something is safe.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._top = folder, folder.stat().st_ino
        self._content: dict[int, bytes] = {}
        self._folders: Names = {self._top: {}}
        self._kept: dict[int, int] = {}  # open descriptors, so that no inode is used twice
        self._history: list[Names] = []
        self._lock, self._busy = threading.RLock(), threading.local()
        self.disks: list[tuple[int, Disk]] = []
        self._seen: set[tuple[int, int]] = set()
        self.promised = 0

    def step(self) -> None:
        """Look at what is there, and note what might be after a power cut at this moment."""
        if getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            with self._lock:
                names = self._look()
                self._history.append(names)
                for ordered in {id(one): one for one in self._history}.values():
                    self._note(ordered, {})
                self._note(names, self._present(names))
                self._note(self._folders, {})
        finally:
            self._busy.now = False

    def synced(self, descriptor: int) -> None:
        """Note that a file or a folder is on disk."""
        self.step()
        with self._lock:
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode):
                self._history.clear()
                if status.st_ino in self._kept or status.st_ino == self._top:
                    self._folders[status.st_ino] = self._look()[status.st_ino]
            elif status.st_ino in self._kept:
                self._content[status.st_ino] = _read(self._kept[status.st_ino])
        self.step()

    def concerns(self, arguments: tuple[Any, ...]) -> bool:
        """Whether a step has to do with the folder; what is named by descriptor may have."""
        names = [os.fsdecode(name) for name in arguments[:2] if isinstance(name, str | bytes | os.PathLike)]
        return not names or any(not Path(name).is_absolute() or name.startswith(str(self._folder)) for name in names)

    def close(self) -> None:
        """Let go of everything."""
        for descriptor in self._kept.values():
            os.close(descriptor)

    def _look(self) -> Names:
        names: Names = {}
        todo = [(self._top, self._folder)]
        while todo:
            inode, path = todo.pop()
            found: dict[str, int] = {}
            with suppress(FileNotFoundError):  # another thread removes it
                for entry in os.scandir(path):
                    with suppress(FileNotFoundError):
                        number = entry.inode()
                        if number not in self._kept:
                            self._kept[number] = os.open(entry.path, os.O_RDONLY)
                        found[entry.name] = number
                        if entry.is_dir():
                            todo.append((number, Path(entry.path)))
            names[inode] = found
        return names

    def _present(self, names: Names) -> dict[int, bytes]:
        files = {inode for found in names.values() for inode in found.values()} - names.keys()
        return {inode: _read(self._kept[inode]) for inode in files}

    def _note(self, names: Names, content: dict[int, bytes]) -> None:
        disk: Disk = {}
        todo = [(self._top, "")]
        while todo:
            inode, path = todo.pop()
            for name, number in names.get(inode, {}).items():
                below = f"{path}{name}"
                if stat.S_ISDIR(os.fstat(self._kept[number]).st_mode):
                    disk[below] = None
                    todo.append((number, f"{below}/"))
                else:
                    disk[below] = content.get(number, self._content.get(number, b""))
        key = self.promised, hash(frozenset(disk.items()))
        if key not in self._seen:
            self._seen.add(key)
            self.disks.append((self.promised, disk))


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _STEPS:
        for recorder in _recorders:
            if recorder.concerns(arguments):
                recorder.step()


_hearing: list[bool] = []


@contextmanager
def recorded(folder: Path) -> Iterator[Recorder]:
    """Record what this process does in a folder."""
    if not _hearing:
        sys.addaudithook(_hear)  # for good: there is no way to remove one
        _hearing.append(True)
    recorder, real = Recorder(folder), {name: getattr(os, name) for name in ("fsync", "fdatasync")}

    def patched(name: str) -> Any:
        def sync(descriptor: int) -> None:
            real[name](descriptor)
            recorder.synced(descriptor)

        return sync

    for name in real:
        setattr(os, name, patched(name))
    _recorders.append(recorder)
    try:
        yield recorder
        recorder.step()
    finally:
        _recorders.remove(recorder)
        for name, function in real.items():
            setattr(os, name, function)
        recorder.close()


def restore(disk: Disk, folder: Path) -> None:
    """Write what a power cut left into an empty folder."""
    folder.mkdir(parents=True)
    for name in sorted(disk):
        content = disk[name]
        if content is None:
            (folder / name).mkdir(parents=True, exist_ok=True)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
