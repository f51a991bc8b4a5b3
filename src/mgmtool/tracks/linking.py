"""Detections to objects: each box is linked to the one in the frame before that it overlaps most."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, groupby

import numpy as np

from mgmtool.types import Float64

LEAST_OVERLAP = 0.3
"""Intersection over union that two boxes of one object have at least (our choice)."""


def link(frames: Sequence[int], boxes: Float64) -> list[int]:
    """Give each detection the number of its object.

    Parameters
    ----------
    frames : sequence of int
        Frame index of each box, ascending.
    boxes : float64 (n, 4)
        ``y0 x0 y1 x1``.

    Returns
    -------
    list of int
        Object of each box, numbered in order of first appearance.
    """
    ids: list[int] = []
    fresh = count()
    before, earlier = -2, slice(0, 0)
    for frame, group in groupby(frames):
        here = slice(len(ids), len(ids) + len(list(group)))
        same = _match(boxes[earlier], boxes[here]) if frame == before + 1 else {}
        known = ids[earlier]
        ids += [known[same[j]] if j in same else next(fresh) for j in range(here.stop - here.start)]
        before, earlier = frame, here
    return ids


def _match(old: Float64, new: Float64) -> dict[int, int]:
    """Pair the boxes of two frames, largest overlap first, ties to the smallest index; new index to old index."""
    overlap = intersection_over_union(old, new)
    i, j = np.nonzero(overlap >= LEAST_OVERLAP)
    order = np.lexsort((j, i, -overlap[i, j]))
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for a, b in zip(i[order].tolist(), j[order].tolist(), strict=True):
        if a not in used and b not in pairs:
            pairs[b] = a
            used.add(a)
    return pairs


def intersection_over_union(old: Float64, new: Float64) -> Float64:
    """Intersection over union, (old, new); 0 for boxes too small to have an area."""
    low = np.maximum(old[:, None, :2], new[None, :, :2])
    high = np.minimum(old[:, None, 2:], new[None, :, 2:])
    inside = np.prod(np.maximum(high - low, 0), axis=2)
    area_old, area_new = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (old, new))
    union = area_old[:, None] + area_new[None, :] - inside
    shares: Float64 = np.zeros_like(inside)
    np.divide(inside, union, out=shares, where=union > 0)
    return shares
