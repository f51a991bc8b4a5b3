"""Where known objects are, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mgmtool.types.arrays import Float32, Int64


@dataclass(frozen=True, slots=True)
class Tracks:
    """Boxes of the objects of one video, from a file of detections or tracks.

    Attributes
    ----------
    frame : int64 (n,)
        Frame index of each box, ascending.
    track : int64 (n,)
        Object of each box, 0 .. ``num_objects - 1``.
    box : float32 (n, 4)
        ``y0 x0 y1 x1`` in pixels of the displayed frame; may reach outside it.
    """

    frame: Int64
    track: Int64
    box: Float32

    @property
    def num_objects(self) -> int:
        """How many objects there are."""
        return int(self.track.max()) + 1 if len(self.track) else 0

    def at(self, frames: Sequence[int]) -> Float32:
        """Return the boxes of every object in some frames.

        Parameters
        ----------
        frames : sequence of int
            Frame indices, in any order, repeats allowed.

        Returns
        -------
        float32 (frames, objects, 4)
            ``y0 x0 y1 x1`` in displayed pixels; NaN where an object is not in a frame.
        """
        dense = np.full((len(frames), self.num_objects, 4), np.nan, np.float32)
        wanted = np.asarray(frames, np.int64)
        first, stop = np.searchsorted(self.frame, wanted, "left"), np.searchsorted(self.frame, wanted, "right")
        for row, begin, end in zip(dense, first.tolist(), stop.tolist(), strict=True):
            row[self.track[begin:end]] = self.box[begin:end]
        return dense
