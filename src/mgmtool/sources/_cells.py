"""Cells of a coded picture, and what a decoder gives averaged over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.kernels.field import mean_flow, motion_field, scaled_motion_field
from mgmtool.kernels.luma import mean_plane
from mgmtool.types import Float32, Orientation
from mgmtool.video.reader import Chroma, Plane

CELLS = (4, 8, 16, 32, 64)
"""Sides of a cell that may be asked for, in pixels."""
_LARGE_PICTURE = 720
_GREY = 128.0
_ROWS = 4
"""Rows of samples that a mean is taken of."""


def automatic_cell(height: int, width: int) -> int:
    """Side of a cell for a picture: 16, and 32 where the short side is 720 pixels or more (our choice)."""
    return 32 if min(height, width) >= _LARGE_PICTURE else 16


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


@dataclass(frozen=True, slots=True)
class CellPlan:
    """Cells of one coded picture, aligned to the top left of the displayed one."""

    height: int
    width: int
    cell: int
    orientation: Orientation
    upright: bool

    def field(self, vectors: NDArray[np.void] | None) -> CellField:
        """Mean displacement by the motion vectors of a frame, in coded pixels as the decoder exports them."""
        displacement, coverage = self._blank()
        if vectors is None or not len(vectors):
            return self._turn_field(displacement, coverage, 0.0)
        offset_y, offset_x = self.offsets
        share = motion_field(vectors, self.height, self.width, offset_y, offset_x, self.shift, displacement, coverage)
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

    def luma(self, plane: Plane) -> Float32:
        """Mean luma of each quarter cell, in displayed orientation."""
        rows, cols = self.shape
        luma = np.empty((2 * rows, 2 * cols), np.float32)
        shift = self.shift - 1
        self._average(plane, self.offsets, (shift, shift), luma)
        return self._turn(luma)

    def chroma(self, found: Chroma | None) -> Float32:
        """Mean Cb and Cr of each cell, in displayed orientation; grey for a picture without colour."""
        means = np.full((2, *self.shape), _GREY, np.float32)
        if found is not None:
            cb, cr, down_y, down_x = found
            offset_y, offset_x = self.offsets
            place, shifts = (offset_y >> down_y, offset_x >> down_x), (self.shift - down_y, self.shift - down_x)
            self._average(cb, place, shifts, means[0])
            self._average(cr, place, shifts, means[1])
        return self._turn_planes(means)

    def _average(self, plane: Plane, offset: tuple[int, int], shift: tuple[int, int], out: Float32) -> None:
        """Mean over rectangles, by four of their rows: reading all of them costs more and finds no more."""
        mean_plane(plane.samples, plane.width, *offset, *shift, max((1 << shift[0]) // _ROWS, 1), plane.unit, out)

    @property
    def shift(self) -> int:
        """log2 of the cell side."""
        return self.cell.bit_length() - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells in coded orientation."""
        return -(-self.height // self.cell), -(-self.width // self.cell)

    @property
    def offsets(self) -> tuple[int, int]:
        """Pixels missing from the first coded cell, where a flip makes the last displayed cell the first coded one."""
        flip_y, flip_x = self.orientation.flip_y, self.orientation.flip_x
        if self.orientation.transpose:
            flip_y, flip_x = flip_x, flip_y
        return -self.height % self.cell * flip_y, -self.width % self.cell * flip_x

    def _blank(self) -> tuple[Float32, Float32]:
        rows, cols = self.shape
        return np.zeros((rows, cols, 2), np.float32), np.zeros((rows, cols), np.float32)

    def _turn_field(self, displacement: Float32, coverage: Float32, share: float) -> CellField:
        return CellField(self._turn_vectors(displacement), self._turn(coverage), share)

    def _turn(self, values: Float32) -> Float32:
        return values if self.upright else np.ascontiguousarray(self.orientation.picture(values))

    def _turn_planes(self, planes: Float32) -> Float32:
        return planes if self.upright else np.stack([self._turn(plane) for plane in planes])

    def _turn_vectors(self, field: Float32) -> Float32:
        return field if self.upright else self.orientation.vectors(field)
