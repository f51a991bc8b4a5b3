"""The nouns of mgmtool: frozen records, numpy only.

Axes are always (frame, row, column) or (y, x); boxes are half-open; a mask is True where the content is hidden.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int16 = NDArray[np.int16]
Int64 = NDArray[np.int64]

_LONGEST_GRID = 64  # characters; Python refuses to read thousands of digits


class FrameFlag(enum.IntFlag):
    """What is known about one frame; the bits of the store's ``flags`` array.

    ``KEY_FRAME``: the decoder marks the frame as a key frame. ``HAS_VECTORS``: motion vectors cover more than 2 % of the
    frame. ``PROPAGATED``: the frame has no motion of its own, its box comes from its neighbours. ``SCENE_CUT``: the picture
    has nothing to do with the one before. ``CORRUPT``: the decoder reports damage. ``FALLBACK``: nothing moves in the whole
    scene; the box is the centre box.
    """

    KEY_FRAME = 1
    HAS_VECTORS = 2
    PROPAGATED = 4
    SCENE_CUT = 8
    CORRUPT = 16
    FALLBACK = 32


@dataclass(frozen=True, slots=True)
class VideoRef:
    """One input video, before anything of it is read.

    Attributes
    ----------
    id : str
        Path relative to the input root, with extension, ``/`` between folders.
    path : str
        Where the file is.
    size : int
        Bytes on disk, -1 where unknown.
    mtime_ns : int
        Modification time in nanoseconds since the epoch, -1 where unknown.
    """

    id: str
    path: str
    size: int = -1
    mtime_ns: int = -1


@dataclass(frozen=True, slots=True)
class Orientation:
    """How coded pixels become displayed pixels: transpose first, then flip rows, then flip columns.

    Attributes
    ----------
    transpose, flip_y, flip_x : bool
        The three steps; together they reach all eight rotations and mirrorings of a display matrix.
    """

    transpose: bool = False
    flip_y: bool = False
    flip_x: bool = False

    @classmethod
    def from_display_matrix(cls, matrix: NDArray[np.int32]) -> Self:
        """Read an FFmpeg display matrix, rounded to the nearest right angle.

        Parameters
        ----------
        matrix : int32 (9,)
            ``a b u c d v x y w`` in 16.16 fixed point: a coded point (p, q) is shown at (a p + c q, b p + d q).
        """
        a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transpose=True, flip_y=b < 0, flip_x=c < 0)
        return cls(transpose=False, flip_y=d < 0, flip_x=a < 0)

    @property
    def rotation(self) -> int:
        """Clockwise turn of the coded picture, in degrees, after a possible mirroring left to right: 0, 90, 180 or 270."""
        if not self.transpose:
            return 180 if self.flip_y else 0
        return 90 if self.flip_x else 270

    @property
    def mirrored(self) -> bool:
        """Whether the displayed picture is a mirror image of the coded one."""
        return (self.transpose + self.flip_y + self.flip_x) % 2 == 1

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Return the displayed (height, width) of a coded picture."""
        return (width, height) if self.transpose else (height, width)

    def picture(self, values: NDArray[Any]) -> NDArray[Any]:
        """Turn an array of (rows, columns, ...) from coded to displayed orientation; returns a view."""
        if self.transpose:
            values = values.swapaxes(0, 1)
        return values[:: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]

    def vectors(self, field: Float32) -> Float32:
        """Turn a field of (rows, columns, 2) displacements (dy, dx), places and directions both."""
        turned = self.picture(field)
        if self.transpose:
            turned = turned[..., ::-1]
        sign = np.array([-1 if self.flip_y else 1, -1 if self.flip_x else 1], dtype=np.float32)
        return np.ascontiguousarray(turned * sign)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a container says about its video stream, before frames are decoded.

    Attributes
    ----------
    height, width : int
        Displayed size in pixels, after rotation.
    orientation : Orientation
        From coded to displayed pixels.
    codec, container : str
        FFmpeg's names of decoder and demuxer.
    fps : Fraction or None
        Average frame rate, None where the container does not say.
    time_base : Fraction
        Seconds per unit of ``pts``.
    header_frames : int
        Frame count of the header, 0 where it has none. Often wrong: never an index.
    """

    height: int
    width: int
    orientation: Orientation
    codec: str
    container: str
    fps: Fraction | None
    time_base: Fraction
    header_frames: int


@dataclass(frozen=True, slots=True)
class FrameMotion:
    """Motion of one frame, in displayed orientation, whatever codec or method it came from.

    Attributes
    ----------
    index : int
        Frame index: i-th frame the decoder outputs in presentation order.
    pts : int
        Presentation time in units of the time base; for a frame without one, the one before plus 1.
    key_frame, corrupt : bool
        As the decoder says.
    has_vectors : bool
        Whether vectors cover more than 2 % of the frame. Absent motion is not zero motion.
    displacement : float32 (rows, cols, 2) or None
        Where the content of each cell went since its reference, (dy, dx) in pixels of the displayed frame. 0 where uncovered.
        None where motion was not asked for.
    coverage : float32 (rows, cols) or None
        Share of each cell's area in the picture that has vectors, 0..1.
    luma : float32 (2 rows, 2 cols) or None
        Mean luma of each quarter cell, 0..255, NaN-free. None where it was not asked for.
    cell : int
        Side of a cell in pixels. Cells start at the top left; the last row and column may be cut by the picture.
    height, width : int
        Displayed size of this frame in pixels.
    """

    index: int
    pts: int
    key_frame: bool
    corrupt: bool
    has_vectors: bool
    displacement: Float32 | None
    coverage: Float32 | None
    luma: Float32 | None
    cell: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class FrameEnergy:
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
    """

    energy: Float32
    cut: Bool
    layout: TokenLayout
    seed: int = 0
    first: int = 0
    previous: tuple[int, int] | None = None
    stride: float = 1.0


@dataclass(frozen=True, slots=True)
class Placement:
    """What a scheme hides in a run of frames.

    Attributes
    ----------
    mask : bool (frames, rows, cols)
        True = masked; the same count in every frame.
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


@dataclass(frozen=True, slots=True)
class ExtractSpec:
    """Everything that decides what a store holds. Two runs with equal specs and inputs write equal bytes.

    Attributes
    ----------
    scheme : str
        Mask scheme, see ``mgmtool schemes``.
    scheme_options : mapping
        Options of the scheme that differ from its defaults.
    source : str
        Motion source, see ``mgmtool sources``.
    source_options : mapping
        Options of the source that differ from its defaults.
    grid : PatchGrid
        Patches over the whole displayed frame.
    ratio : float
        Share of the patches hidden in every frame, 0..1.
    seed : int
        Seed of everything random; each video draws from (seed, id).
    energy : bool
        Whether energy is stored. A scheme that needs no motion has none to store.
    energy_grid : PatchGrid
        Grid of the stored energy over the displayed frame.
    part_videos : int
        Most videos in a part.
    part_bytes : int
        Input bytes after which a part is full.
    """

    scheme: str = "motion-guided"
    scheme_options: Mapping[str, Any] = field(default_factory=dict)
    source: str = "codec"
    source_options: Mapping[str, Any] = field(default_factory=dict)
    grid: PatchGrid = PatchGrid(14, 14)
    ratio: float = 0.75
    seed: int = 0
    energy: bool = True
    energy_grid: PatchGrid = PatchGrid(16, 16)
    part_videos: int = 256
    part_bytes: int = 2 << 30

    @property
    def layout(self) -> TokenLayout:
        """Tokens and box of this grid and ratio."""
        return TokenLayout.of(self.grid, self.ratio)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the attributes of a store."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values |= {"grid": str(self.grid), "energy_grid": str(self.energy_grid)}
        values |= {"scheme_options": dict(self.scheme_options), "source_options": dict(self.source_options)}
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        grids = {name: PatchGrid.parse(values[name]) for name in ("grid", "energy_grid")}
        return cls(**{**values, **grids})


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What is known about a video once all its frames were read; one row of the index together with :class:`Outcome`.

    Attributes
    ----------
    info : VideoInfo
        Size, rotation, codec, rate.
    source : str
        The motion source that was used.
    num_frames : int
        Frames decoded.
    vector_frames : int
        Frames with vectors.
    corrupt_frames : int
        Frames the decoder reports as damaged.
    lost_packets : int
        Packets that could not be decoded at all.
    index_risk : tuple of str
        Why a reader may number the frames of this file differently, see docs/conventions.md.
    """

    info: VideoInfo
    source: str
    num_frames: int
    vector_frames: int
    corrupt_frames: int
    lost_packets: int
    index_risk: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one input ended: done or failed, always one of the two.

    Attributes
    ----------
    video : VideoRef
        The input.
    facts : VideoFacts or None
        None for a failed video.
    failure : str or None
        Failure class, one of ``errors.FAILURE_CLASSES``; None for a video that is done.
    message : str or None
        One line of text for a failed video.
    seconds : float
        Wall time spent on the video.
    part : int
        Part of the store it was written to.
    """

    video: VideoRef
    facts: VideoFacts | None = None
    failure: str | None = None
    message: str | None = None
    seconds: float = 0.0
    part: int = -1

    @property
    def done(self) -> bool:
        """Whether the video has a mask volume."""
        return self.failure is None
