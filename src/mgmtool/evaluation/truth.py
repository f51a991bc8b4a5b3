"""From object masks in pixels to the share of each token that is object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mgmtool.types import Bool, ClipRequest, Crop, Float32, Float64

_Sums = Float64


def token_shares(objects: Iterable[Bool], clips: Sequence[ClipRequest]) -> tuple[list[Float32], int]:
    """Share of object in every token of every clip, in one pass over the frames.

    Parameters
    ----------
    objects : iterable of bool (height, width)
        Every frame of the video, True = object.
    clips : sequence of ClipRequest
        Their mirroring is not looked at.

    Returns
    -------
    shares : list of float32 (tubelets, rows, cols)
        0..1, mean over the pixels of a token and the frames of its tubelet.
    frames : int
        How many frames show an object.
    """
    totals = [np.zeros((len(c.frames) // c.tubelet, c.layout.rows, c.layout.cols)) for c in clips]
    users: dict[int, list[tuple[int, int]]] = {}
    for number, clip in enumerate(clips):
        for position, frame in enumerate(clip.frames):
            users.setdefault(frame, []).append((number, position // clip.tubelet))
    shown = 0
    for index, inside in enumerate(objects):
        shown += bool(inside.any())
        sums = summed_area(inside)
        for number, tubelet in users.get(index, ()):
            totals[number][tubelet] += crop_shares(sums, clips[number]) / clips[number].tubelet
    return [total.astype(np.float32) for total in totals], shown


def cell_shares(inside: Bool, cell: int) -> Float32:
    """Share of object in every cell of a frame, 0..1; cells start at the top left and the last ones are cut by the picture."""
    ys, xs = (np.minimum(np.arange(-(-n // cell) + 1.0) * cell, n).astype(np.float64) for n in inside.shape)
    return shares_between(summed_area(inside), ys, xs).astype(np.float32)


def summed_area(inside: Bool) -> _Sums:
    """Pixels of object above and left of every corner between pixels; float64 (height + 1, width + 1)."""
    sums = np.zeros((inside.shape[0] + 1, inside.shape[1] + 1), np.float64)
    np.cumsum(np.cumsum(inside, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    return sums


def shares_between(sums: _Sums, ys: Float64, xs: Float64) -> Float64:
    """Exact share of object in the rectangles between lines, which may lie between pixels; (ys - 1, xs - 1)."""
    corners = _at(_at(sums, ys).T, xs).T
    area = np.outer(np.diff(ys), np.diff(xs))
    shares: Float64 = np.diff(np.diff(corners, axis=0), axis=1) / area
    return shares


def _at(sums: Float64, places: Float64) -> Float64:
    """Rows of a summed-area table at fractional places: linear in between, since a pixel is of one value."""
    low = np.minimum(places.astype(np.int64), len(sums) - 2)
    part = (places - low)[:, None]
    rows: Float64 = sums[low] * (1 - part) + sums[low + 1] * part
    return rows


def crop_shares(sums: _Sums, clip: ClipRequest) -> Float64:
    """Return the share of object in every token of a clip's crop in one frame; float64 (rows, cols)."""
    crop = clip.crop or Crop(0, 0, sums.shape[0] - 1, sums.shape[1] - 1)
    ys = crop.top + np.arange(clip.layout.rows + 1, dtype=np.float64) * (crop.height / clip.layout.rows)
    xs = crop.left + np.arange(clip.layout.cols + 1, dtype=np.float64) * (crop.width / clip.layout.cols)
    return shares_between(sums, ys, xs)
