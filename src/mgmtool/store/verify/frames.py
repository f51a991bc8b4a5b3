"""What holds in every frame of a store, checked with one chunk of frames in memory at a time.

Times are not checked: they are as in the file, and a file may repeat them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import StoreError
from mgmtool.store.arrays import Arrays
from mgmtool.store.layout import CHUNK_FRAMES
from mgmtool.store.verify.findings import Finding, error
from mgmtool.store.verify.records import CommitRecord
from mgmtool.types import FrameFlag, TokenLayout

_KNOWN = sum(flag.value for flag in FrameFlag)
Broken = tuple[NDArray[np.bool_], Callable[[int], str]]
"""Which frames of a chunk break a rule, and words for one of them."""


def check_frames(record: CommitRecord, arrays: Arrays, layout: TokenLayout) -> Iterator[Finding]:
    """Check every frame of a part; of each video, the first frame that breaks a rule is named."""
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
            found = arrays.read(record.number, ("mask", "box", "flags", "energy_scale"), start, stop)
        except StoreError as problem:
            yield error("frame", f"rows {start}:{stop} cannot be read: {problem}", record.number)
            continue
        for rule, (where, words) in enumerate(frame_rules(found, sizes[video], layout)):
            numbers, firsts = np.unique(video[where], return_index=True)
            for number, first in zip(numbers.tolist(), firsts.tolist(), strict=True):
                if (number, rule) not in told:
                    told.add((number, rule))
                    row, frame = done[number], int(np.flatnonzero(where)[first])
                    text = f"frame {start + frame - row['row_start']}: {words(frame)}"
                    yield error("frame", text, record.number, video=row["id"])


def frame_rules(found: Mapping[str, NDArray[Any]], sizes: NDArray[np.int64], layout: TokenLayout) -> Iterator[Broken]:
    """Apply every rule to some frames.

    Parameters
    ----------
    found : mapping
        Rows of the arrays there are, by name.
    sizes : int64 (frames, 2)
        Height and width of each frame, pixels.
    layout : TokenLayout
        Of the store.
    """
    mask, box, flags, scale = (found.get(name) for name in ("mask", "box", "flags", "energy_scale"))
    if flags is not None:
        yield (flags & ~np.uint8(_KNOWN)) != 0, lambda t: f"flags are {flags[t]}; expected bits of {_KNOWN} only"
    if scale is not None:
        yield ~(np.isfinite(scale) & (scale >= 0)), lambda t: f"energy_scale is {scale[t]}; expected 0 or more, finite"
    if mask is None or mask.shape[1:] != (layout.rows, layout.cols):
        return
    counts = mask.sum(axis=(1, 2))  # every scheme that a mask volume can have hides the exact count in every frame
    yield counts != layout.masked, lambda t: f"{counts[t]} patches are masked; expected {layout.masked}"
    if box is None:
        return
    box = box.astype(np.int64)
    outside = outside_frame(box, sizes, layout)
    yield (
        outside,
        lambda t: f"box is {box[t].tolist()}; expected one inside {sizes[t][0]}x{sizes[t][1]}, or all zero",
    )
    # Hidden patches are those of the box and more, or some of those of the box where that has more than the count.
    few = layout.box_rows * layout.box_cols <= layout.masked
    cases, which = np.unique(np.hstack([box, sizes]), axis=0, return_inverse=True)
    inside = np.stack([patches_of_box(case, layout, without_pixels=not few) for case in cases])[which.reshape(-1)]
    wrong = ((inside & ~mask) if few else (mask & ~inside)).any(axis=(1, 2)) & ~outside & box.any(axis=1)
    rule = "the patches in its box are not all masked" if few else "patches outside its box are masked"
    yield wrong, lambda t: f"{rule}; expected otherwise, for the box is {box[t].tolist()}"


def outside_frame(box: NDArray[np.int64], sizes: NDArray[np.int64], layout: TokenLayout) -> NDArray[np.bool_]:
    """Tell which boxes do not lie in their frame. In a frame smaller than the grid, a box may have no height or width."""
    low, high = box[:, :2], box[:, 2:]
    least = (sizes >= (layout.rows, layout.cols)).astype(np.int64)
    inside = np.asarray((low >= 0) & (low + least <= high) & (high <= sizes)).all(axis=1)
    return np.asarray(~inside & box.any(axis=1))


def patches_of_box(case: NDArray[np.int64], layout: TokenLayout, *, without_pixels: bool) -> NDArray[np.bool_]:
    """Tell which patches lie in a box.

    Parameters
    ----------
    case : int64 (6,)
        y0, x0, y1, x1 of the box, height and width of the frame, pixels.
    layout : TokenLayout
        The grid.
    without_pixels : bool
        Whether patches without a pixel, in a frame smaller than the grid, count as inside.
    """
    y0, x0, y1, x1, height, width = case.tolist()
    sides = []
    for low, high, length, count in ((y0, y1, height, layout.rows), (x0, x1, width, layout.cols)):
        edges = [round(k * length / count) for k in range(count + 1)]
        sides.append([without_pixels if a == b else low <= a and b <= high for a, b in pairwise(edges)])
    return np.logical_and.outer(*(np.array(side, np.bool_) for side in sides))
