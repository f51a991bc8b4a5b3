"""Background at another depth: residual motion that is like the motion along the border of the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel
from mgmtool.kernels.median import small_median

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
    across = np.empty((2, 2, cols), np.float32)  # along the top and the bottom: dy, dx
    down = np.empty((2, 2, rows), np.float32)  # along the left and the right
    middles = np.empty((4, 2), np.float32)
    _side(motion[:high], coverage[:high], along, True, across[0], middles[0])
    _side(motion[rows - high :], coverage[rows - high :], along, True, across[1], middles[1])
    _side(motion[:, :wide], coverage[:, :wide], along, False, down[0], middles[2])
    _side(motion[:, cols - wide :], coverage[:, cols - wide :], along, False, down[1], middles[3])
    weights_y = np.empty((2, rows), np.float32)
    weights_x = np.empty((2, cols), np.float32)
    _nearness(weights_y)
    _nearness(weights_x)
    n = rows * cols
    expected, moved, least = np.empty((2, n), np.float32), np.empty((2, n), np.float32), np.empty(n, np.float32)
    for row in range(rows):
        here = slice(row * cols, (row + 1) * cols)
        _between(weights_y[0, row], weights_y[1, row], weights_x, across, down, row, expected[:, here])
        for k in range(2):
            _copy(motion[row, :, k], moved[k, here])
    _distances(moved[0], moved[1], expected[0], expected[1], middles, least)
    for row in range(rows):
        _lower(residual[row], coverage[row], least[row * cols : (row + 1) * cols])


@kernel
def _copy(line: Float32, out: Float32) -> None:
    for k in range(out.size):
        out[k] = line[k]


@kernel
def _between(
    above: np.float32, below: np.float32, weights_x: Float32, across: Float32, down: Float32, row: int, out: Float32
) -> None:
    """Mean of the four sides' motion over a row of cells, nearer sides counting more."""
    left, right = weights_x[0], weights_x[1]
    for k in range(2):
        top, bottom, line = across[0, k], across[1, k], out[k]
        first, last = down[0, k, row], down[1, k, row]
        for col in range(line.size):
            sides = left[col] * first + right[col] * last
            line[col] = above * top[col] + below * bottom[col] + sides
    for col in range(left.size):
        share = np.float32(1.0) / (above + below + left[col] + right[col])
        out[0, col] *= share
        out[1, col] *= share


@kernel
def _distances(
    motion_y: Float32, motion_x: Float32, expected_y: Float32, expected_x: Float32, middles: Float32, out: Float32
) -> None:
    """Distance of each motion from the nearest of the segments from 0 to the middles, and to 1.5 times the expected one.

    All cells at a time: the loop vectorises, which row by row it would not.
    """
    one, far = np.float32(1.0), np.float32(1.5)
    y0, x0, i0 = middles[0, 0], middles[0, 1], _inverse(middles[0, 0], middles[0, 1])
    y1, x1, i1 = middles[1, 0], middles[1, 1], _inverse(middles[1, 0], middles[1, 1])
    y2, x2, i2 = middles[2, 0], middles[2, 1], _inverse(middles[2, 0], middles[2, 1])
    y3, x3, i3 = middles[3, 0], middles[3, 1], _inverse(middles[3, 0], middles[3, 1])
    for i in range(out.size):
        dy, dx = motion_y[i], motion_x[i]
        py, px = expected_y[i], expected_x[i]
        least = _squared_distance(dy, dx, py, px, _inverse(py, px), far)
        least = _lesser(least, _squared_distance(dy, dx, y0, x0, i0, one))
        least = _lesser(least, _squared_distance(dy, dx, y1, x1, i1, one))
        least = _lesser(least, _squared_distance(dy, dx, y2, x2, i2, one))
        out[i] = np.sqrt(_lesser(least, _squared_distance(dy, dx, y3, x3, i3, one)))


@kernel
def _inverse(y: np.float32, x: np.float32) -> np.float32:
    length = y * y + x * x
    return np.float32(1.0) / length if length > np.float32(0.0) else np.float32(0.0)


@kernel
def _lesser(a: np.float32, b: np.float32) -> np.float32:
    """Return the smaller; ``min`` would not vectorise."""
    return a if a < b else b


@kernel
def _lower(residual: Float32, coverage: Float32, least: Float32) -> None:
    for col in range(least.size):
        bound = least[col]
        residual[col] = bound if (bound < residual[col]) & (coverage[col] > 0.0) else residual[col]


@kernel
def _nearness(weights: Float32) -> None:
    """``1 / (distance + 0.02)`` of each of n places from the first and from the last side, distances as shares."""
    n = weights.shape[1]
    for i in range(n):
        weights[0, i] = 1.0 / ((i + 0.5) / n + _NEAR)
        weights[1, i] = 1.0 / ((n - i - 0.5) / n + _NEAR)


@kernel
def _squared_distance(
    dy: np.float32, dx: np.float32, py: np.float32, px: np.float32, inverse: np.float32, reach: np.float32
) -> np.float32:
    """Squared distance of (dy, dx) from the segment from 0 to ``reach`` times (py, px); inverse is 1 / its squared length."""
    share = (dy * py + dx * px) * inverse
    share = share if share > np.float32(0.0) else np.float32(0.0)
    share = share if share < reach else reach
    ey = dy - share * py
    ex = dx - share * px
    return ey * ey + ex * ex


@kernel
def _side(motion: Float32, coverage: Float32, along: int, horizontal: bool, profile: Float32, middle: Float32) -> None:
    """Median motion of the blocks of one side, spread linearly over its cells, and the median of the blocks."""
    n = profile.shape[1]
    blocks = max(1, (n + along // 2) // along)
    values = np.empty((2, coverage.size), np.float32)
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
        middle[k] = small_median(found[k])
    for i in range(n):
        place = min(max((i + 0.5) * blocks / n - 0.5, 0.0), blocks - 1.0)
        low = min(int(place), max(blocks - 2, 0))
        part = np.float32(place - low)
        for k in range(2):
            profile[k, i] = found[k, low] + part * (found[k, min(low + 1, blocks - 1)] - found[k, low])


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
