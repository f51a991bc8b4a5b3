"""Open a mask store for reading: what it holds, which videos, and their masks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from mgmtool.errors import StoreError, one_line
from mgmtool.storage import Place, place
from mgmtool.store._errors import read_errors
from mgmtool.store.arrays import Arrays
from mgmtool.store.layout import ROOT_FILE, check_attributes, part_number
from mgmtool.store.records import CommitRecords, how_to_repair
from mgmtool.store.root import group_attributes
from mgmtool.store.videos import VideoName, VideoRows, Videos
from mgmtool.types import ExtractSpec, MaskVolume

FRAME_ARRAYS = ("mask", "box", "pts", "flags", "energy", "energy_scale")
"""Arrays with one row per frame; the last two are optional."""

_REQUIRED = FRAME_ARRAYS[:4]
_READ_AGAIN = {"records", "index", "videos", "spec"}


class Store:
    """A mask store open for reading. Made by :meth:`open`.

    Opening reads the attributes of the root group. The index and the arrays are opened when they are first needed, in the process
    that needs them, so a store can be handed to workers that are forked or spawned. It can be pickled. It knows the videos that
    were committed when its records were first read; open it again to see parts committed since.

    Attributes
    ----------
    name : str
        Path or URL, for messages.
    place : Place
        Where it lies.
    attributes : dict
        Attributes of the root group.
    arrays : Arrays
        Rows of its arrays.
    """

    def __init__(
        self,
        place: Place,
        attributes: Mapping[str, Any],
        cache: str | None = None,
        cache_folder: str | Path | None = None,
    ) -> None:
        self.name, self.place, self.attributes = place.name, place, dict(attributes)
        self.arrays = Arrays(place, cache, cache_folder)

    def __getstate__(self) -> dict[str, Any]:
        # Whoever needs the index reads it again: it may be large.
        return {name: value for name, value in self.__dict__.items() if name not in _READ_AGAIN}

    @classmethod
    def open(
        cls,
        path: str | Path,
        cache: str | None = None,
        *,
        storage_options: Mapping[str, Any] | None = None,
        cache_folder: str | Path | None = None,
    ) -> Self:
        """Open a mask store.

        Parameters
        ----------
        path : path or URL
            Folder of the store.
        cache, cache_folder
            Where rows of arrays are kept, see :class:`~mgmtool.store.arrays.Arrays`.
        storage_options : mapping, optional
            For fsspec, with a URL.

        Raises
        ------
        StoreError
            There is no mask store there, or the place cannot be reached.
        UsageError
            An unknown cache, a URL without fsspec, or storage options for a path.
        """
        where = place(path, storage_options)
        return cls(where, read_attributes(where), cache, cache_folder)

    @cached_property
    def spec(self) -> ExtractSpec:
        """What the store was made with."""
        try:
            return ExtractSpec.from_json(self.attributes["spec"])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            why = one_line(f"{type(error).__name__}: {error}")
            raise StoreError(f"{self.name}: the spec in its attributes cannot be read ({why})") from None

    @cached_property
    def records(self) -> CommitRecords:
        """Index rows, one part in memory at a time."""
        return CommitRecords(self.place)

    @cached_property
    def index(self) -> pa.Table:
        """One row per video, of every committed part, in order, without rows that a later part supersedes."""
        return self.records.index()

    @cached_property
    def videos(self) -> Videos:
        """The videos by any of their names."""
        return Videos(self.index, self.name, self.attributes["input_root"])

    def lookup(self, name: VideoName) -> str:
        """Return the id of a video that is done; what a name may be is said at :class:`~mgmtool.store.videos.Videos`.

        Raises
        ------
        UnknownVideoError
            No video has the name, several have, or the video failed.
        """
        return self.videos.find(name).id

    def volume(self, name: VideoName) -> MaskVolume:
        """Read the masks of a video, straight from the store.

        Raises
        ------
        UnknownVideoError
            No video has the name, several have, or the video failed.
        StoreError
            The arrays are damaged.
        """
        return read_volume(self.arrays, self.videos.find(name))

    def failures(self) -> dict[str, int]:
        """How many videos failed, by failure class, most first."""
        return dict(Counter(f for f in self.index["failure"].to_pylist() if f is not None).most_common())

    def runs(self, most: int) -> tuple[int, list[dict[str, Any]]]:
        """Count the runs that left a record, and return the records of the last ``most``, oldest first.

        Records are for people: one that cannot be read is left out, and a place that cannot list its files has none.
        """
        try:
            names = [name for name in self.place.names("runs") if name.endswith(".json") and not name.startswith(".")]
        except OSError:
            return 0, []
        found = []
        for name in names[-most:]:
            try:
                record = json.loads(self.place.read(f"runs/{name}"))
            except (OSError, ValueError):
                continue
            found += [record] if isinstance(record, dict) else []
        return len(names), found

    def array_bytes(self) -> dict[str, int]:
        """Bytes on disk of every array, over all parts, largest first."""
        with read_errors(self.name):
            files = self.place.sizes()
        sizes: Counter[str] = Counter()
        for name, size in files.items():
            part, _, below = name.partition("/")
            if part_number(part) is not None and "/" in below:
                sizes[below.partition("/")[0]] += size
        return dict(sizes.most_common())


def read_attributes(place: Place) -> dict[str, Any]:
    """Read the attributes of the root group of a mask store.

    Raises
    ------
    StoreError
        There is no mask store, one of a later version, or the place cannot be reached.
    """
    with read_errors(place.name):
        try:
            attributes = group_attributes(place.read(ROOT_FILE))
        except (FileNotFoundError, NotADirectoryError):
            attributes = None
        if attributes is None:
            gone = place.excludes and not place.exists()
            raise StoreError(
                f"no mask store at {place.name}: no such folder"
                if gone
                else f"{place.name} is not a mask store{how_to_repair(place)}"
            )
    check_attributes(attributes, place.name)
    return attributes


def read_volume(arrays: Arrays, rows: VideoRows) -> MaskVolume:
    """Read the masks of a video, straight from the store.

    Raises
    ------
    StoreError
        The arrays are damaged.
    """
    try:
        found = arrays.read(rows.part, FRAME_ARRAYS, rows.start, rows.stop)
    except StoreError as error:
        raise StoreError(f"masks of {rows.id!r} in part {rows.part} cannot be read: {error}") from None
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise StoreError(f"{arrays.name}: the part of {rows.id!r} has no array {missing[0]!r}")
    lengths = {len(array) for array in found.values()}
    if lengths != {len(rows)}:
        raise StoreError(
            f"masks of {rows.id!r} in part {rows.part} have {sorted(lengths)} rows in {list(found)}; "
            f"expected {len(rows)} in every array"
        )
    return MaskVolume(**found)
