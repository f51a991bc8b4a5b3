"""Motion vectors, or dense flow, to a motion field: area-weighted means on square cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]

VECTOR = np.dtype(
    {
        "names": [
            "source",
            "w",
            "h",
            "src_x",
            "src_y",
            "dst_x",
            "dst_y",
            "flags",
            "motion_x",
            "motion_y",
            "motion_scale",
        ],
        "formats": ["<i4", "u1", "u1", "<i2", "<i2", "<i2", "<i2", "<u8", "<i4", "<i4", "<u2"],
        "offsets": [0, 4, 5, 6, 8, 10, 12, 16, 24, 28, 32],
        "itemsize": 40,
        "aligned": True,
    }
)
"""Layout of FFmpeg's ``AVMotionVector`` (libavutil/motion_vector.h)."""


@kernel
def motion_field(
    vectors: NDArray[np.void],
    height: int,
    width: int,
    offset_y: int,
    offset_x: int,
    shift: int,
    displacement: Float32,
    coverage: Float32,
) -> float:
    """Spread motion vectors over the cells their blocks overlap.

    A block of ``w x h`` pixels centred on (dst_y, dst_x) is clipped to the picture; every cell gets the mean displacement of
    the blocks over it, weighted by area. Blocks predicted from two references count twice, with each vector. The displacement
    of a vector is ``-motion / scale`` for a past reference and ``+motion / scale`` for a future one, because ``motion`` points
    from the block to its reference (libavutil/motion_vector.h).

    Parameters
    ----------
    vectors : VECTOR (n,)
        As exported by the decoder; any values are safe, a zero scale or source is skipped.
    height, width : int
        Coded picture, pixels.
    offset_y, offset_x : int
        Pixels by which the first cell starts before the picture, 0..cell-1.
    shift : int
        log2 of the cell side in pixels.
    displacement : float32 (rows, cols, 2)
        Overwritten: (dy, dx) in pixels, 0 where no vector reaches.
    coverage : float32 (rows, cols)
        Overwritten: share of the cell's area inside the picture that has vectors, 0..1.

    Returns
    -------
    float
        Mean of ``coverage``.
    """
    displacement[:] = 0.0
    coverage[:] = 0.0
    height = min(height, (coverage.shape[0] << shift) - offset_y)
    width = min(width, (coverage.shape[1] << shift) - offset_x)
    last, inverse = 0, 0.0
    for i in range(vectors.shape[0]):
        vector = vectors[i]
        source = vector["source"]
        scale = vector["motion_scale"]
        if source == 0 or scale == 0:
            continue
        top = np.int64(vector["dst_y"]) - vector["h"] // 2
        left = np.int64(vector["dst_x"]) - vector["w"] // 2
        y0 = max(top, 0) + offset_y
        x0 = max(left, 0) + offset_x
        y1 = min(top + vector["h"], height) + offset_y
        x1 = min(left + vector["w"], width) + offset_x
        if y0 >= y1 or x0 >= x1:
            continue
        if scale != last:
            last, inverse = scale, 1.0 / scale
        sign = -inverse if source < 0 else inverse
        dy = np.float32(sign * vector["motion_y"])
        dx = np.float32(sign * vector["motion_x"])
        row, col = y0 >> shift, x0 >> shift
        if row == (y1 - 1) >> shift and col == (x1 - 1) >> shift:  # most blocks lie in one cell
            area = np.float32((y1 - y0) * (x1 - x0))
            coverage[row, col] += area
            displacement[row, col, 0] += area * dy
            displacement[row, col, 1] += area * dx
            continue
        for row in range(y0 >> shift, ((y1 - 1) >> shift) + 1):
            high = min(y1, (row + 1) << shift) - max(y0, row << shift)
            for col in range(x0 >> shift, ((x1 - 1) >> shift) + 1):
                area = np.float32(high * (min(x1, (col + 1) << shift) - max(x0, col << shift)))
                coverage[row, col] += area
                displacement[row, col, 0] += area * dy
                displacement[row, col, 1] += area * dx
    return _normalise(height, width, offset_y, offset_x, shift, displacement, coverage)


@kernel
def scaled_motion_field(
    vectors: NDArray[np.void],
    small_height: int,
    small_width: int,
    height: int,
    width: int,
    offset_y: int,
    offset_x: int,
    shift: int,
    displacement: Float32,
    coverage: Float32,
) -> float:
    """Spread motion vectors of a resized picture over the cells of the original one.

    As :func:`motion_field`, with the edges of the blocks and the vectors multiplied by ``height / small_height`` and ``width /
    small_width``; edges need not fall on pixels, areas are exact all the same.

    Parameters
    ----------
    vectors : VECTOR (n,)
        In pixels of the resized picture; any values are safe.
    small_height, small_width : int
        Resized picture, pixels, > 0.
    height, width, offset_y, offset_x, shift, displacement, coverage
        As in :func:`motion_field`, in pixels of the original picture.

    Returns
    -------
    float
        Mean of ``coverage``.
    """
    displacement[:] = 0.0
    coverage[:] = 0.0
    last_y = min(height, (coverage.shape[0] << shift) - offset_y)
    last_x = min(width, (coverage.shape[1] << shift) - offset_x)
    up_y, up_x = height / small_height, width / small_width
    for i in range(vectors.shape[0]):
        vector = vectors[i]
        source = vector["source"]
        scale = vector["motion_scale"]
        if source == 0 or scale == 0:
            continue
        top = np.int64(vector["dst_y"]) - vector["h"] // 2
        left = np.int64(vector["dst_x"]) - vector["w"] // 2
        # Divided last, so that an edge that falls on a pixel is exact and does not reach over it.
        y0 = max(top, 0) * height / small_height + offset_y
        x0 = max(left, 0) * width / small_width + offset_x
        y1 = min((top + vector["h"]) * height / small_height, last_y) + offset_y
        x1 = min((left + vector["w"]) * width / small_width, last_x) + offset_x
        if y0 >= y1 or x0 >= x1:
            continue
        sign = -1.0 / scale if source < 0 else 1.0 / scale
        dy = np.float32(sign * vector["motion_y"] * up_y)
        dx = np.float32(sign * vector["motion_x"] * up_x)
        for row in range(int(y0) >> shift, ((int(np.ceil(y1)) - 1) >> shift) + 1):
            high = min(y1, (row + 1) << shift) - max(y0, row << shift)
            for col in range(int(x0) >> shift, ((int(np.ceil(x1)) - 1) >> shift) + 1):
                area = np.float32(high * (min(x1, (col + 1) << shift) - max(x0, col << shift)))
                coverage[row, col] += area
                displacement[row, col, 0] += area * dy
                displacement[row, col, 1] += area * dx
    return _normalise(last_y, last_x, offset_y, offset_x, shift, displacement, coverage)


@kernel
def _normalise(
    height: int, width: int, offset_y: int, offset_x: int, shift: int, displacement: Float32, coverage: Float32
) -> float:
    """Turn sums of area and area times displacement into coverage and mean displacement, in place."""
    rows, cols = coverage.shape
    total = np.float64(0.0)  # a Python float would become float32 without the compiler
    for row in range(rows):
        high = min((row + 1) << shift, height + offset_y) - max(row << shift, offset_y)
        for col in range(cols):
            weight = coverage[row, col]
            if weight > 0.0:
                displacement[row, col, 0] /= weight
                displacement[row, col, 1] /= weight
                wide = min((col + 1) << shift, width + offset_x) - max(col << shift, offset_x)
                coverage[row, col] = min(weight / np.float32(high * wide), np.float32(1.0))
                total += coverage[row, col]
    return float(total / (rows * cols))


@kernel
def mean_flow(
    flow: Float32, offset_y: int, offset_x: int, shift: int, displacement: Float32, coverage: Float32
) -> None:
    """Average dense flow to the picture before over cells, as displacement since that picture.

    Parameters
    ----------
    flow : float32 (height, width, 2)
        Where each pixel of this picture lies in the one before, relative to itself: (x, y) in pixels, C-contiguous.
    offset_y, offset_x : int
        Pixels by which the first cell starts before the picture, >= 0.
    shift : int
        log2 of the cell side in pixels.
    displacement : float32 (rows, cols, 2)
        Overwritten: minus the mean flow of the cell's pixels, as (dy, dx); 0 for a cell without pixels.
    coverage : float32 (rows, cols)
        Overwritten: 1 for a cell with pixels of the picture, 0 for one without.
    """
    displacement[:] = 0.0
    coverage[:] = 0.0
    rows, cols = coverage.shape
    width = min(flow.shape[1], (cols << shift) - offset_x)
    if width <= 0:
        return
    lines = flow.reshape(flow.shape[0], 2 * flow.shape[1])[:, : 2 * width]
    sums = np.empty(2 * width, np.float32)
    for row in range(rows):
        y0 = max((row << shift) - offset_y, 0)
        y1 = min(((row + 1) << shift) - offset_y, flow.shape[0])
        if y0 >= y1:
            continue
        _sum_lines(lines, y0, y1, sums)
        for col in range(cols):
            x0 = max((col << shift) - offset_x, 0)
            x1 = min(((col + 1) << shift) - offset_x, width)
            if x0 < x1:
                _mean_of_cell(sums, x0, x1, y1 - y0, displacement[row, col])
                coverage[row, col] = 1.0


@kernel
def _sum_lines(lines: Float32, y0: int, y1: int, sums: Float32) -> None:
    """Sum the rows y0..y1-1, column by column; nearly the whole cost of the mean, and it vectorises."""
    sums[:] = lines[y0]
    for y in range(y0 + 1, y1):
        line = lines[y]
        for x in range(sums.size):
            sums[x] += line[x]


@kernel
def _mean_of_cell(sums: Float32, x0: int, x1: int, high: int, out: Float32) -> None:
    """Turn sums of ``high`` rows of (x, y) flow over the columns x0..x1-1 into a mean displacement (dy, dx)."""
    total_y = np.float64(0.0)  # a Python float would become float32 without the compiler
    total_x = np.float64(0.0)
    for x in range(x0, x1):
        total_x += sums[2 * x]
        total_y += sums[2 * x + 1]
    area = high * (x1 - x0)
    out[0] = 0.0 - total_y / area  # a plain minus would turn 0 into -0
    out[1] = 0.0 - total_x / area
