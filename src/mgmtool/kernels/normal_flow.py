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
def gradient_length(picture: Float32, length: Float32) -> None:
    """Length of the central gradient of a picture, one-sided and halved at its edges.

    Parameters
    ----------
    picture : float32 (rows, cols)
        Mean luma, 0..255.
    length : float32 (rows, cols)
        Overwritten: grey levels a sample.
    """
    rows, cols = picture.shape
    for row in range(rows):
        here, up, down = picture[row], picture[max(row - 1, 0)], picture[min(row + 1, rows - 1)]
        out = length[row]
        for col in range(1, cols - 1):
            gy = down[col] - up[col]
            gx = here[col + 1] - here[col - 1]
            out[col] = np.float32(0.5) * np.sqrt(gy * gy + gx * gx)
        for col in (0, cols - 1):
            gy = down[col] - up[col]
            gx = here[min(col + 1, cols - 1)] - here[max(col - 1, 0)]
            out[col] = np.float32(0.5) * np.sqrt(gy * gy + gx * gx)


@kernel
def normal_flow(
    before: Float32, after: Float32, gradient: Float32, theta: Float64, spacing: float, flow: Float32
) -> None:
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
    gradient : float32 (2 rows, 2 cols)
        g, see :func:`gradient_length`.
    theta : float64 (2, 3)
        D: (1, x, y) coefficients of dy and of dx in pixels, x and y in -1..1 over the cell centres.
    spacing : float
        Pixels between two samples: half a cell.
    flow : float32 (rows, cols)
        Overwritten: pixels, >= 0; infinite where no sample counts.
    """
    rows, cols = flow.shape
    high, wide = after.shape
    shift = np.empty((2, 3), np.float64)
    _shift_in_samples(theta, rows, cols, spacing, shift)
    from_y, from_x, inside = (
        np.empty(high * wide, np.float32),
        np.empty(high * wide, np.float32),
        np.empty(high * wide, np.float32),
    )
    top, left = np.empty(high * wide, np.int32), np.empty(high * wide, np.int32)
    corners = np.empty((4, high * wide), np.float32)
    _origins(shift, wide, from_y, from_x)
    _split(high, wide, from_y, from_x, top, left, inside)
    _fetch(before, top, left, corners[0], corners[1], corners[2], corners[3])
    _mix(corners[0], corners[1], from_x)
    _mix(corners[2], corners[3], from_x)
    _mix(corners[0], corners[2], from_y)
    products, squares = corners[1], corners[2]
    for i in range(high):
        here = slice(i * wide, (i + 1) * wide)
        _copy(after[i], products[here])
        _copy(gradient[i], squares[here])
    _weigh(corners[0], inside, products, squares)
    for row in range(rows):
        first = 2 * row * wide
        _quotients(
            products[first : first + 2 * wide], squares[first : first + 2 * wide], np.float32(spacing), flow[row]
        )


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


# All samples at a time, step by step: each of these loops vectorises, all of them in one, or row by row, would not.


@kernel
def _origins(shift: Float64, wide: int, from_y: Float32, from_x: Float32) -> None:
    """Where the samples come from, in rows and columns."""
    step_y, step_x = np.float32(-shift[0, 2]), np.float32(1.0 - shift[1, 2])
    for i in range(from_y.size // wide):
        y, x = np.float32(i - (shift[0, 0] + shift[0, 1] * i)), np.float32(-(shift[1, 0] + shift[1, 1] * i))
        ys, xs = from_y[i * wide : (i + 1) * wide], from_x[i * wide : (i + 1) * wide]
        for j in range(wide):
            ys[j] = y + step_y * np.float32(j)
            xs[j] = x + step_x * np.float32(j)


@kernel
def _split(
    high: int,
    wide: int,
    from_y: Float32,
    from_x: Float32,
    top: NDArray[np.int32],
    left: NDArray[np.int32],
    inside: Float32,
) -> None:
    """Split origins into the sample to the top left and how far they lie beyond it; 1 if inside the picture, 0 if not."""
    zero, one = np.float32(0.0), np.float32(1.0)
    last_y, last_x = np.float32(high - 1), np.float32(wide - 1)
    before_y, before_x = np.float32(high - 2), np.float32(wide - 2)
    for k in range(top.size):
        y, x = from_y[k], from_x[k]
        there = (y >= zero) & (y <= last_y) & (x >= zero) & (x <= last_x)
        y = y if there else zero  # not a number is nowhere, and no index
        x = x if there else zero
        row, col = np.int32(min(y, before_y)), np.int32(min(x, before_x))
        top[k], left[k] = row, col
        from_y[k] = y - np.float32(row)
        from_x[k] = x - np.float32(col)
        inside[k] = one if there else zero


@kernel
def _fetch(
    samples: Float32,
    top: NDArray[np.int32],
    left: NDArray[np.int32],
    top_left: Float32,
    top_right: Float32,
    low_left: Float32,
    low_right: Float32,
) -> None:
    """Look up the four samples around each origin."""
    one = np.uintp(1)
    for k in range(top.size):
        y, x = np.uintp(top[k]), np.uintp(left[k])  # signed indices would be checked for wrapping
        top_left[k] = samples[y, x]
        top_right[k] = samples[y, x + one]
        low_left[k] = samples[y + one, x]
        low_right[k] = samples[y + one, x + one]


@kernel
def _mix(values: Float32, others: Float32, part: Float32) -> None:
    """Go a part of the way to other values, in place."""
    for k in range(values.size):
        values[k] += part[k] * (others[k] - values[k])


@kernel
def _copy(line: Float32, out: Float32) -> None:
    for k in range(out.size):
        out[k] = line[k]


@kernel
def _weigh(origins: Float32, inside: Float32, products: Float32, squares: Float32) -> None:
    """Turn samples and their gradients into d g and g^2 + g0^2, in place; 0 for those that do not count."""
    least = np.float32(_LEAST_GRADIENT * _LEAST_GRADIENT)
    for k in range(origins.size):
        products[k] = abs(products[k] - origins[k]) * (squares[k] * inside[k])
    for k in range(origins.size):
        squares[k] = (squares[k] * squares[k] + least) * inside[k]


@kernel
def _quotients(products: Float32, squares: Float32, spacing: np.float32, flow: Float32) -> None:
    """Flow of a row of cells from two rows of samples."""
    wide = 2 * flow.size
    for col in range(flow.size):
        above, below = 2 * col, wide + 2 * col
        change = (products[above] + products[above + 1]) + (products[below] + products[below + 1])
        base = (squares[above] + squares[above + 1]) + (squares[below] + squares[below + 1])
        flow[col] = spacing * change / base if base > np.float32(0.0) else np.float32(math.inf)
