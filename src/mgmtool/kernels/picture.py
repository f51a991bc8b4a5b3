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
    n = 2 * cols
    shift = np.empty((2, 3), np.float64)
    _shift_in_samples(theta, rows, cols, spacing, shift)
    origin = np.empty((2, n), np.int32)
    part, corners = np.empty((3, n), np.float32), np.empty((4, n), np.float32)
    above, below = np.empty((2, n), np.float32), np.empty((2, n), np.float32)
    for row in range(rows):
        for half in range(2):
            i = 2 * row + half
            _origins(shift, i, 2 * rows, n, origin[0], origin[1], part[0], part[1], part[2])
            _fetch(before, origin[0], origin[1], corners[0], corners[1], corners[2], corners[3])
            _mix(corners[0], corners[1], part[1])
            _mix(corners[2], corners[3], part[1])
            _mix(corners[0], corners[2], part[0])
            _products(corners[0], after[i], gradient[i], part[2], above[half])
            _squares(gradient[i], part[2], below[half])
        _quotients(above, below, np.float32(spacing), flow[row])


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


# A row of samples at a time, step by step: each of these loops vectorises, all of them in one would not.


@kernel
def _origins(
    shift: Float64,
    i: int,
    height: int,
    width: int,
    top: NDArray[np.int32],
    left: NDArray[np.int32],
    part_y: Float32,
    part_x: Float32,
    inside: Float32,
) -> None:
    """Where the samples of row i come from: the sample to the top left, how far beyond it, and 1 if inside, 0 if not."""
    zero, one = np.float32(0.0), np.float32(1.0)
    y0, x0 = np.float32(i - (shift[0, 0] + shift[0, 1] * i)), np.float32(-(shift[1, 0] + shift[1, 1] * i))
    step_y, step_x = np.float32(-shift[0, 2]), np.float32(1.0 - shift[1, 2])
    last_y, last_x = np.float32(height - 1), np.float32(width - 1)
    before_y, before_x = np.float32(height - 2), np.float32(width - 2)
    for j in range(width):
        y = y0 + step_y * np.float32(j)
        x = x0 + step_x * np.float32(j)
        there = (y >= zero) & (y <= last_y) & (x >= zero) & (x <= last_x)
        y = y if there else zero  # not a number is nowhere, and no index
        x = x if there else zero
        row, col = np.int32(min(y, before_y)), np.int32(min(x, before_x))
        top[j], left[j] = row, col
        part_y[j] = y - np.float32(row)
        part_x[j] = x - np.float32(col)
        inside[j] = one if there else zero


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
    for j in range(top.size):
        y, x = np.uintp(top[j]), np.uintp(left[j])  # signed indices would be checked for wrapping
        top_left[j] = samples[y, x]
        top_right[j] = samples[y, x + one]
        low_left[j] = samples[y + one, x]
        low_right[j] = samples[y + one, x + one]


@kernel
def _mix(values: Float32, others: Float32, part: Float32) -> None:
    """Go a part of the way to other values, in place."""
    for j in range(values.size):
        values[j] += part[j] * (others[j] - values[j])


@kernel
def _products(origin: Float32, after: Float32, gradient: Float32, inside: Float32, out: Float32) -> None:
    """Change of each sample since its origin times the gradient; 0 where that lies outside. Overwrites the origins."""
    for j in range(out.size):
        origin[j] = abs(after[j] - origin[j]) * gradient[j]
    for j in range(out.size):
        out[j] = origin[j] * inside[j]


@kernel
def _squares(gradient: Float32, inside: Float32, out: Float32) -> None:
    least = np.float32(_LEAST_GRADIENT * _LEAST_GRADIENT)
    for j in range(out.size):
        out[j] = (gradient[j] * gradient[j] + least) * inside[j]


@kernel
def _quotients(above: Float32, below: Float32, spacing: np.float32, flow: Float32) -> None:
    """Flow of a row of cells from two rows of samples."""
    a0, a1, b0, b1 = above[0], above[1], below[0], below[1]
    for col in range(flow.size):
        j = 2 * col
        products = (a0[j] + a0[j + 1]) + (a1[j] + a1[j + 1])
        squares = (b0[j] + b0[j + 1]) + (b1[j] + b1[j + 1])
        flow[col] = spacing * products / squares if squares > np.float32(0.0) else np.float32(math.inf)
