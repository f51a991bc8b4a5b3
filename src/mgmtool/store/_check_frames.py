"""What holds in every frame of a store, a chunk of frames in memory at a time.

Times are not checked: they are as in the file, and a file may repeat them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import StoreError
from mgmtool.store._check_records import CommitRecord
from mgmtool.store.arrays import Arrays
from mgmtool.store.findings import Finding, error
from mgmtool.store.layout import CHUNK_FRAMES
from mgmtool.types import ExtractSpec, FrameFlag, TokenLayout

_KNOWN = sum(flag.value for flag in FrameFlag)
_Bad = tuple[NDArray[np.bool_], Callable[[int], str]]
"""Which frames of a chunk are not as they should be, and words for one of them."""


def check_frames(record: CommitRecord, arrays: Arrays, spec: ExtractSpec) -> Iterator[Finding]:
    """Check every frame of a part; of each video, the first frame is named that breaks a rule."""
    done = record.done()
    if not done:
        return
    stops = np.array([row["row_stop"] for row in done])
    sizes = np.array([[row["height"], row["width"]] for row in done], np.int64)
    told = set[tuple[int, int]]()
    for start in range(0, record.frames, CHUNK_FRAMES):
        stop = min(start + CHUNK_FRAMES, record.frames)
        video = np.searchsorted(stops, np.arange(start, stop), side="right")
        try:
            bad = list(_rules(record.number, arrays, (start, stop), sizes[video], spec))
        except StoreError as problem:
            yield error("frame", f"rows {start}:{stop} cannot be read: {problem}", record.number)
            continue
        for rule, (where, words) in enumerate(bad):
            yield from _first(record, done, start, video, rule, where, words, told)


def _first(
    record: CommitRecord,
    done: list[dict[str, Any]],
    start: int,
    video: NDArray[np.int64],
    rule: int,
    where: NDArray[np.bool_],
    words: Callable[[int], str],
    told: set[tuple[int, int]],
) -> Iterator[Finding]:
    """Name the first bad frame of each video that was not told before."""
    numbers, firsts = np.unique(video[where], return_index=True)
    frames = np.flatnonzero(where)
    for number, first in zip(numbers.tolist(), firsts.tolist(), strict=True):
        if (number, rule) not in told:
            told.add((number, rule))
            row, frame = done[number], int(frames[first])
            text = f"frame {start + frame - row['row_start']}: {words(frame)}"
            yield error("frame", text, record.number, video=row["id"])


def _rules(
    part: int, arrays: Arrays, rows: tuple[int, int], sizes: NDArray[np.int64], spec: ExtractSpec
) -> Iterator[_Bad]:
    names = ("mask", "box", "flags", "energy_scale")
    mask, box, flags, scale = map(arrays.read(part, names, *rows).get, names)
    if flags is not None:
        yield (flags & ~np.uint8(_KNOWN)) != 0, lambda t: f"flags are {flags[t]}; expected bits of {_KNOWN} only"
    if scale is not None:
        yield ~(np.isfinite(scale) & (scale >= 0)), lambda t: f"energy_scale is {scale[t]}; expected 0 or more, finite"
    if mask is None or mask.shape[1:] != (spec.grid.rows, spec.grid.cols):
        return
    yield _counted(mask, spec.layout)
    if box is not None:
        outside = _outside(box.astype(np.int64), sizes, spec.layout)
        yield (
            outside,
            lambda t: f"box is {box[t].tolist()}; expected one inside {sizes[t][0]}x{sizes[t][1]}, or all zero",
        )
        yield _hidden(mask, box.astype(np.int64), sizes, spec.layout, ~outside)


def _counted(mask: NDArray[np.bool_], layout: TokenLayout) -> _Bad:
    """Every scheme that a mask volume can have hides the exact count in every frame."""
    counts = mask.sum(axis=(1, 2))
    return counts != layout.masked, lambda t: f"{counts[t]} patches are masked; expected {layout.masked}"


def _outside(box: NDArray[np.int64], sizes: NDArray[np.int64], layout: TokenLayout) -> NDArray[np.bool_]:
    """Boxes that do not lie in the picture. In one smaller than the grid, a box may be of no height or width."""
    low, high = box[:, :2], box[:, 2:]
    least = (sizes >= (layout.rows, layout.cols)).astype(np.int64)
    inside = np.asarray((low >= 0) & (low + least <= high) & (high <= sizes)).all(axis=1)
    return np.asarray(~inside & box.any(axis=1))


def _hidden(
    mask: NDArray[np.bool_],
    box: NDArray[np.int64],
    sizes: NDArray[np.int64],
    layout: TokenLayout,
    known: NDArray[np.bool_],
) -> _Bad:
    """Hidden patches are those of the box and more, or some of those of the box where that has more than the count."""
    cases, which = np.unique(np.hstack([box, sizes]), axis=0, return_inverse=True)
    inside = np.stack([_patches(case, layout) for case in cases])[which.reshape(-1)]
    few = layout.box_rows * layout.box_cols <= layout.masked
    wrong = ((inside & ~mask) if few else (mask & ~inside)).any(axis=(1, 2)) & known & box.any(axis=1)
    rule = "the patches in its box are not all masked" if few else "patches outside its box are masked"
    return wrong, lambda t: f"{rule}; expected otherwise, for the box is {box[t].tolist()}"


def _patches(case: NDArray[np.int64], layout: TokenLayout) -> NDArray[np.bool_]:
    """Patches that lie in a box; where they may be of no height or width, those count that do not matter."""
    y0, x0, y1, x1, height, width = case.tolist()
    few = layout.box_rows * layout.box_cols <= layout.masked
    rows = _span(y0, y1, height, layout.rows, not few)
    return np.logical_and.outer(rows, _span(x0, x1, width, layout.cols, not few))


def _span(low: int, high: int, length: int, count: int, empty: bool) -> NDArray[np.bool_]:
    """Patches along a side whose pixels lie in low .. high - 1; those without pixels are in or out, as asked."""
    edges = [round(k * length / count) for k in range(count + 1)]
    return np.array([empty if a == b else low <= a and b <= high for a, b in pairwise(edges)], np.bool_)
