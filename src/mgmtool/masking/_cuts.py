"""Scene cuts, from the small luma pictures that come with the motion."""

from __future__ import annotations

from mgmtool.kernels.luma import correlation, mean_difference
from mgmtool.types import Float32

_LEAST_DIFFERENCE = 18.0
_MOST_CORRELATION = 0.6


class CutDetector:
    """Says for each frame whether its picture has nothing to do with the one before.

    A cut is a mean absolute luma difference of at least 18 of 255 together with a correlation of at most 0.6 (our choice): a
    flash keeps the correlation, a fast pan keeps the difference small.
    """

    def __init__(self) -> None:
        self._before: Float32 | None = None

    def is_cut(self, luma: Float32 | None) -> bool:
        """Take the next frame. A frame without luma, and the first frame, are no cut; a change of size is one."""
        before, self._before = self._before, luma
        if before is None or luma is None:
            return False
        if before.shape != luma.shape:
            return True
        if mean_difference(before, luma) < _LEAST_DIFFERENCE:
            return False
        return correlation(before, luma) <= _MOST_CORRELATION
