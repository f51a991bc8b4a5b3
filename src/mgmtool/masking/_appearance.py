"""Energy spread over what looks like it, as a stream: a colour model of the frames around each frame."""

from __future__ import annotations

import numpy as np

from mgmtool.kernels.appearance import BINS
from mgmtool.kernels.runs import see_run, weigh_run
from mgmtool.masking._evidence import border_cells, cells_of
from mgmtool.masking._scene import KnownFrame, SceneFrames, no_frames
from mgmtool.types import Int32

WINDOW = 32
"""Frames on each side whose colours count."""
_BLUR_PIXELS, _EDGE_PIXELS = 16, 112


class Appearance:
    """Weighs energy by the colours that move in the scene, within 32 frames on each side; answers that much later.

    Parameters
    ----------
    border : int or None
        Outer cells without energy, see :func:`mgmtool.masking._evidence.border_cells`.
    """

    def __init__(self, border: int | None) -> None:
        self._border = border
        self._table = np.zeros((BINS, 3), np.int64)
        self._totals = np.zeros(7, np.int64)
        self._seen: SceneFrames[KnownFrame] = no_frames()  # with blurred energy
        self._bins: Int32 = np.zeros((0, 0, 0), np.int32)
        self._first = self._known = 0
        """Number of frames at the start of ``_seen`` that were answered, and of those in the colour model."""

    def push(self, batch: SceneFrames[KnownFrame]) -> SceneFrames[KnownFrame]:
        """Take the next frames of the scene, with colours; return those whose window is complete, with their weighed energy."""
        if batch.items:
            self._see(batch)
        return self._taken(len(self._seen.items) - WINDOW)

    def flush(self) -> SceneFrames[KnownFrame]:
        """End the scene: return what still waits and forget everything."""
        rest = self._taken(len(self._seen.items))
        if self._seen.items:
            self._table[:] = 0
            self._totals[:] = 0
        self._seen, self._first, self._known = no_frames(), 0, 0
        return rest

    def _see(self, batch: SceneFrames[KnownFrame]) -> None:
        """Blur the energy of new frames and sort their cells by colour."""
        frames = [item.frame for item in batch.items]
        blurred, bins = np.empty_like(batch.energy), np.empty(batch.energy.shape, np.int32)
        luma = np.stack([frame.luma for frame in frames])  # type: ignore[misc]
        chroma = np.stack([frame.chroma for frame in frames])  # type: ignore[misc]
        see_run(batch.energy, luma, chroma, cells_of(_BLUR_PIXELS, frames[0]), blurred, bins)
        self._bins = np.concatenate([self._bins, bins]) if self._seen.items else bins
        self._seen = self._seen.followed_by(batch._replace(energy=blurred))

    def _taken(self, stop: int) -> SceneFrames[KnownFrame]:
        """Answer the frames before ``stop``, and forget those that are out of the colour model again."""
        first, seen = self._first, self._seen
        if stop <= first:
            return no_frames()
        like = seen.items[0].frame
        weighed = np.empty((stop - first, *seen.energy.shape[1:]), np.float32)
        known = weigh_run(
            seen.energy, self._bins, first, self._known, WINDOW, round(cells_of(_EDGE_PIXELS, like)),
            border_cells(self._border, like), self._table, self._totals, weighed,
        )  # fmt: skip
        past = max(stop - WINDOW, 0)
        self._seen, self._bins = seen.part(past, len(seen.items)), self._bins[past:]
        self._first, self._known = stop - past, known - past
        return seen.part(first, stop)._replace(energy=weighed)
