"""Reading a store. Arrays are plain Zarr; this module only knows where they are."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import zarr
import zarr.errors

from mgmtool.errors import StoreError
from mgmtool.store.index import read_index, storable
from mgmtool.store.layout import check_attributes, part_name
from mgmtool.types import ExtractSpec, MaskVolume

_FRAME_ARRAYS = ("mask", "box", "pts", "flags", "energy", "energy_scale")


class Store:
    """A mask store open for reading.

    Attributes
    ----------
    root : Path
        Folder of the store.
    attributes : dict
        Attributes of the root group.
    spec : ExtractSpec
        What it was made with.
    """

    def __init__(self, root: Path, attributes: dict[str, Any]) -> None:
        self.root, self.attributes = root, attributes
        self.spec = ExtractSpec.from_json(attributes["spec"])

    @cached_property
    def index(self) -> pa.Table:
        """One row a video, of every committed part, in order; rows that a later part supersedes are left out."""
        return read_index(self.root)

    def row(self, video_id: str) -> dict[str, Any]:
        """Return the index row of a video.

        Raises
        ------
        StoreError
            The store knows no such id.
        """
        rows = self.index.filter(pc.equal(self.index["id"], video_id)).to_pylist()
        if not rows:
            raise StoreError(f"{self.root} has no video {video_id!r}; it has {self.index.num_rows} ids")
        return dict(rows[-1])

    def lookup(self, name: str) -> str:
        """Find an id by itself, by a path as it was extracted, or by a path that ends in exactly one id.

        Raises
        ------
        StoreError
            No video, or more than one, fits.
        """
        for column, value in (("id", name), ("path", storable(str(Path(name).absolute())))):
            found = self.index.filter(pc.equal(self.index[column], value))["id"].to_pylist()
            if found:
                return str(found[0])
        ids = [i for i in self.index["id"].to_pylist() if Path(i).name == Path(name).name]
        if len(ids) == 1:
            return str(ids[0])
        problem = "no video" if not ids else f"{len(ids)} videos named {Path(name).name!r}, not one"
        raise StoreError(f"{self.root} has {problem} for {name!r}; give an id, see mgmtool info {self.root}")

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
        group: Any = zarr.open_group(str(self.root / part_name(row["part"])), mode="r")
        rows = slice(row["row_start"], row["row_stop"])
        return MaskVolume(**{name: group[name][rows] for name in _FRAME_ARRAYS if name in group})

    def failures(self) -> dict[str, int]:
        """How many videos failed, by failure class, most first."""
        return dict(Counter(f for f in self.index["failure"].to_pylist() if f is not None).most_common())

    def array_bytes(self) -> dict[str, int]:
        """Bytes on disk of every array, over all parts."""
        sizes: Counter[str] = Counter()
        for path in self.root.glob("part-*/*/**/*"):
            if path.is_file():
                sizes[path.relative_to(self.root).parts[1]] += path.stat().st_size
        return dict(sizes.most_common())


def open_store(path: str | Path) -> Store:
    """Open a mask store for reading.

    Parameters
    ----------
    path : path
        Folder of the store.

    Raises
    ------
    StoreError
        There is no mask store there.
    """
    root = Path(path)
    if not root.exists():
        raise StoreError(f"no mask store at {root}: no such folder")
    try:
        attributes = dict(zarr.open_group(str(root), mode="r").attrs)
    except (FileNotFoundError, NotADirectoryError, zarr.errors.GroupNotFoundError, ValueError):
        raise StoreError(f"{root} is not a mask store") from None
    check_attributes(attributes, str(root))
    return Store(root, attributes)
