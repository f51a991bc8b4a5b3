"""The root of a store: what says that a folder is one, and what it was made with."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import zarr
from zarr.abc.buffer import Buffer
from zarr.storage import MemoryStore

from mgmtool.errors import StoreError
from mgmtool.storage import GROWING, LOCK_FILE, Place
from mgmtool.store.layout import ROOT_FILE, check_attributes, check_usable
from mgmtool.store.records import how_to_repair

_BEFORE = {LOCK_FILE, GROWING}
"""What may lie in a folder before it is a store, or after one was removed."""


def read_root(place: Place) -> dict[str, Any] | None:
    """Read the attributes of the mask store at a place that is to be written; None where nothing is there yet.

    Raises
    ------
    StoreError
        Something else is there.
    """
    try:
        attributes = group_attributes(place.read(ROOT_FILE))
    except (FileNotFoundError, NotADirectoryError):
        if place.is_file():
            raise StoreError(f"output {place.name} is a file; expected a new folder or a mask store") from None
        if all(name in _BEFORE or name.startswith(f".{ROOT_FILE}.") for name in place.names()):
            return None
        attributes = None
    if attributes is None:
        raise StoreError(
            f"output {place.name} holds something that is not a mask store{how_to_repair(place)}; "
            "expected a new or empty folder"
        )
    check_attributes(attributes, place.name)
    check_usable(attributes, place.name)
    return attributes


def group_attributes(content: bytes) -> dict[str, Any] | None:
    """Return the attributes in the root file of a Zarr group; None where it is that of something else, or damaged."""
    try:
        root = json.loads(content)
        return dict(root["attributes"]) if root["node_type"] == "group" else None
    except (ValueError, TypeError, KeyError):
        return None


def check_same(place: Place, uuid: str | None) -> None:
    """Refuse to write into another store than the one that was opened: somebody may have replaced or removed it since.

    Raises
    ------
    StoreError
    """
    try:
        attributes = group_attributes(place.read(ROOT_FILE))
    except (FileNotFoundError, NotADirectoryError):
        attributes = None
    if attributes is None or attributes.get("uuid") != uuid:
        how = "removed" if attributes is None else "replaced by another one"
        raise StoreError(f"the store {place.name} was {how} while this run was writing it; nothing more is written")


def create_root(place: Place, attributes: dict[str, Any]) -> None:
    """Make an empty store; where another run was faster, its store stays."""
    with contextlib.suppress(FileExistsError):
        place.create(ROOT_FILE, root_content(attributes))


def root_content(attributes: dict[str, Any]) -> bytes:
    """Return what the root file of a store with these attributes holds."""
    files: dict[str, Buffer] = {}
    zarr.create_group(MemoryStore(files), attributes=attributes)
    return files[ROOT_FILE].to_bytes()
