"""Background at another depth: residual motion that is like the motion along the border of the frame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel
from mgmtool.kernels.select import small_median

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_FEW_CELLS = 4
_NEAR = 0.02


@kernel
def residual_motion(displacement: Float32, coverage: Float32, theta: Float64, motion: Float32) -> None:
    """Displacement minus camera motion, as vectors.

    Parameters
    ----------
    displacement : float32 (rows, cols, 2)
        (dy, dx) in pixels.
    coverage : float32 (rows, cols)
        Cells at 0 have no motion.
    theta : float64 (2, 3)
        Camera motion as :func:`mgmtool.kernels.camera.fit_camera` gives it.
    motion : float32 (rows, cols, 2)
        Overwritten: (dy, dx) in pixels, 0 where uncovered.
    """
    rows, cols = coverage.shape
    step_y = 2.0 / (rows - 1) if rows > 1 else 0.0
    step_x = 2.0 / (cols - 1) if cols > 1 else 0.0
    for row in range(rows):
        y = row * step_y - 1.0 if rows > 1 else 0.0
        for col in range(cols):
            x = col * step_x - 1.0 if cols > 1 else 0.0
            motion[row, col, 0] = 0.0
            motion[row, col, 1] = 0.0
            if coverage[row, col] > 0.0:
                motion[row, col, 0] = displacement[row, col, 0] - (theta[0, 0] + theta[0, 1] * x + theta[0, 2] * y)
                motion[row, col, 1] = displacement[row, col, 1] - (theta[1, 0] + theta[1, 1] * x + theta[1, 2] * y)


@kernel
def explain_by_border(motion: Float32, coverage: Float32, along: int, deep: int, residual: Float32) -> None:
    """Take out of the residual what is explained by the motion of the frame's border (parallax).

    Each side of the frame is cut into blocks, as many as come nearest to ``along`` cells each, that reach ``deep`` cells into the
    frame; b is the component-wise median of the residual motion of a block's covered cells, 0 where there are at most 4, and m
    that of the blocks of a side. g at a cell is the mean of b of the four sides at its row and column, linear between the middles
    of the blocks, weighted by 1 / (distance to the side + 0.02), distances as shares of the frame. With ``dist(a, p, T)`` the
    distance of a from the segment 0 .. T p:
    ``residual = min(residual, dist(motion, m, 1) for each side, dist(motion, g, 1.5))``.

    Parameters
    ----------
    motion : float32 (rows, cols, 2)
        Residual motion (dy, dx), pixels; 0 where uncovered.
    coverage : float32 (rows, cols)
        Cells at 0 do not count.
    along, deep : int
        Size of a block in cells, >= 1.
    residual : float32 (rows, cols)
        Length of the residual motion, pixels; lowered in place.
    """
    rows, cols = coverage.shape
    high = min(deep, rows)
    wide = min(deep, cols)
    across = np.empty((2, cols, 2), np.float64)  # along the top and the bottom
    down = np.empty((2, rows, 2), np.float64)  # along the left and the right
    middles = np.empty((4, 2), np.float64)
    _side(motion[:high], coverage[:high], along, True, across[0], middles[0])
    _side(motion[rows - high :], coverage[rows - high :], along, True, across[1], middles[1])
    _side(motion[:, :wide], coverage[:, :wide], along, False, down[0], middles[2])
    _side(motion[:, cols - wide :], coverage[:, cols - wide :], along, False, down[1], middles[3])
    weights_y = np.empty((2, rows), np.float64)
    weights_x = np.empty((2, cols), np.float64)
    _nearness(weights_y)
    _nearness(weights_x)
    for row in range(rows):
        for col in range(cols):
            if coverage[row, col] > 0.0:
                y, x = np.float64(motion[row, col, 0]), np.float64(motion[row, col, 1])
                gy = _between(weights_y, weights_x, across, down, row, col, 0)
                gx = _between(weights_y, weights_x, across, down, row, col, 1)
                least = _squared_distance(y, x, gy, gx, 1.5)
                for side in range(4):
                    least = min(least, _squared_distance(y, x, middles[side, 0], middles[side, 1], 1.0))
                residual[row, col] = min(residual[row, col], np.float32(math.sqrt(least)))


@kernel
def _between(
    weights_y: Float64, weights_x: Float64, across: Float64, down: Float64, row: int, col: int, k: int
) -> float:
    """Mean of one component of the four sides' motion at a cell's column and row, nearer sides counting more."""
    total = weights_y[0, row] + weights_y[1, row] + weights_x[0, col] + weights_x[1, col]
    upright = weights_y[0, row] * across[0, col, k] + weights_y[1, row] * across[1, col, k]
    return float((upright + weights_x[0, col] * down[0, row, k] + weights_x[1, col] * down[1, row, k]) / total)


@kernel
def _nearness(weights: Float64) -> None:
    """``1 / (distance + 0.02)`` of each of n places from the first and from the last side, distances as shares."""
    n = weights.shape[1]
    for i in range(n):
        weights[0, i] = 1.0 / ((i + 0.5) / n + _NEAR)
        weights[1, i] = 1.0 / ((n - i - 0.5) / n + _NEAR)


@kernel
def _squared_distance(dy: float, dx: float, py: float, px: float, reach: float) -> float:
    """Squared distance of (dy, dx) from the segment between 0 and ``reach`` times (py, px)."""
    length = py * py + px * px
    share = min(max((dy * py + dx * px) / length, 0.0), reach) if length > 0.0 else 0.0
    ey = dy - share * py
    ex = dx - share * px
    return ey * ey + ex * ex


@kernel
def _side(motion: Float32, coverage: Float32, along: int, horizontal: bool, profile: Float64, middle: Float64) -> None:
    """Median motion of the blocks of one side, spread linearly over its cells, and the median of the blocks."""
    n = profile.shape[0]
    blocks = max(1, (n + along // 2) // along)
    values = np.empty((2, max(coverage.size, blocks)), np.float32)
    found = np.empty((2, blocks), np.float32)
    for block in range(blocks):
        first, last = block * n // blocks, (block + 1) * n // blocks
        if horizontal:
            count = _covered(motion[:, first:last], coverage[:, first:last], values)
        else:
            count = _covered(motion[first:last], coverage[first:last], values)
        for k in range(2):
            found[k, block] = small_median(values[k, :count]) if count > _FEW_CELLS else 0.0
    for k in range(2):
        ordered = values[k, :blocks]  # sorting changes what it sorts
        ordered[:] = found[k]
        middle[k] = small_median(ordered)
        for i in range(n):
            place = min(max((i + 0.5) * blocks / n - 0.5, 0.0), blocks - 1.0)
            low = min(int(place), max(blocks - 2, 0))
            part = place - low
            # A Python float would let the medians stay float32 without the compiler.
            one, next_one = np.float64(found[k, low]), np.float64(found[k, min(low + 1, blocks - 1)])
            profile[i, k] = (1.0 - part) * one + part * next_one


@kernel
def _covered(motion: Float32, coverage: Float32, values: Float32) -> int:
    """Pack the motion of the covered cells and return how many there are."""
    n = 0
    for row in range(coverage.shape[0]):
        for col in range(coverage.shape[1]):
            if coverage[row, col] > 0.0:
                values[0, n] = motion[row, col, 0]
                values[1, n] = motion[row, col, 1]
                n += 1
    return n
