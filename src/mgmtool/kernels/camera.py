"""Camera motion of a frame by a robust affine fit, and what moves against it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel
from mgmtool.kernels.select import BUCKETS, median

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
    lengths = np.empty(n, np.float32)
    scratch = np.empty(n, np.float32)
    counts = np.empty(BUCKETS, np.int32)
    covered = _gather_covered(displacement, coverage, cells)
    theta[:] = 0.0
    theta[0, 0] = median(cells[0], covered, counts, scratch)
    theta[1, 0] = median(cells[1], covered, counts, scratch)
    _residuals(cells, covered, theta, lengths)
    sigma = max(median(lengths, covered, counts, scratch) / _HALF_NORMAL_MEDIAN, sigma_min)
    if covered >= _ENOUGH_CELLS:
        for _ in range(_ITERATIONS):
            _weighted_fit(cells, covered, lengths, sigma, theta)
            _residuals(cells, covered, theta, lengths)
            sigma = max(median(lengths, covered, counts, scratch) / _HALF_NORMAL_MEDIAN, sigma_min)
    _scatter_covered(lengths, coverage, residual)
    return sigma


@kernel
def _gather_covered(displacement: Float32, coverage: Float32, cells: Float32) -> int:
    """Pack dy, dx, x, y and weight of the covered cells and return how many there are."""
    rows, cols = coverage.shape
    step_y = 2.0 / (rows - 1) if rows > 1 else 0.0
    step_x = 2.0 / (cols - 1) if cols > 1 else 0.0
    n = 0
    for row in range(rows):
        y = np.float32(row * step_y - 1.0) if rows > 1 else np.float32(0.0)
        for col in range(cols):
            if coverage[row, col] > 0.0:
                cells[0, n] = displacement[row, col, 0]
                cells[1, n] = displacement[row, col, 1]
                cells[2, n] = np.float32(col * step_x - 1.0) if cols > 1 else np.float32(0.0)
                cells[3, n] = y
                cells[4, n] = coverage[row, col]
                n += 1
    return n


@kernel
def _scatter_covered(lengths: Float32, coverage: Float32, residual: Float32) -> None:
    """Put packed residuals back on the grid."""
    rows, cols = coverage.shape
    n = 0
    for row in range(rows):
        for col in range(cols):
            residual[row, col] = 0.0
            if coverage[row, col] > 0.0:
                residual[row, col] = lengths[n]
                n += 1


@kernel
def _residuals(cells: Float32, n: int, theta: Float64, lengths: Float32) -> None:
    """Length of displacement minus camera motion, per packed cell."""
    a0, a1, a2 = np.float32(theta[0, 0]), np.float32(theta[0, 1]), np.float32(theta[0, 2])
    b0, b1, b2 = np.float32(theta[1, 0]), np.float32(theta[1, 1]), np.float32(theta[1, 2])
    for i in range(n):
        dy = cells[0, i] - (a0 + a1 * cells[2, i] + a2 * cells[3, i])
        dx = cells[1, i] - (b0 + b1 * cells[2, i] + b2 * cells[3, i])
        lengths[i] = np.sqrt(dy * dy + dx * dx)


@kernel
def _weighted_fit(cells: Float32, n: int, lengths: Float32, sigma: float, theta: Float64) -> None:
    """Solve the Cauchy-weighted least squares for both components."""
    s0 = sx = sy = sxx = sxy = syy = 0.0
    u0 = ux = uy = v0 = vx = vy = 0.0
    inverse = 0.25 / (sigma * sigma)
    for i in range(n):
        r = np.float64(lengths[i])
        q = cells[4, i] / (1.0 + r * r * inverse)
        x = np.float64(cells[2, i])
        y = np.float64(cells[3, i])
        qx = q * x
        qy = q * y
        s0 += q
        sx += qx
        sy += qy
        sxx += qx * x
        sxy += qx * y
        syy += qy * y
        dy = np.float64(cells[0, i])
        dx = np.float64(cells[1, i])
        u0 += q * dy
        ux += qx * dy
        uy += qy * dy
        v0 += q * dx
        vx += qx * dx
        vy += qy * dx
    ridge = _RIDGE * n
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
