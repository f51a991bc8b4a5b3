"""One box of a file, the checks of what stands in it, and many of them to tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeGuard

import numpy as np

from mgmtool.errors import TracksFailure
from mgmtool.tracks.linking import link
from mgmtool.types import Tracks

Sides = tuple[float, float, float, float]

_FARTHEST = 1e9  # pixels: whatever is done with them stays finite in 32 bits
_LARGEST = 2**62  # the difference of two still fits into 64 bits


@dataclass(frozen=True, slots=True)
class ObjectBox:
    """One box of a file.

    Attributes
    ----------
    frame : int
        Frame index.
    track : int or None
        Id of the object, None for a detection without one.
    sides : tuple of float
        ``y0 x0 y1 x1`` in displayed pixels.
    where : str
        File and place in it, for an error to name.
    """

    frame: int
    track: int | None
    sides: Sides
    where: str


def failure(where: str, what: str, value: object, expected: str) -> TracksFailure:
    """Say what is wrong in a file, in one line."""
    return TracksFailure(f"{where}: {what} is {repr(value)[:64]}; expected {expected}")


def without_ending(name: str) -> str:
    """Return a name or an id without its ending."""
    return name.removesuffix(PurePosixPath(name).suffix)


def number(where: str, what: str, value: object) -> float:
    """Check a coordinate or another finite number."""
    if not _is_number(value) or not abs(value) <= _FARTHEST:
        raise failure(where, what, value, f"a number from -{_FARTHEST:.0e} to {_FARTHEST:.0e}")
    return float(value)


def whole(where: str, what: str, value: object, least: int = -_LARGEST) -> int:
    """Check a frame number or an id; one written as 3.0 will do."""
    if not _is_number(value) or not least <= value <= _LARGEST or value != int(value):
        raise failure(where, what, value, "a whole number" + (f" from {least}" if least > 0 else ""))
    return int(value)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def sides(where: str, box: Sequence[object]) -> Sides:
    """Turn left, top, width and height into ``y0 x0 y1 x1``."""
    names = ("left", "top", "width", "height")
    left, top, width, height = (number(where, name, value) for name, value in zip(names, box, strict=True))
    for name, size in (("width", width), ("height", height)):
        if size <= 0:
            raise failure(where, name, size, "more than 0")
    return top, left, top + height, left + width


def gather(rows: Sequence[ObjectBox]) -> Tracks:
    """Make tracks of all boxes of a video; detections without ids are linked."""
    rows = sorted(rows, key=lambda row: row.frame)
    ids = _ids(rows)
    first: dict[int, int] = {}
    for row, track in zip(rows, ids, strict=True):
        first.setdefault(track, row.frame)
    place = {track: n for n, track in enumerate(sorted(first, key=lambda track: (first[track], track)))}
    frame = np.array([row.frame for row in rows], np.int64)
    tracks = np.array([place[track] for track in ids], np.int64)
    box = np.array([row.sides for row in rows], np.float32).reshape(-1, 4)
    order = np.lexsort((tracks, frame))
    return Tracks(frame[order], tracks[order], box[order])


def _ids(rows: Sequence[ObjectBox]) -> list[int]:
    """Ids of boxes that are in the order of their frames."""
    given = [row.track for row in rows if row.track is not None]
    if not given:
        return link([row.frame for row in rows], np.array([row.sides for row in rows], np.float64).reshape(-1, 4))
    bare = next((row for row in rows if row.track is None), None)
    if bare is not None:
        raise failure(bare.where, "the id of the object", None, "one that is not negative, since other boxes have ids")
    seen: set[tuple[int, int]] = set()
    for row, track in zip(rows, given, strict=True):
        if (row.frame, track) in seen:
            raise failure(row.where, "the id of the object", track, "no second box of it in the same frame")
        seen.add((row.frame, track))
    return given
