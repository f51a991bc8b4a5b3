"""Numbers that say how well masks hide an object. Pure arithmetic on token masks and shares of object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mgmtool.kernels.boxes import box_shares
from mgmtool.types import Float32, Float64, Int16, TokenLayout, TokenMask

LEAST_OBJECT = 8.0
"""Tokens' worth of object, summed over a clip, below which the clip says nothing and is dropped."""


@dataclass(frozen=True, slots=True)
class ClipScore:
    """How one clip's mask did.

    Attributes
    ----------
    recall : float
        Share of the object that is hidden, 0..1.
    tiou : float
        Mean intersection over union of the masks of successive tubelets.
    hit : float
        Share of the tubelets whose box has its centre token on the object (more than half of the token is object). Tubelets
        without object or without box do not count; NaN where none is left.
    """

    recall: float
    tiou: float
    hit: float


def score(hidden: TokenMask, share: Float32) -> ClipScore:
    """Compare a token mask with the share of object in each token.

    Parameters
    ----------
    hidden : TokenMask
        What was hidden.
    share : float32 (tubelets, rows, cols)
        Share of object, with a sum above 0.
    """
    recall = float(share[hidden.mask].sum(dtype=np.float64) / share.sum(dtype=np.float64))
    return ClipScore(recall, steadiness(hidden), hit_rate(hidden.box, share))


def steadiness(hidden: TokenMask) -> float:
    """Return the mean intersection over union of the masks of successive tubelets; 1 for a single one."""
    before, after = hidden.mask[:-1], hidden.mask[1:]
    union = (before | after).sum(axis=(1, 2))
    both = (before & after).sum(axis=(1, 2))
    return float(np.mean(both / np.maximum(union, 1))) if len(union) else 1.0


def hit_rate(box: Int16, share: Float32) -> float:
    """Return the share of the tubelets whose box has its centre token on the object, see :class:`ClipScore`."""
    there = (share.sum(axis=(1, 2)) > 0) & box.any(axis=1)
    if not there.any():
        return float("nan")
    y, x = (box[:, k] + box[:, k + 2] for k in (0, 1))
    centre = share[np.arange(len(box)), y // 2, x // 2]
    return float((centre[there] > 0.5).mean())


def oracle(share: Float32, layout: TokenLayout) -> TokenMask:
    """Hide the box with most object in every tubelet: what no box of this size can beat."""
    table = np.empty((layout.rows + 1, layout.cols + 1), np.float64)
    worth = np.empty((layout.rows - layout.box_rows + 1, layout.cols - layout.box_cols + 1), np.float64)
    mask = np.zeros(share.shape, np.bool_)
    box = np.zeros((len(share), 4), np.int16)
    for t, frame in enumerate(share):
        box_shares(np.ascontiguousarray(frame), layout.box_rows, layout.box_cols, table, worth)
        y, x = np.unravel_index(int(worth.argmax()), worth.shape)
        box[t] = y, x, y + layout.box_rows, x + layout.box_cols
        mask[t, box[t, 0] : box[t, 2], box[t, 1] : box[t, 3]] = True
    return TokenMask(mask, box, np.zeros(len(share), np.bool_))


def motion_ratio(length: Float32, coverage: Float32, share: Float32) -> float:
    """Mean motion of the object over mean motion of the background in one frame.

    Parameters
    ----------
    length : float32 (rows, cols)
        Length of the motion of each cell, pixels.
    coverage, share : float32 (rows, cols)
        Share of the cell with vectors, and share of it that is object.

    Returns
    -------
    float
        NaN where object or background are not covered; a still background counts as a hundredth of a pixel.
    """
    on: Float64 = (coverage * share).astype(np.float64)
    off: Float64 = (coverage * (1 - share)).astype(np.float64)
    if on.sum() < 1e-6 or off.sum() < 1e-6:
        return float("nan")
    background = float((off * length).sum() / off.sum())
    return float((on * length).sum() / on.sum()) / max(background, 0.01)
