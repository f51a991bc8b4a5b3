"""Camera motion of a frame by a robust affine fit, and what moves against it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel
from mgmtool.kernels.median import median

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_ITERATIONS = 4
_ENOUGH_CELLS = 16
_RIDGE = 1e-6
_HALF_NORMAL_MEDIAN = 1.1774  # median of |r| for a two-dimensional normal r of unit sigma per component


@kernel
def fit_camera(displacement: Float32, coverage: Float32, sigma_min: float, theta: Float64, residual: Float32) -> float:
    """Fit an affine camera motion and return the noise around it.

    With ``A = [1, x, y]``, x and y in -1..1 over the cell centres: start from the median displacement, then four times weight
    each covered cell by ``coverage / (1 + (r / 2 s)^2)`` (Cauchy), solve the weighted least squares, and take the residuals
    ``r = |v - A theta|`` and their scale ``s = max(median(r) / 1.1774, sigma_min)`` anew. With fewer than 16 covered cells only
    the translation is kept.

    Parameters
    ----------
    displacement : float32 (rows, cols, 2)
        (dy, dx) in pixels.
    coverage : float32 (rows, cols)
        0..1; cells at 0 do not count.
    sigma_min : float
        Least noise, in pixels; > 0.
    theta : float64 (2, 3)
        Overwritten: (1, x, y) coefficients of dy and of dx, pixels.
    residual : float32 (rows, cols)
        Overwritten: length of the residual motion in pixels, 0 where uncovered.

    Returns
    -------
    float
        Sigma, the noise per component, in pixels; at least ``sigma_min``.
    """
    n = coverage.size
    cells = np.empty((5, n), np.float32)
    lengths, weights = np.empty(n, np.float32), np.empty(n, np.float32)
    packed, scratch = np.empty(n, np.float32), np.empty(n, np.float32)
    covered = _flatten(displacement, coverage, cells)
    theta[:] = 0.0
    theta[0, 0] = _median_of_covered(cells[0], cells[4], covered, packed, scratch)
    theta[1, 0] = _median_of_covered(cells[1], cells[4], covered, packed, scratch)
    _residuals(cells, theta, lengths)
    sigma = max(_median_of_covered(lengths, cells[4], covered, packed, scratch) / _HALF_NORMAL_MEDIAN, sigma_min)
    if covered >= _ENOUGH_CELLS:
        for _ in range(_ITERATIONS):
            _cauchy(cells[4], lengths, np.float32(0.25 / (sigma * sigma)), weights)
            _weighted_fit(cells, coverage.shape[1], weights, _RIDGE * covered, theta)
            _residuals(cells, theta, lengths)
            sigma = max(
                _median_of_covered(lengths, cells[4], covered, packed, scratch) / _HALF_NORMAL_MEDIAN, sigma_min
            )
    _unflatten(lengths, coverage, residual)
    return sigma


# All cells at a time, step by step: these loops vectorise, which row by row they would not.


@kernel
def _flatten(displacement: Float32, coverage: Float32, cells: Float32) -> int:
    """Put dy, dx, x, y and coverage of all cells in lines, dy and dx 0 where uncovered, and count the covered cells."""
    rows, cols = coverage.shape
    step_y = 2.0 / (rows - 1) if rows > 1 else 0.0
    step_x = 2.0 / (cols - 1) if cols > 1 else 0.0
    covered = 0
    for row in range(rows):
        y = np.float32(row * step_y - 1.0) if rows > 1 else np.float32(0.0)
        both, share, line = displacement[row], coverage[row], cells[:, row * cols : (row + 1) * cols]
        for col in range(cols):
            there = share[col] > 0.0
            line[0, col] = both[col, 0] if there else np.float32(0.0)
            line[1, col] = both[col, 1] if there else np.float32(0.0)
            line[2, col] = np.float32(col * step_x - 1.0) if cols > 1 else np.float32(0.0)
            line[3, col] = y
            line[4, col] = share[col]
            covered += there
    return covered


@kernel
def _unflatten(lengths: Float32, coverage: Float32, residual: Float32) -> None:
    """Put the lengths back on the grid, 0 where uncovered."""
    rows, cols = coverage.shape
    for row in range(rows):
        share, out, line = coverage[row], residual[row], lengths[row * cols : (row + 1) * cols]
        for col in range(cols):
            out[col] = line[col] if share[col] > 0.0 else np.float32(0.0)


@kernel
def _median_of_covered(values: Float32, coverage: Float32, covered: int, packed: Float32, scratch: Float32) -> float:
    """Median over the covered cells."""
    if covered == coverage.size:
        return median(values, covered, scratch)
    n = 0
    for i in range(values.size):
        packed[n] = values[i]
        n += coverage[i] > 0.0
        if n == covered:
            break
    return median(packed, n, scratch)


@kernel
def _residuals(cells: Float32, theta: Float64, lengths: Float32) -> None:
    """Length of displacement minus camera motion, per cell."""
    a0, a1, a2 = np.float32(theta[0, 0]), np.float32(theta[0, 1]), np.float32(theta[0, 2])
    b0, b1, b2 = np.float32(theta[1, 0]), np.float32(theta[1, 1]), np.float32(theta[1, 2])
    dys, dxs, xs, ys = cells[0], cells[1], cells[2], cells[3]
    for i in range(lengths.size):
        dy = dys[i] - (a0 + a1 * xs[i] + a2 * ys[i])
        dx = dxs[i] - (b0 + b1 * xs[i] + b2 * ys[i])
        lengths[i] = np.sqrt(dy * dy + dx * dx)


@kernel
def _cauchy(coverage: Float32, lengths: Float32, inverse: np.float32, weights: Float32) -> None:
    """Cauchy weights ``coverage / (1 + inverse r^2)``."""
    one = np.float32(1.0)
    for i in range(weights.size):
        weights[i] = coverage[i] / (one + lengths[i] * lengths[i] * inverse)


@kernel
def _weighted_fit(cells: Float32, cols: int, weights: Float32, ridge: float, theta: Float64) -> None:
    """Solve the weighted least squares for both components.

    Along a row y is the same: seven sums are made cell by cell, and the other seven of them row by row.
    """
    s0 = sx = sy = sxx = sxy = syy = 0.0
    u0 = ux = uy = v0 = vx = vy = 0.0
    dys, dxs, xs = cells[0], cells[1], cells[2]
    for first in range(0, weights.size, cols):
        r0 = rx = rxx = p0 = px = q0 = qx = 0.0
        for i in range(first, first + cols):
            w = np.float64(weights[i])
            x = np.float64(xs[i])
            wx = w * x
            dy = np.float64(dys[i])
            dx = np.float64(dxs[i])
            r0 += w
            rx += wx
            rxx += wx * x
            p0 += w * dy
            px += wx * dy
            q0 += w * dx
            qx += wx * dx
        y = np.float64(cells[3, first])
        s0 += r0
        sx += rx
        sy += r0 * y
        sxx += rxx
        sxy += rx * y
        syy += r0 * y * y
        u0 += p0
        ux += px
        uy += p0 * y
        v0 += q0
        vx += qx
        vy += q0 * y
    _solve3(s0 + ridge, sx, sy, sxx + ridge, sxy, syy + ridge, u0, ux, uy, theta[0])
    _solve3(s0 + ridge, sx, sy, sxx + ridge, sxy, syy + ridge, v0, vx, vy, theta[1])


@kernel
def _solve3(
    a: float, b: float, c: float, d: float, e: float, f: float, p: float, q: float, r: float, out: Float64
) -> None:
    """Solve the symmetric positive system [[a b c] [b d e] [c e f]] out = [p q r] by elimination."""
    m1 = b / a
    m2 = c / a
    d1 = d - m1 * b
    e1 = e - m1 * c
    f1 = f - m2 * c
    q1 = q - m1 * p
    m3 = e1 / d1
    out[2] = (r - m2 * p - m3 * q1) / (f1 - m3 * e1)
    out[1] = (q1 - e1 * out[2]) / d1
    out[0] = (p - b * out[1] - c * out[2]) / a
