"""Reading a store. Arrays are plain Zarr; this module only knows where they are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mgmtool.errors import StoreError
from mgmtool.storage import is_url, objects, public
from mgmtool.store._files import files_of
from mgmtool.store._nearest import nearest_id
from mgmtool.store.columns import Columns
from mgmtool.store.index import storable
from mgmtool.store.layout import check_attributes, part_number
from mgmtool.store.location import Location, locate, read_attributes, reading
from mgmtool.types import ExtractSpec, MaskVolume

_FRAME_ARRAYS = ("mask", "box", "pts", "flags", "energy", "energy_scale")


class Store:
    """A mask store open for reading.

    Attributes
    ----------
    root : Path or str
        Folder of the store, or its URL.
    attributes : dict
        Attributes of the root group.
    spec : ExtractSpec
        What it was made with.
    """

    def __init__(self, root: Path | str, location: Location, attributes: dict[str, Any]) -> None:
        self.root, self.attributes, self._location = root, attributes, location
        self.spec = ExtractSpec.from_json(attributes["spec"])

    @cached_property
    def index(self) -> pa.Table:
        """One row a video, of every committed part, in order; rows that a later part supersedes are left out."""
        return self._location.index()

    def row(self, video_id: str) -> dict[str, Any]:
        """Return the index row of a video.

        Raises
        ------
        StoreError
            The store knows no such id.
        """
        rows = self.index.filter(pc.equal(self.index["id"], video_id)).to_pylist()
        if not rows:
            hint = nearest_id(self.index["id"], video_id)
            raise StoreError(f"{self.root} has no video {video_id!r}{hint}; it has {self.index.num_rows} ids")
        return dict(rows[-1])

    def lookup(self, name: str) -> str:
        """Find an id by itself, by a path as it was extracted, or by a path that ends in exactly one id.

        Raises
        ------
        StoreError
            No video, or more than one, fits.
        """
        for column, value in (("id", name), ("path", storable(_as_extracted(name)))):
            found = self.index.filter(pc.equal(self.index[column], value))["id"].to_pylist()
            if found:
                return str(found[0])
        last = Path(public(name)).name
        ids = [i for i in self.index["id"].to_pylist() if Path(i).name == last]
        if len(ids) == 1:
            return str(ids[0])
        problem = "no video" if not ids else f"{len(ids)} videos named {last!r}, not one"
        hint = "" if ids else nearest_id(self.index["id"], storable(name))
        raise StoreError(
            f"{self.root} has {problem} for {public(name)!r}{hint}; give an id, see mgmtool info {self.root}"
        )

    def volume(self, video_id: str) -> MaskVolume:
        """Read the masks of a video.

        Raises
        ------
        StoreError
            The store knows no such id, or the video failed.
        """
        row = self.row(video_id)
        if row["status"] != "done":
            raise StoreError(f"{video_id!r} failed ({row['failure']}): {row['message']}")
        columns, where = Columns(self._location, None), (row["row_start"], row["row_stop"])
        arrays = {name: columns.read(row["part"], name, *where) for name in _FRAME_ARRAYS}
        return MaskVolume(**{name: array for name, array in arrays.items() if array is not None})

    def failures(self) -> dict[str, int]:
        """How many videos failed, by failure class, most first."""
        return dict(Counter(f for f in self.index["failure"].to_pylist() if f is not None).most_common())

    def last_run(self) -> tuple[int, dict[str, Any]]:
        """Count the runs that left a record, and return the last one's; an empty one where there is none, or none to read."""
        files = files_of(self.root)
        try:
            names = [name for name in files.names("runs") if name.endswith(".json") and not name.startswith(".")]
            return len(names), dict(json.loads(files.read(f"runs/{max(names)}"))) if names else {}
        except Exception:  # noqa: BLE001  each file system says in its own way that it cannot list; records are for people
            return 0, {}

    def array_bytes(self) -> dict[str, int]:
        """Bytes on disk of every array, over all parts."""
        sizes: Counter[str] = Counter()
        for name, size in _sizes(self.root):
            part, _, below = name.partition("/")
            if part_number(part) is not None and "/" in below:
                sizes[below.partition("/")[0]] += size
        return dict(sizes.most_common())


def _sizes(root: Path | str) -> Iterator[tuple[str, int]]:
    """Every file of the parts of a store and its size."""
    if isinstance(root, str):
        with reading(public(root)):
            yield from objects.sizes(root).items()
        return
    for path in root.glob("part-*/*/**/*"):
        if path.is_file():
            yield path.relative_to(root).as_posix(), path.stat().st_size


def _as_extracted(name: str) -> str:
    """Return a name as the column ``path`` has it."""
    return public(name) if is_url(name) else str(Path(name).absolute())


def open_store(path: str | Path) -> Store:
    """Open a mask store for reading.

    Parameters
    ----------
    path : path or URL
        Folder of the store.

    Raises
    ------
    StoreError
        There is no mask store there.
    """
    location = locate(path)
    attributes = read_attributes(location)
    check_attributes(attributes, location.name)
    return Store(location.name if is_url(str(path)) else Path(path), location, attributes)
