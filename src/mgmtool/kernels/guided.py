"""Boxes on energy for many clips in one call: shares, scenes, paths, exact masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels._jit import kernel
from mgmtool.kernels.boxes import best_path, box_shares
from mgmtool.kernels.tokens import box_tokens

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Int16 = NDArray[np.int16]


@kernel
def place_guided(
    energy: Float32,
    weighed: Float32,
    cut: Bool,
    box_rows: int,
    box_cols: int,
    masked: int,
    smoothness: Float64,
    start_y: int,
    start_x: int,
    corner: Int16,
    fallback: Bool,
    mask: Bool,
) -> None:
    """Follow the energy of each clip with a box along a smooth path, scene by scene, and mask exactly as many tokens as asked.

    A scene without energy keeps the box before it: that of the frame before the first (``start_y``, ``start_x``) in a scene that
    goes on from there, else the centre box, which is flagged.

    Parameters
    ----------
    energy : float32 (clips, frames, rows, cols)
        >= 0 and finite: decides which tokens next to the box make the count exact.
    weighed : float32 (clips, frames, rows, cols)
        The energy that the path follows; the same array where no prior weighs it.
    cut : bool (clips, frames)
        Frames that start a new scene.
    box_rows, box_cols : int
        Sides of the box, 1..rows and 1..cols.
    masked : int
        Tokens to mask in every frame.
    smoothness : float64 (clips,)
        Cost of a jump of one token.
    start_y, start_x : int
        Where the box stood in the frame before the first, the same for all clips, or -1.
    corner : int16 (clips, frames, 2)
        Overwritten: top left token (y, x) of the box.
    fallback : bool (clips, frames)
        Overwritten: the box is the centre box.
    mask : bool (clips, frames, rows, cols)
        Overwritten: True = masked.
    """
    clips, frames, rows, cols = energy.shape
    table = np.empty((rows + 1, cols + 1), np.float64)
    shares = np.empty((frames, rows - box_rows + 1, cols - box_cols + 1), np.float64)
    moving = np.empty(frames, np.bool_)
    for n in range(clips):
        for t in range(frames):
            moving[t] = box_shares(weighed[n, t], box_rows, box_cols, table, shares[t])
        begin = 0
        while begin < frames:
            end = begin + 1
            while end < frames and not cut[n, end]:
                end += 1
            goes_on = begin == 0 and start_y >= 0 and not cut[n, 0]
            y, x = (start_y, start_x) if goes_on else (-1, -1)
            fallback[n, begin:end] = False
            if moving[begin:end].any():
                best_path(shares[begin:end], smoothness[n], y, x, corner[n, begin:end])
            else:
                fallback[n, begin:end] = not goes_on
                corner[n, begin:end, 0] = y if goes_on else (rows - box_rows) // 2
                corner[n, begin:end, 1] = x if goes_on else (cols - box_cols) // 2
            begin = end
        box_tokens(energy[n], corner[n], box_rows, box_cols, masked, mask[n])
