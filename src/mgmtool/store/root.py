"""The root of a store that is to be written: what says that a folder is one, and what it was made with."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import zarr
from zarr.abc.buffer import Buffer
from zarr.storage import MemoryStore

from mgmtool.errors import StoreError
from mgmtool.storage import Place
from mgmtool.store.layout import ROOT_FILE, check_attributes


def read_root(place: Place) -> dict[str, Any] | None:
    """Read the attributes of the mask store at a place that is to be written; None where nothing is there yet.

    Raises
    ------
    StoreError
        Something else is there.
    """
    try:
        root = json.loads(place.read(ROOT_FILE))
        attributes = dict(root["attributes"]) if root["node_type"] == "group" else None
    except (ValueError, TypeError, KeyError):
        attributes = None
    except (FileNotFoundError, NotADirectoryError):
        if place.is_file():
            raise StoreError(f"output {place.name} is a file; expected a new folder or a mask store") from None
        if all(name.startswith(f".{ROOT_FILE}.") for name in place.names()):
            return None
        attributes = None
    if attributes is None:
        raise StoreError(
            f"output {place.name} holds something that is not a mask store; expected a new or empty folder"
        )
    check_attributes(attributes, place.name)
    return attributes


def create_root(place: Place, attributes: dict[str, Any]) -> None:
    """Make an empty store; where another run was faster, its store stays."""
    files: dict[str, Buffer] = {}
    zarr.create_group(MemoryStore(files), attributes=attributes)
    with contextlib.suppress(FileExistsError):
        place.create(ROOT_FILE, files[ROOT_FILE].to_bytes())
