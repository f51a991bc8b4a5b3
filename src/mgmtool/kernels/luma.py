"""Luma straight from a decoded plane, and how two pictures of it differ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]


@kernel
def mean_luma(
    plane: NDArray[Any],
    width: int,
    offset_y: int,
    offset_x: int,
    shift: int,
    unit: float,
    sums: NDArray[np.uint32],
    luma: Float32,
) -> None:
    """Average a plane over squares.

    Parameters
    ----------
    plane : uint8 or uint16 (height, >= width)
        Luma samples, C-contiguous, each row padded at its end.
    width : int
        Samples of a row that belong to the picture.
    offset_y, offset_x : int
        Pixels by which the first square starts before the picture, 0..side-1.
    shift : int
        log2 of the side of a square in pixels.
    unit : float
        Value of one step of the plane on a scale of 0..255, for example 0.25 for 10 bit.
    sums : uint32 (>= width,)
        Scratch.
    luma : float32 (rows, cols)
        Overwritten: mean of the pixels of each square that lie in the picture, 0..255; 0 where none does.
    """
    height = plane.shape[0]
    rows, cols = luma.shape
    for row in range(rows):
        y0 = max((row << shift) - offset_y, 0)
        y1 = min(((row + 1) << shift) - offset_y, height)
        sums[:] = 0
        # Columns are summed first: this inner loop is the whole cost, and it vectorises as long as nothing widens to 64 bits.
        for y in range(y0, y1):
            line = plane[y]
            for x in range(width):
                sums[x] = np.uint32(sums[x] + line[x])
        for col in range(cols):
            x0 = max((col << shift) - offset_x, 0)
            x1 = min(((col + 1) << shift) - offset_x, width)
            total = np.uint32(0)
            for x in range(x0, x1):
                total = np.uint32(total + sums[x])
            count = (y1 - y0) * (x1 - x0)
            luma[row, col] = np.float32(unit * np.float64(total) / count) if y1 > y0 and x1 > x0 else np.float32(0.0)


@kernel
def picture_change(before: Float32, after: Float32) -> tuple[float, float]:
    """Compare two small pictures.

    Parameters
    ----------
    before, after : float32 (rows, cols)
        Mean luma, 0..255.

    Returns
    -------
    difference : float
        Mean absolute difference, 0..255.
    correlation : float
        Pearson correlation of the two, -1..1; 1 where both are flat, 0 where only one is.
    """
    rows, cols = before.shape
    n = rows * cols
    # A Python float would become float32 without the compiler.
    mean_a = np.float64(0.0)
    mean_b = np.float64(0.0)
    difference = np.float64(0.0)
    for row in range(rows):
        for col in range(cols):
            mean_a += before[row, col]
            mean_b += after[row, col]
            difference += abs(before[row, col] - after[row, col])
    mean_a /= n
    mean_b /= n
    aa = 0.0
    bb = 0.0
    ab = 0.0
    for row in range(rows):
        for col in range(cols):
            a = before[row, col] - mean_a
            b = after[row, col] - mean_b
            aa += a * a
            bb += b * b
            ab += a * b
    # Less than one grey level of contrast is a flat picture: its correlation would be noise.
    if aa < n or bb < n:
        return difference / n, 1.0 if aa < n and bb < n else 0.0
    return difference / n, min(max(ab / math.sqrt(aa * bb), -1.0), 1.0)  # rounding may overshoot
