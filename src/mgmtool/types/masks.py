"""Energy, grids, boxes and masks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mgmtool.types.arrays import Bool, Float32, Int16, Int64, UInt8
from mgmtool.types.video import FrameFlag

_LONGEST_GRID = 64  # characters; Python refuses to read thousands of digits


class FrameEnergy(NamedTuple):
    """Motion energy of one frame on the energy grid.

    Attributes
    ----------
    pts : int
        See :class:`FrameMotion`.
    flags : FrameFlag
        What is known so far; placement may add ``FALLBACK``.
    energy : uint8 (energy_rows, energy_cols) or None
        Energy divided by ``scale`` and rounded; None for a scheme that needs no motion.
    scale : float
        Energy of one step of ``energy``; 0 for a frame without energy.
    """

    pts: int
    flags: FrameFlag
    energy: UInt8 | None = None
    scale: float = 0.0


@dataclass(frozen=True, slots=True)
class Box:
    """Half-open rectangle in pixels of the displayed frame; rows y0..y1-1, columns x0..x1-1."""

    y0: int
    x0: int
    y1: int
    x1: int

    @property
    def area(self) -> int:
        """Pixels inside; 0 for the empty box that stands for "no box"."""
        return max(0, self.y1 - self.y0) * max(0, self.x1 - self.x0)


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """A grid of ``rows`` x ``cols`` patches over a picture."""

    rows: int
    cols: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"14x14"``.

        Raises
        ------
        ValueError
            The text is not two whole numbers from 1 to 256 with an ``x`` between them.
        """
        rows, x, cols = text.lower().partition("x")
        if not (x and rows.isdecimal() and cols.isdecimal() and len(text) <= _LONGEST_GRID):
            raise ValueError(f"grid is {text[:_LONGEST_GRID]!r}; expected HxW, for example 14x14")
        grid = cls(int(rows), int(cols))
        if not (1 <= grid.rows <= 256 and 1 <= grid.cols <= 256):
            raise ValueError(f"grid is {text!r}; expected 1 to 256 rows and columns")
        return grid

    def __str__(self) -> str:
        return f"{self.rows}x{self.cols}"


@dataclass(frozen=True, slots=True)
class TokenLayout:
    """How many tokens of a grid are hidden, and the box that hides most of them.

    Attributes
    ----------
    rows, cols : int
        Tokens per frame or tubelet.
    masked : int
        Tokens hidden in every one of them: ``round(ratio * rows * cols)``.
    box_rows, box_cols : int
        Sides of the box in tokens: ``sqrt(ratio)`` of each side, rounded (our choice; the paper states no aspect).
    """

    rows: int
    cols: int
    masked: int
    box_rows: int
    box_cols: int

    @classmethod
    def of(cls, grid: PatchGrid, ratio: float) -> Self:
        """Lay out a mask ratio on a grid.

        Raises
        ------
        ValueError
            The ratio is not between 0 and 1.
        """
        if not 0.0 <= ratio <= 1.0:
            raise ValueError(f"ratio is {ratio}; expected 0 to 1")
        side = float(np.sqrt(ratio))
        box_rows, box_cols = (min(n, max(1, round(side * n))) for n in (grid.rows, grid.cols))
        return cls(grid.rows, grid.cols, round(ratio * grid.rows * grid.cols), box_rows, box_cols)

    def complement(self) -> Self:
        """Lay out what this layout leaves visible: as many tokens, and the box of their share."""
        tokens = self.rows * self.cols
        other = type(self).of(PatchGrid(self.rows, self.cols), (tokens - self.masked) / tokens)
        return dataclasses.replace(other, masked=tokens - self.masked)

    def box(self, y: int, x: int, height: int, width: int) -> Box:
        """Pixels of the box whose top left token is (y, x), on a picture of ``height`` x ``width``."""
        rows = [round(r * height / self.rows) for r in (y, y + self.box_rows)]
        cols = [round(c * width / self.cols) for c in (x, x + self.box_cols)]
        return Box(rows[0], cols[0], rows[1], cols[1])


@dataclass(frozen=True, slots=True)
class PlacementRequest:
    """A run of frames in which a scheme is asked what to hide.

    Attributes
    ----------
    energy : float32 (frames, rows, cols)
        Energy of every token, >= 0; all zero for a scheme that needs no motion.
    cut : bool (frames,)
        Frames that start a new scene.
    layout : TokenLayout
        Grid, count and box.
    seed : int
        64 bits that belong to this video or clip.
    first : int
        Number of the first frame within the video: a run is placed the same whether the video comes in one run or many.
    previous : (int, int) or None
        Top left token (y, x) of the box in the frame before the first; None at the start.
    stride : float
        Source frames between two frames of the run.
    objects : float32 (frames, objects, 4) or None
        Where each known object is, ``y0 x0 y1 x1`` in tokens of the grid, NaN where it is not in the frame. None for a scheme
        that reads no tracks.
    clip : bool
        The run is a whole training clip, its frames are tubelets. If not, it is a run of a mask volume, whose end is not known.
    """

    energy: Float32
    cut: Bool
    layout: TokenLayout
    seed: int = 0
    first: int = 0
    previous: tuple[int, int] | None = None
    stride: float = 1.0
    objects: Float32 | None = None
    clip: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """What a scheme hides in a run of frames.

    Attributes
    ----------
    mask : bool (frames, rows, cols)
        True = masked; ``layout.masked`` in every frame, or in a clip as many on average, see
        :attr:`mgmtool.masking.Scheme.exact`.
    corner : int16 (frames, 2)
        Top left token (y, x) of the box; -1 where the scheme hides no box.
    fallback : bool (frames,)
        The box is the centre box, because nothing moves in the whole scene.
    """

    mask: Bool
    corner: Int16
    fallback: Bool


@dataclass(frozen=True, slots=True)
class MaskVolume:
    """Masks of one video, or of a run of its frames.

    Attributes
    ----------
    mask : bool (frames, rows, cols)
        Whole-frame mask on the patch grid; True = masked.
    box : int16 (frames, 4)
        ``y0 x0 y1 x1`` in displayed pixels, half-open; all zero where the scheme hides no box.
    pts : int64 (frames,)
        Presentation times in units of the time base.
    flags : uint8 (frames,)
        Bits of :class:`FrameFlag`.
    energy : uint8 (frames, energy_rows, energy_cols) or None
        Motion energy over the displayed frame, divided by ``energy_scale``.
    energy_scale : float32 (frames,) or None
        energy = uint8 * scale.
    """

    mask: Bool
    box: Int16
    pts: Int64
    flags: UInt8
    energy: UInt8 | None = None
    energy_scale: Float32 | None = None

    def __len__(self) -> int:
        return len(self.pts)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that are there, by their name in the store."""
        pairs = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        return {name: value for name, value in pairs if value is not None}
