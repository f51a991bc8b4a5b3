"""Energy spread over what looks like it, as a stream: a colour model of the frames around each frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgmtool.kernels.appearance import BINS, blur, colour_bins, count_colours, weigh_by_colour
from mgmtool.masking._evidence import Item, border_cells, cells_of
from mgmtool.types import Float32

WINDOW = 32
"""Frames on each side whose colours count."""
_BLUR_PIXELS, _EDGE_PIXELS = 16, 112


@dataclass(frozen=True, slots=True)
class _Seen:
    """A frame in the window."""

    item: Item
    energy: Float32
    bins: NDArray[np.int32]
    edge: int


class Appearance:
    """Weighs energy by the colours that move in the scene, within 32 frames on each side; answers that much later.

    Parameters
    ----------
    on : bool
        Off, energy passes through at once, as it does for frames without colour.
    border : int or None
        Outer cells without energy, see :func:`mgmtool.masking._evidence.border_cells`.
    """

    def __init__(self, on: bool, border: int | None) -> None:
        self._on, self._border = on, border
        self._table = np.zeros((BINS, 3), np.int64)
        self._totals = np.zeros(7, np.int64)
        self._behind: deque[_Seen] = deque()
        self._ahead: deque[_Seen] = deque()

    def push(self, item: Item, energy: Float32) -> Iterator[tuple[Item, Float32]]:
        """Take the next frame; yield those whose window is complete, with their weighed energy."""
        luma, chroma = item.frame.luma, item.frame.chroma
        if not self._on or luma is None or chroma is None:
            yield from self.flush()
            yield item, energy
            return
        if self._ahead and energy.shape != self._ahead[-1].energy.shape:
            yield from self.flush()
        seen = _see(item, luma, chroma, energy)
        count_colours(seen.energy, seen.bins, seen.edge, 1, self._table, self._totals)
        self._ahead.append(seen)
        if len(self._ahead) > WINDOW:
            yield self._oldest()

    def flush(self) -> Iterator[tuple[Item, Float32]]:
        """End the scene: yield what still waits and forget everything."""
        while self._ahead:
            yield self._oldest()
        self._behind.clear()
        self._table[:] = 0
        self._totals[:] = 0

    def _oldest(self) -> tuple[Item, Float32]:
        seen = self._ahead.popleft()
        weighed = np.empty_like(seen.energy)
        border = border_cells(self._border, seen.item.frame)
        weigh_by_colour(seen.energy, seen.bins, border, self._table, self._totals, weighed)
        self._behind.append(seen)
        if len(self._behind) > WINDOW:
            old = self._behind.popleft()
            count_colours(old.energy, old.bins, old.edge, -1, self._table, self._totals)
        return seen.item, weighed


def _see(item: Item, luma: Float32, chroma: Float32, energy: Float32) -> _Seen:
    """Blur the energy of a frame and sort its cells by colour."""
    frame = item.frame
    blurred, line = np.empty_like(energy), np.empty_like(energy)
    blur(energy, cells_of(_BLUR_PIXELS, frame), line, blurred)
    bins = np.empty(energy.shape, np.int32)
    colour_bins(luma, chroma, bins)
    return _Seen(item, blurred, bins, round(cells_of(_EDGE_PIXELS, frame)))
