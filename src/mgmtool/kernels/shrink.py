"""A plane of samples to a smaller picture of 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel


@kernel
def shrink(plane: NDArray[Any], width: int, unit: float, small: NDArray[np.uint8]) -> None:
    """Average a picture over the rectangles of an even grid, each pixel weighted by the area that lies in the rectangle.

    Sums are whole numbers, so that they are exact and the same in any order.

    Parameters
    ----------
    plane : uint8 or uint16 (height, >= width)
        Samples, each row padded at its end; fewer than 65536 rows.
    width : int
        Samples of a row that belong to the picture, fewer than 65536.
    unit : float
        Value of one step on a scale of 0..255.
    small : uint8 (rows, cols)
        Overwritten: means, rounded half up. Where it has more rows or columns than the picture, pixels are repeated.
    """
    height = plane.shape[0]
    rows, cols = small.shape
    starts = np.arange(cols + 1) * width // cols
    sums = np.empty(width, np.uint32)
    area = np.float64(height) * width
    for row in range(rows):
        sums[:] = 0
        y0, y1 = row * height, (row + 1) * height
        for y in range(y0 // rows, (y1 + rows - 1) // rows):
            _add_line(plane[y], np.uint32(min((y + 1) * rows, y1) - max(y * rows, y0)), sums)
        _shrink_line(sums, starts, unit, area, small[row])


@kernel
def _add_line(line: NDArray[Any], weight: np.uint32, sums: NDArray[np.uint32]) -> None:
    """Add a weighted row of samples; nearly the whole cost for large pictures, and it vectorises."""
    for x in range(sums.size):
        sums[x] += np.uint32(line[x]) * weight


@kernel
def _shrink_line(
    sums: NDArray[np.uint32], starts: NDArray[np.int64], unit: float, area: float, out: NDArray[np.uint8]
) -> None:
    """Average a row of sums; ``starts`` is the pixel in which each rectangle starts, found once for all rows."""
    width, cols = sums.size, out.size
    for col in range(cols):
        x0, x1 = col * width, (col + 1) * width
        total = np.int64(0)
        for x in range(starts[col], starts[col + 1] + 1):
            share = min((x + 1) * cols, x1) - max(x * cols, x0)
            if share > 0:  # a rectangle may end where a pixel does, and the last one where the picture does
                total += np.int64(sums[x]) * share
        out[col] = np.uint8(min(total * unit / area + 0.5, 255.0))  # divided, so that a half is a half
