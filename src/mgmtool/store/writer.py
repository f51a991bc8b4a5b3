"""Writing a store: parts are written aside, and committed by their Parquet record."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from pathlib import Path
from typing import Any, Self

import zarr
import zarr.errors

from mgmtool.errors import SpecMismatchError, StoreError
from mgmtool.store.index import read_part_index, write_full_index
from mgmtool.store.layout import (
    check_attributes,
    committed_parts,
    frame_arrays,
    part_number,
    root_attributes,
)
from mgmtool.store.part import ASIDE, PartWriter, write_errors
from mgmtool.types import ExtractSpec


class StoreWriter:
    """A store open for adding parts. Use :meth:`open`.

    Attributes
    ----------
    root : Path
        Folder of the store.
    spec : ExtractSpec
        What all its parts were made with.
    """

    def __init__(self, root: Path, spec: ExtractSpec, energy: bool) -> None:
        self.root, self.spec = root, spec
        self._arrays = frame_arrays(spec, energy)

    @classmethod
    def open(
        cls, path: str | Path, spec: ExtractSpec, *, energy: bool, input_root: str, versions: dict[str, str]
    ) -> Self:
        """Create a store, or open one made with the same spec, and remove the litter of a run that was killed.

        Parameters
        ----------
        path : path
            Where the store is or will be.
        spec : ExtractSpec
            What to make it with.
        energy : bool
            Whether parts hold energy.
        input_root : str
            Folder to which ids are relative.
        versions : dict
            Versions of the libraries that decide the masks.

        Raises
        ------
        StoreError
            The path is a file, a folder of something else, or a foreign Zarr group.
        SpecMismatchError
            The store was made with another spec; the message names the first option that differs.
        StoreWriteError
            The folder cannot be written.
        """
        root = Path(path)
        with write_errors(root):
            if root.exists() and not root.is_dir():
                raise StoreError(f"output {root} is a file; expected a new folder or a mask store")
            if root.is_dir() and any(root.iterdir()):
                _check_same(root, spec, input_root)
            else:
                root.mkdir(parents=True, exist_ok=True)
                zarr.create_group(str(root), attributes=root_attributes(spec, input_root, versions))
            (root / "index").mkdir(exist_ok=True)
            _remove_litter(root)
        return cls(root, spec, energy)

    @staticmethod
    def remove(path: str | Path) -> None:
        """Delete a mask store, and nothing else.

        Raises
        ------
        StoreError
            The path holds something that is not a mask store.
        """
        root = Path(path)
        if root.is_dir() and any(root.iterdir()):
            _attributes(root)
            with write_errors(root):
                shutil.rmtree(root)

    def committed(self) -> dict[int, list[dict[str, Any]]]:
        """Id and status of the videos of every committed part, by part number."""
        parts = committed_parts(self.root)
        return {n: read_part_index(self.root, n).select(["id", "status"]).to_pylist() for n in parts}

    def part(self, number: int) -> PartWriter:
        """Start a part. Nothing of it is visible before its commit."""
        return PartWriter(self.root, number, self._arrays)

    def finish(self) -> None:
        """Gather the commit records into ``index.parquet``."""
        with write_errors(self.root):
            write_full_index(self.root)
            with contextlib.suppress(OSError):  # another process may be writing a part
                (self.root / ASIDE).rmdir()


def _attributes(root: Path) -> dict[str, Any]:
    """Return the attributes of a mask store; refuse whatever is none."""
    try:
        attributes = dict(zarr.open_group(str(root), mode="r").attrs)
    except (FileNotFoundError, zarr.errors.GroupNotFoundError, ValueError):
        raise StoreError(
            f"output {root} is a folder that is not a mask store; expected a new or empty folder"
        ) from None
    check_attributes(attributes, str(root))
    return attributes


def _check_same(root: Path, spec: ExtractSpec, input_root: str) -> None:
    """Refuse to add to a store that was made in another way."""
    attributes = _attributes(root)
    before, now = attributes["spec"], spec.to_json()
    for name, value in now.items():
        if before.get(name) != value:
            raise SpecMismatchError(
                f"{root} was made with {name}={before.get(name)!r}, this run asks for {value!r}; "
                "use the same options, another output, or --overwrite"
            )
    if attributes.get("input_root") != input_root:
        raise SpecMismatchError(
            f"{root} holds ids relative to {attributes.get('input_root')}, these inputs are under {input_root}; "
            "give the same inputs, or --root to say where that folder is"
        )


def _remove_litter(root: Path) -> None:
    """Remove parts without a commit record, and what dead processes of this machine left half-written."""
    committed = set(committed_parts(root))
    for path in root.iterdir():
        number = part_number(path.name)
        if number is not None and number not in committed:
            shutil.rmtree(path)
    for path in (root / "index").glob(".*.parquet.*"):
        if not _alive(path.name.rsplit(".", 1)[1]):
            path.unlink(missing_ok=True)
    for path in (root / ASIDE).glob("*"):
        host, _, process = path.name.partition(".")[2].rpartition(".")
        if host == socket.gethostname() and not _alive(process):
            shutil.rmtree(path, ignore_errors=True)


def _alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True
