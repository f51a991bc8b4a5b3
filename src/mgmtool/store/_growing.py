"""The local folder in which a part grows, as zarr sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zarr.abc.buffer import Buffer
from zarr.storage import LocalStore

from mgmtool.store.checksums import Checksum, of_bytes


class GrowingFolder(LocalStore):
    """A folder that knows what zarr wrote into it, and that can be closed to zarr.

    zarr writes in a thread of its own: an interrupt ends our waiting, not its writing.

    Parameters
    ----------
    root : Path
        The folder.
    read_only : bool
        Whether nothing is written.

    Attributes
    ----------
    checksums : dict
        Size and checksum of every file as it was written, by its path relative to the folder; whatever lies there now.
    """

    def __init__(self, root: Path | str, *, read_only: bool = False) -> None:
        super().__init__(root, read_only=read_only)
        self.checksums: dict[str, Checksum] = {}
        self._changed = threading.Condition()
        self._under_way = 0
        self._given_up = False

    async def set(self, key: str, value: Buffer) -> None:
        """Write a file."""
        with self._write():
            await super().set(key, value)
            self.checksums[key] = of_bytes(value.to_bytes())

    async def set_if_not_exists(self, key: str, default: Buffer) -> None:
        """Write a file that does not exist yet."""
        with self._write():
            await super().set_if_not_exists(key, default)
            self.checksums.setdefault(key, of_bytes(default.to_bytes()))

    async def delete(self, key: str) -> None:
        """Delete a file."""
        with self._write():
            self.checksums.pop(key, None)
            await super().delete(key)

    @contextmanager
    def _write(self) -> Iterator[None]:
        with self._changed:
            if self._given_up:
                raise OSError(f"{self.root} is being removed")
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def give_up(self) -> None:
        """Wait for what is being written, and refuse whatever comes later."""
        with self._changed:
            self._given_up = True
            self._changed.wait_for(lambda: not self._under_way)
