"""Energy on the tokens of a crop, and boxes to tokens with exact counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel

Float32 = NDArray[np.float32]

_SAMPLES = 4


@kernel
def sample_tokens(
    levels: NDArray[np.uint8],
    scale: Float32,
    top: float,
    left: float,
    bottom: float,
    right: float,
    hflip: bool,
    out: Float32,
) -> None:
    """Mean energy of each token of a crop, from 4 x 4 points a token.

    Parameters
    ----------
    levels : uint8 (frames, energy_rows, energy_cols)
        Stored energy over the whole displayed frame.
    scale : float32 (frames,)
        energy = levels * scale.
    top, left, bottom, right : float
        Crop as shares of the displayed frame, 0..1; points outside the frame take the nearest cell.
    hflip : bool
        Mirror the crop left to right, last.
    out : float32 (frames, rows, cols)
        Overwritten: energy of each token.
    """
    frames = levels.shape[0]
    rows, cols = out.shape[1], out.shape[2]
    ys = np.empty(rows * _SAMPLES, np.int64)
    xs = np.empty(cols * _SAMPLES, np.int64)
    _sampled_cells(top, bottom, levels.shape[1], ys)
    _sampled_cells(left, right, levels.shape[2], xs)
    sums = np.empty(levels.shape[2], np.int64)
    for t in range(frames):
        unit = scale[t] / np.float32(_SAMPLES * _SAMPLES)
        for i in range(rows):
            sums[:] = 0
            for k in range(i * _SAMPLES, (i + 1) * _SAMPLES):
                line = levels[t, ys[k]]
                for x in range(sums.size):
                    sums[x] += line[x]
            for j in range(cols):
                total = 0  # of whole numbers, so the order of the samples does not matter
                for k in range(j * _SAMPLES, (j + 1) * _SAMPLES):
                    total += sums[xs[k]]
                out[t, i, cols - 1 - j if hflip else j] = unit * np.float32(total)


@kernel
def _sampled_cells(first: float, last: float, cells: int, numbers: NDArray[np.int64]) -> None:
    """Find the cell under each of n points spread evenly between two shares of a side, 0..1."""
    step = (last - first) / numbers.size
    for i in range(numbers.size):
        # Clamped before it is an integer, for a crop may lie further out than integers reach.
        numbers[i] = int(min(max(0.0, (first + (i + 0.5) * step) * cells), cells - 1.0))


@kernel
def sample_clips(
    levels: NDArray[np.uint8], scale: Float32, crops: NDArray[np.float64], hflip: NDArray[np.bool_], out: Float32
) -> None:
    """Mean energy of each token of each tubelet of many clips.

    Parameters
    ----------
    levels : uint8 (clips, frames, energy_rows, energy_cols)
        Stored energy of the frames of each clip over the whole displayed frame.
    scale : float32 (clips, frames)
        energy = levels * scale.
    crops : float64 (clips, 4)
        ``top, left, bottom, right`` as shares of the displayed frame, 0..1.
    hflip : bool (clips,)
        Clips that are mirrored left to right, last.
    out : float32 (clips, tubelets, rows, cols)
        Overwritten: energy of each token, mean over the frames of its tubelet; tubelets divide frames evenly.
    """
    clips, tubelets, rows, cols = out.shape
    frames = levels.shape[1]
    tubelet = frames // tubelets
    tokens = np.empty((frames, rows, cols), np.float32)
    for n in range(clips):
        crop = crops[n]
        sample_tokens(levels[n], scale[n], crop[0], crop[1], crop[2], crop[3], hflip[n], tokens)
        for t in range(tubelets):
            mean = out[n, t]
            mean[:] = np.float32(0.0)
            for k in range(t * tubelet, (t + 1) * tubelet):
                mean += tokens[k]
            mean /= np.float32(tubelet)


@kernel
def box_tokens(
    energy: Float32, corner: NDArray[np.int16], box_rows: int, box_cols: int, masked: int, mask: NDArray[np.bool_]
) -> None:
    """Mask the tokens of a box, then add or remove tokens until the count is exact.

    Too few: of the tokens outside, those nearest to the box first, by energy, most first. Too many: of the tokens inside,
    those nearest to the rim of the box first, by energy, least first. Distance is Chebyshev, whole rings; ties go to the
    smallest index.

    Parameters
    ----------
    energy : float32 (frames, rows, cols)
        Energy of the tokens, finite.
    corner : int16 (frames, 2)
        Top left token (y, x) of the box; clamped so that the box is inside the grid.
    box_rows, box_cols : int
        Sides of the box, clamped to 1..rows and 1..cols.
    masked : int
        Tokens to mask in every frame, clamped to 0..rows*cols.
    mask : bool (frames, rows, cols)
        Overwritten; True = masked, exactly ``masked`` in every frame.
    """
    frames, rows, cols = energy.shape
    high = min(max(box_rows, 1), rows)
    wide = min(max(box_cols, 1), cols)
    wanted = min(max(masked, 0), rows * cols)
    for t in range(frames):
        y = min(max(np.int64(corner[t, 0]), 0), rows - high)
        x = min(max(np.int64(corner[t, 1]), 0), cols - wide)
        mask[t] = False
        mask[t, y : y + high, x : x + wide] = True
        count = high * wide
        ring = 1
        while count < wanted:
            added = _flip_best(energy[t], mask[t], y - ring, x - ring, y + high + ring, x + wide + ring, 0, True)
            count += added
            ring += added == 0
        ring = 1
        while count > wanted:
            removed = _flip_best(energy[t], mask[t], y, x, y + high, x + wide, ring, False)
            count -= removed
            ring += removed == 0


@kernel
def _flip_best(
    energy: Float32, mask: NDArray[np.bool_], y0: int, x0: int, y1: int, x1: int, rim: int, value: bool
) -> int:
    """Set one token of a rectangle to ``value``, if any is left that is not.

    The candidates lie in rows y0..y1-1 and columns x0..x1-1; with ``rim`` > 0 only those within ``rim`` tokens of its edge.
    Setting takes the most energy, clearing the least. Returns how many tokens were changed: 0 or 1.
    """
    rows, cols = energy.shape
    best_row = -1
    best_col = -1
    best = 0.0
    for row in range(max(y0, 0), min(y1, rows)):
        for col in range(max(x0, 0), min(x1, cols)):
            if mask[row, col] == value:
                continue
            if rim > 0 and min(row - y0, y1 - 1 - row, col - x0, x1 - 1 - col) >= rim:
                continue
            e = energy[row, col] if value else -energy[row, col]
            if best_row < 0 or e > best:
                best_row, best_col, best = row, col, e
    if best_row < 0:
        return 0
    mask[best_row, best_col] = value
    return 1
