"""Scene cuts, from the small luma pictures that come with the motion."""

from __future__ import annotations

import numpy as np

from mgmtool.kernels.luma import best_correlation, correlation, mean_difference
from mgmtool.types import Float32

_LEAST_DIFFERENCE = 18.0
_MOST_CORRELATION = 0.6
_MOST_SHIFTED_CORRELATION = 0.45
_REACH = 5
_MOST_COLUMNS = 64


class CutDetector:
    """Says for each frame whether its picture has nothing to do with the one before.

    A cut is a mean absolute luma difference of at least 18 of 255, a correlation of at most 0.6, and no correlation above 0.45
    however one picture is shifted against the other by up to a fifth of its sides (our choice): a flash keeps the correlation, a
    slow pan keeps the difference small, and a fast one has a shift that brings the pictures together.
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
        if mean_difference(before, luma) < _LEAST_DIFFERENCE or correlation(before, luma) > _MOST_CORRELATION:
            return False
        before, luma = _small(before), _small(luma)
        reach_y, reach_x = (n // _REACH for n in luma.shape)
        return best_correlation(before, luma, reach_y, reach_x) <= _MOST_SHIFTED_CORRELATION


def _small(luma: Float32) -> Float32:
    """Halve a picture until it is narrow: every shift is tried on it."""
    while luma.shape[1] > _MOST_COLUMNS and luma.shape[0] > 1:
        even = luma[: luma.shape[0] // 2 * 2, : luma.shape[1] // 2 * 2]
        halves = even.reshape(even.shape[0] // 2, 2, -1, 2)
        luma = np.ascontiguousarray(halves.mean(axis=(1, 3), dtype=np.float32))
    return luma
