"""Cells of a coded picture, and what a decoder gives averaged over them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.kernels.field import mean_flow, motion_field, scaled_motion_field
from mgmtool.kernels.luma import mean_picture
from mgmtool.types import Float32, Int64, Orientation
from mgmtool.video.frames import Chroma, Plane

CELLS = (4, 8, 16, 32, 64)
"""Sides of a cell that may be asked for, in pixels."""
_LARGE_FRAME = 720
LEAST_SIDE_OF_16 = 48
"""Short side in pixels from which on cells are 16 px, if they are automatic: in smaller frames the border is all there is."""
_ROWS = 4
"""Rows of samples that a mean is taken of."""


def automatic_cell(height: int, width: int) -> int:
    """Return the side of a cell by the short side of a frame: 4 px below 48 px, 32 from 720 on, else 16 (our choice)."""
    short_side = min(height, width)
    if short_side >= _LARGE_FRAME:
        return 32
    return 16 if short_side >= LEAST_SIDE_OF_16 else 4


def check_cell(source: str, cell: int | None) -> None:
    """Refuse a side of a cell that a source cannot have."""
    if cell is not None and cell not in CELLS:
        raise UsageError(f"{source} option cell is {cell}; expected auto or one of {', '.join(map(str, CELLS))}")


class CellField(NamedTuple):
    """Motion of one frame, in displayed orientation.

    Attributes
    ----------
    displacement : float32 (rows, cols, 2)
        (dy, dx) in pixels.
    coverage : float32 (rows, cols)
        Share of each cell's area in the picture that has vectors, 0..1.
    share : float
        Mean of ``coverage``.
    """

    displacement: Float32
    coverage: Float32
    share: float


class CellPlan:
    """Cells of one coded picture, aligned to the top left of the displayed one.

    Attributes
    ----------
    height, width : int
        Coded picture, pixels.
    displayed : tuple of int
        Height and width of the displayed one.
    cell, shift : int
        Side of a cell in pixels, and log2 of it.
    shape : tuple of int
        Rows and columns of cells in coded orientation.
    offsets : tuple of int
        Pixels missing from the first coded cell, where a flip makes the last displayed cell the first coded one.
    shrunk : int
        log2 of how much smaller than coded the decoder made each side; vectors are in coded pixels all the same.
    """

    def __init__(self, height: int, width: int, cell: int, orientation: Orientation, shrunk: int = 0) -> None:
        self.height, self.width, self.cell = height, width, cell
        self.displayed = orientation.shape(height, width)
        self.shift = cell.bit_length() - 1
        self.shape = -(-height // cell), -(-width // cell)
        flip_y, flip_x = orientation.flip_y, orientation.flip_x
        if orientation.transpose:
            flip_y, flip_x = flip_x, flip_y
        self.offsets = -height % cell * flip_y, -width % cell * flip_x
        self._orientation = orientation
        self._upright = orientation == Orientation()
        self.shrunk = shrunk
        self._known_places: dict[tuple[int, int], Int64] = {}

    def field(self, vectors: NDArray[np.void] | None) -> CellField:
        """Mean displacement by the motion vectors of a frame, in coded pixels as the decoder exports them."""
        displacement, coverage = self._blank()
        if vectors is None or not len(vectors):
            return self._turn_field(displacement, coverage, 0.0)
        share = motion_field(vectors, self.height, self.width, *self.offsets, self.shift, displacement, coverage)
        return self._turn_field(displacement, coverage, share)

    def scaled_field(self, vectors: NDArray[np.void] | None, height: int, width: int) -> CellField:
        """Mean displacement by the motion vectors of a copy of the frame of another size, in pixels of that copy."""
        displacement, coverage = self._blank()
        if vectors is None or not len(vectors):
            return self._turn_field(displacement, coverage, 0.0)
        share = scaled_motion_field(
            vectors, height, width, self.height, self.width, *self.offsets, self.shift, displacement, coverage
        )
        return self._turn_field(displacement, coverage, share)

    def dense(self, flow: Float32 | None) -> CellField:
        """Mean displacement by the flow from a frame to the one before, float32 (height, width, 2) in (x, y) order."""
        displacement, coverage = self._blank()
        if flow is None:
            return self._turn_field(displacement, coverage, 0.0)
        mean_flow(np.ascontiguousarray(flow), *self.offsets, self.shift, displacement, coverage)
        return self._turn_field(displacement, coverage, float(coverage.mean()))

    def means(self, luma: Plane, chroma: Chroma | None, *, light: bool, colour: bool) -> tuple[Float32, Float32]:
        """Mean luma of each quarter cell, and mean Cb and Cr of each cell, in displayed orientation; empty where not asked for.

        Cb and Cr are grey for a picture without colour. Four rows of samples count in each mean: reading all of them costs more
        and finds no more.
        """
        rows, cols = self.shape
        found_light = np.empty((2 * rows, 2 * cols) if light else (0, 0), np.float32)
        found_colour = np.empty((2, rows, cols) if colour else (2, 0, 0), np.float32)
        if chroma is None:
            none = luma.samples[:0]
            mean_picture(luma.samples, none, none, self._places(0, 0), luma.unit, found_light, found_colour)
        else:
            cb, cr, down_y, down_x = chroma
            places = self._places(down_y, down_x)
            mean_picture(luma.samples, cb.samples, cr.samples, places, luma.unit, found_light, found_colour)
        if self._upright:
            return found_light, found_colour
        return self._turn(found_light), np.stack([self._turn(plane) for plane in found_colour])

    def _places(self, down_y: int, down_x: int) -> Int64:
        """Where the means of luma and of chroma are taken, see :func:`mgmtool.kernels.luma.mean_picture`."""
        if (down_y, down_x) not in self._known_places:
            width, shift = -(-self.width >> self.shrunk), self.shift - self.shrunk
            y, x = (offset >> self.shrunk for offset in self.offsets)
            light = width, y, x, shift - 1, shift - 1, _step(shift - 1)
            down = shift - down_y
            colour = -(-width >> down_x), y >> down_y, x >> down_x, down, shift - down_x, _step(down)
            self._known_places[down_y, down_x] = np.array([light, colour], np.int64)
        return self._known_places[down_y, down_x]

    def _blank(self) -> tuple[Float32, Float32]:
        return np.zeros((*self.shape, 2), np.float32), np.zeros(self.shape, np.float32)

    def _turn_field(self, displacement: Float32, coverage: Float32, share: float) -> CellField:
        turned = displacement if self._upright else self._orientation.vectors(displacement)
        return CellField(turned, self._turn(coverage), share)

    def _turn(self, values: Float32) -> Float32:
        return values if self._upright else np.ascontiguousarray(self._orientation.picture(values))


def _step(shift: int) -> int:
    """Distance of the rows that count, of 2^shift rows."""
    return max((1 << shift) // _ROWS, 1)
