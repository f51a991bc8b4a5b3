"""Statistics over the frames of a store: flags, where boxes lie, how fast they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.report.bounded import Bins
from mgmtool.store import PartScan
from mgmtool.types import FrameFlag

HEAT_CELLS = 28
"""Points of the heat map along each side; twice the default grid, so that none lies on the edge of a patch."""

SPEED_EDGES = (0.0, 0.00125, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""How far the centre of a box moves from one frame to the next, as a share of the short side."""

_FULL = 255
"""Energy of the strongest cell of a frame, in steps of its scale."""


class FrameStatistics:
    """Counts over all frames.

    Attributes
    ----------
    frames, boxes : int
        Frames, and how many of them have a box.
    flags : int64 (flags,)
        Frames with each flag, in the order of :class:`FrameFlag`.
    heat : int64 (HEAT_CELLS, HEAT_CELLS)
        How many boxes hold each point of an even grid over the frame.
    speed : Bins
        See :data:`SPEED_EDGES`; scene cuts are left out.
    """

    def __init__(self) -> None:
        self.frames = self.boxes = 0
        self.flags = np.zeros(len(FrameFlag), np.int64)
        self.heat = np.zeros((HEAT_CELLS, HEAT_CELLS), np.int64)
        self.speed = Bins(SPEED_EDGES)

    def add(self, part: PartScan, rows: Sequence[Mapping[str, Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Count the frames of the videos of a part that are done.

        Returns
        -------
        motion : float64 (videos,)
            Mean over the frames of the energy of the strongest cell; NaN where the part has no energy.
        still : float64 (videos,)
            Share of the frames without motion of their own.
        """
        energy = part.has("energy_scale")
        names = ["box", "flags", *(["energy_scale"] if energy else [])]
        start, stop, height, width = (
            np.array([row[name] for row in rows], np.int64) for name in ("row_start", "row_stop", "height", "width")
        )
        motion, still = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
        last: tuple[Any, ...] = ()
        for first, (box, flags, *scale) in part.blocks(names, int(stop.max())):
            frame = np.arange(first, first + len(box))
            video = np.searchsorted(start, frame, "right") - 1
            owned = frame < stop[video]  # other rows belong to videos that were extracted again later
            video = video[owned]
            block = (video, box[owned].astype(np.int64), flags[owned])
            still += np.bincount(video, block[2] & FrameFlag.PROPAGATED > 0, minlength=len(rows)).astype(np.int64)
            motion += np.bincount(video, scale[0][owned], minlength=len(rows)) if energy else np.nan
            self.frames += len(video)
            self.flags += [np.count_nonzero(block[2] & flag.value) for flag in FrameFlag]
            boxes, heat = box_heat(block[1], np.stack([height, width] * 2, axis=1)[video])
            self.boxes += boxes
            self.heat += heat
            last = self._move(last, block, np.minimum(height, width))
        frames = np.maximum(stop - start, 1)
        return _FULL * motion / frames, still / frames

    def _move(self, last: tuple[Any, ...], block: tuple[Any, ...], short: NDArray[Any]) -> tuple[Any, ...]:
        """Count how far boxes move; returns the last frame, from which the next block continues."""
        video, box, flags = (np.concatenate(pair) for pair in zip(last, block, strict=True)) if last else block
        there = (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
        same = (video[1:] == video[:-1]) & there[1:] & there[:-1] & (flags[1:] & FrameFlag.SCENE_CUT == 0)
        way = np.diff(box[:, :2] + box[:, 2:], axis=0)[same] / 2
        self.speed.add(np.hypot(way[:, 0], way[:, 1]) / short[video[1:]][same])
        return video[-1:], box[-1:], flags[-1:]


def box_heat(box: NDArray[Any], size: NDArray[Any]) -> tuple[int, NDArray[np.int64]]:
    """Count how many boxes contain each point of an even grid over their frames.

    Only the corners of each box are counted, and then summed up, so the cost does not depend on the areas.

    Parameters
    ----------
    box : int64 (frames, 4)
        ``y0 x0 y1 x1`` in displayed pixels.
    size : int64 (frames, 4)
        Height, width, height, width of the frame of each box.

    Returns
    -------
    boxes : int
        Boxes that are not empty.
    heat : int64 (HEAT_CELLS, HEAT_CELLS)
        How many of them contain each point.
    """
    first = -((size - 2 * HEAT_CELLS * box) // (2 * size))  # first point at or after the edge, in whole numbers
    edges = np.clip(first, 0, HEAT_CELLS)
    there = (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
    side = HEAT_CELLS + 1
    corners = np.zeros(side * side, np.int64)
    for y, x, sign in ((0, 1, 1), (0, 3, -1), (2, 1, -1), (2, 3, 1)):
        corners += sign * np.bincount(edges[there, y] * side + edges[there, x], minlength=side * side)
    return int(there.sum()), corners.reshape(side, side).cumsum(axis=0).cumsum(axis=1)[:-1, :-1]
