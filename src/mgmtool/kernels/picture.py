"""What the pictures say of motion: the normal-flow residual against the camera."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_LEAST_GRADIENT = 4.0
"""Grey levels of 255 a sample; gradients below it count for little, since noise has them too."""


@kernel
def normal_flow(before: Float32, after: Float32, theta: Float64, spacing: float, flow: Float32) -> None:
    """Least motion against the camera that explains how one picture became another, per cell (normal flow).

    With I the picture, J the other one, D(p) the camera displacement from J to I at p, ``d = |I(p) - J(p - D(p))|`` (bilinear)
    and g the length of the central gradient of I: ``flow = spacing * sum(d g) / (sum(g^2) + n g0^2)`` over the 2 x 2 samples of
    a cell, with g0 = 4 grey levels a sample. A sample whose origin lies outside the other picture does not count.

    Parameters
    ----------
    before : float32 (2 rows, 2 cols)
        J, mean luma of quarter cells, 0..255. An earlier picture; or a later one, with the camera motion turned round.
    after : float32 (2 rows, 2 cols)
        I, likewise.
    theta : float64 (2, 3)
        D: (1, x, y) coefficients of dy and of dx in pixels, x and y in -1..1 over the cell centres.
    spacing : float
        Pixels between two samples: half a cell.
    flow : float32 (rows, cols)
        Overwritten: pixels, >= 0; infinite where no sample counts.
    """
    rows, cols = flow.shape
    shift = np.empty((2, 3), np.float64)
    _shift_in_samples(theta, rows, cols, spacing, shift)
    for row in range(rows):
        for col in range(cols):
            flow[row, col] = spacing * _cell_flow(before, after, shift, row, col)


@kernel
def _shift_in_samples(theta: Float64, rows: int, cols: int, spacing: float, shift: Float64) -> None:
    """Camera motion in samples, as (1, row, column) coefficients over sample numbers.

    Sample i lies at cell coordinate ``i / 2 - 1 / 4``, and cells 0 .. n - 1 at -1 .. 1.
    """
    step_y = 2.0 / (rows - 1) if rows > 1 else 0.0
    step_x = 2.0 / (cols - 1) if cols > 1 else 0.0
    first_y = -1.0 - 0.25 * step_y if rows > 1 else 0.0
    first_x = -1.0 - 0.25 * step_x if cols > 1 else 0.0
    for k in range(2):
        shift[k, 0] = (theta[k, 0] + theta[k, 1] * first_x + theta[k, 2] * first_y) / spacing
        shift[k, 1] = theta[k, 2] * 0.5 * step_y / spacing
        shift[k, 2] = theta[k, 1] * 0.5 * step_x / spacing


@kernel
def _cell_flow(before: Float32, after: Float32, shift: Float64, row: int, col: int) -> float:
    """Normal-flow residual of one cell, in samples; infinite where no sample counts."""
    last_y = after.shape[0] - 1
    last_x = after.shape[1] - 1
    products = 0.0
    squares = 0.0
    count = 0
    for i in range(2 * row, 2 * row + 2):
        for j in range(2 * col, 2 * col + 2):
            y = i - (shift[0, 0] + shift[0, 1] * i + shift[0, 2] * j)
            x = j - (shift[1, 0] + shift[1, 1] * i + shift[1, 2] * j)
            if 0.0 <= y <= last_y and 0.0 <= x <= last_x:
                gy = 0.5 * np.float64(after[min(i + 1, last_y), j] - after[max(i - 1, 0), j])
                gx = 0.5 * np.float64(after[i, min(j + 1, last_x)] - after[i, max(j - 1, 0)])
                square = gy * gy + gx * gx
                products += abs(np.float64(after[i, j]) - _bilinear(before, y, x)) * math.sqrt(square)
                squares += square
                count += 1
    if count == 0:
        return math.inf
    return float(products / (squares + count * _LEAST_GRADIENT * _LEAST_GRADIENT))


@kernel
def _bilinear(values: Float32, y: float, x: float) -> float:
    """Value between samples; y and x lie inside the array."""
    top = min(int(y), max(values.shape[0] - 2, 0))
    left = min(int(x), max(values.shape[1] - 2, 0))
    bottom = min(top + 1, values.shape[0] - 1)
    right = min(left + 1, values.shape[1] - 1)
    fy = y - top
    fx = x - left
    upper = (1.0 - fx) * values[top, left] + fx * values[top, right]
    lower = (1.0 - fx) * values[bottom, left] + fx * values[bottom, right]
    return float((1.0 - fy) * upper + fy * lower)
