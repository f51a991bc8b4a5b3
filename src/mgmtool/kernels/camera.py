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
    rows, cols = coverage.shape
    motion = np.empty((2, rows, cols), np.float32)
    packed = np.empty(coverage.size, np.float32)
    scratch = np.empty(coverage.size, np.float32)
    counts = np.empty(BUCKETS, np.int32)
    xs = np.empty(cols, np.float32)
    _places(xs)
    covered = _split(displacement, coverage, motion)
    theta[:] = 0.0
    theta[0, 0] = _median_of_covered(motion[0], coverage, covered, counts, packed, scratch)
    theta[1, 0] = _median_of_covered(motion[1], coverage, covered, counts, packed, scratch)
    _residuals(motion, xs, theta, residual)
    sigma = _noise(residual, coverage, covered, sigma_min, counts, packed, scratch)
    if covered >= _ENOUGH_CELLS:
        for _ in range(_ITERATIONS):
            _weighted_fit(motion, coverage, covered, xs, residual, sigma, theta)
            _residuals(motion, xs, theta, residual)
            sigma = _noise(residual, coverage, covered, sigma_min, counts, packed, scratch)
    if covered < coverage.size:
        _clear_uncovered(coverage, residual)
    return sigma


@kernel
def _places(xs: Float32) -> None:
    """Coordinates of n cell centres, -1..1; 0 for a single one."""
    n = xs.size
    step = 2.0 / (n - 1) if n > 1 else 0.0
    for i in range(n):
        xs[i] = np.float32(i * step - 1.0) if n > 1 else np.float32(0.0)


@kernel
def _split(displacement: Float32, coverage: Float32, motion: Float32) -> int:
    """Put dy and dx in planes of their own, 0 where uncovered, and count the covered cells."""
    rows, cols = coverage.shape
    n = 0
    for row in range(rows):
        both, weights, dy, dx = displacement[row], coverage[row], motion[0, row], motion[1, row]
        for col in range(cols):
            there = weights[col] > 0.0
            dy[col] = both[col, 0] if there else np.float32(0.0)
            dx[col] = both[col, 1] if there else np.float32(0.0)
            n += there
    return n


@kernel
def _median_of_covered(
    values: Float32, coverage: Float32, covered: int, counts: NDArray[np.int32], packed: Float32, scratch: Float32
) -> float:
    """Median over the covered cells."""
    if covered == coverage.size:
        return median(values.reshape(covered), covered, counts, scratch)
    rows, cols = coverage.shape
    n = 0
    for row in range(rows):
        for col in range(cols):
            if coverage[row, col] > 0.0:
                packed[n] = values[row, col]
                n += 1
    return median(packed, n, counts, scratch)


@kernel
def _noise(
    residual: Float32,
    coverage: Float32,
    covered: int,
    sigma_min: float,
    counts: NDArray[np.int32],
    packed: Float32,
    scratch: Float32,
) -> float:
    """Noise per component, from the median length of the residual motion."""
    middle = _median_of_covered(residual, coverage, covered, counts, packed, scratch)
    return max(middle / _HALF_NORMAL_MEDIAN, sigma_min)


@kernel
def _clear_uncovered(coverage: Float32, residual: Float32) -> None:
    rows, cols = coverage.shape
    for row in range(rows):
        for col in range(cols):
            if not coverage[row, col] > 0.0:
                residual[row, col] = 0.0


@kernel
def _residuals(motion: Float32, xs: Float32, theta: Float64, residual: Float32) -> None:
    """Length of displacement minus camera motion, per cell."""
    rows = residual.shape[0]
    a1, b1 = np.float32(theta[0, 1]), np.float32(theta[1, 1])
    step = 2.0 / (rows - 1) if rows > 1 else 0.0
    for row in range(rows):
        y = row * step - 1.0 if rows > 1 else 0.0
        a, b = np.float32(theta[0, 0] + theta[0, 2] * y), np.float32(theta[1, 0] + theta[1, 2] * y)
        dys, dxs, lengths = motion[0, row], motion[1, row], residual[row]
        for col in range(xs.size):
            dy = dys[col] - (a + a1 * xs[col])
            dx = dxs[col] - (b + b1 * xs[col])
            lengths[col] = np.sqrt(dy * dy + dx * dx)


@kernel
def _weighted_fit(
    motion: Float32, coverage: Float32, covered: int, xs: Float32, residual: Float32, sigma: float, theta: Float64
) -> None:
    """Solve the Cauchy-weighted least squares for both components.

    Along a row y is the same: seven sums are made cell by cell, and the other seven of them row by row.
    """
    rows, cols = coverage.shape
    s0 = sx = sy = sxx = sxy = syy = 0.0
    u0 = ux = uy = v0 = vx = vy = 0.0
    inverse = 0.25 / (sigma * sigma)
    step = 2.0 / (rows - 1) if rows > 1 else 0.0
    for row in range(rows):
        y = row * step - 1.0 if rows > 1 else 0.0
        weights, lengths, dys, dxs = coverage[row], residual[row], motion[0, row], motion[1, row]
        r0 = rx = rxx = p0 = px = q0 = qx = 0.0
        for col in range(cols):
            r = np.float64(lengths[col])
            w = weights[col] / (1.0 + r * r * inverse)
            x = np.float64(xs[col])
            wx = w * x
            dy = np.float64(dys[col])
            dx = np.float64(dxs[col])
            r0 += w
            rx += wx
            rxx += wx * x
            p0 += w * dy
            px += wx * dy
            q0 += w * dx
            qx += wx * dx
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
    ridge = _RIDGE * covered
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
