"""Names, dtypes, chunks and attributes of store version 1."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

import mgmtool
from mgmtool.errors import StoreError
from mgmtool.types import ExtractSpec

FORMAT = "mgmtool"
VERSION = 1

CHUNK_FRAMES = 1024
SHARD_FRAMES = 80 * CHUNK_FRAMES
"""Frames of a shard. A part of 256 ten-second videos at 30 frames/s has 76,800: one file per array."""

ROOT_FILE = "zarr.json"
"""What makes a folder a store, written first and removed last."""
INDEX_FILE = "index.parquet"

RUNS = 1 << 40
"""Locks below this number stand for parts, those from it on for runs, by their shard."""

_SAID = {"spec": dict, "input_root": str, "versions": dict}
"""Attributes of the root of a store that readers rely on, and their types."""

_PART = re.compile(r"part-(\d{5,})")

ATTRIBUTES: dict[str, Any] = {
    "format": FORMAT,
    "version": VERSION,
    "mask_true_means": "masked",
    "records": "sealed",
    "axes": {
        "mask": ["frame", "patch_row", "patch_col"],
        "energy": ["frame", "energy_row", "energy_col"],
        "energy_scale": ["frame"],
        "box": ["frame", "y0_x0_y1_x1"],
        "pts": ["frame"],
        "flags": ["frame"],
        "offset": ["video"],
    },
    "units": {
        "box": "pixels of the displayed frame, half-open; all zero where the scheme hides no box",
        "energy": "energy = energy * energy_scale, dimensionless",
        "pts": "time base of the video, see the index",
        "offset": "frames: rows of video k of the part are offset[k]:offset[k+1]",
        "flags": "bits: 1 key frame, 2 has vectors, 4 propagated, 8 scene cut, 16 corrupt, 32 fallback",
    },
}


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array of a part: its name, dtype, axes and the shape of one row."""

    name: str
    dtype: str
    axes: tuple[str, ...]
    row: tuple[int, ...]
    fill: Any = 0


def frame_arrays(spec: ExtractSpec, energy: bool) -> tuple[ArraySpec, ...]:
    """Return the arrays with one row a frame, in the order they are written.

    Parameters
    ----------
    spec : ExtractSpec
        Gives the grids.
    energy : bool
        Whether energy is stored.
    """
    rows, cols = spec.grid.rows, spec.grid.cols
    axes: dict[str, list[str]] = ATTRIBUTES["axes"]
    arrays: list[tuple[str, str, tuple[int, ...], Any]] = [
        ("mask", "bool", (rows, cols), False),
        ("box", "int16", (4,), 0),
        ("pts", "int64", (), 0),
        ("flags", "uint8", (), 0),
    ]
    if energy:
        arrays.insert(1, ("energy", "uint8", (spec.energy_grid.rows, spec.energy_grid.cols), 0))
        arrays.insert(2, ("energy_scale", "float32", (), 0.0))
    return tuple(ArraySpec(name, dtype, tuple(axes[name]), row, fill) for name, dtype, row, fill in arrays)


def part_name(number: int) -> str:
    """Name of a part's group: ``part-00000``."""
    return f"part-{number:05}"


def part_number(name: str) -> int | None:
    """Return the number in a part's name, None for any other name."""
    match = _PART.fullmatch(name)
    return int(match[1]) if match else None


def root_attributes(spec: ExtractSpec, input_root: str, versions: dict[str, str]) -> dict[str, Any]:
    """Attributes of the root group: everything a reader needs to make sense of the arrays."""
    return {
        **ATTRIBUTES,
        "spec": spec.to_json(),
        "input_root": input_root,
        "versions": {"mgmtool": mgmtool.__version__, "numpy": np.__version__, **versions},
    }


def check_attributes(attributes: dict[str, Any], where: str) -> None:
    """Refuse a Zarr group that is not ours, or of a later version.

    Raises
    ------
    StoreError
    """
    if attributes.get("format") != FORMAT:
        raise StoreError(f"{where} is a Zarr group, but not a mask store (no attribute format={FORMAT!r})")
    if attributes.get("version") != VERSION:
        raise StoreError(
            f"{where} is a mask store of version {attributes.get('version')!r}; this mgmtool reads {VERSION}"
        )
    for name, kind in _SAID.items():
        if not isinstance(attributes.get(name), kind):
            raise StoreError(
                f"{where}: {name} in its attributes is {attributes.get(name)!r}, which no mask store has; "
                "mgmtool repair rebuilds it"
            )
