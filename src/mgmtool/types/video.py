"""What is known of a video and of its frames."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mgmtool.types.arrays import Float32
from mgmtool.types.decode import DecodeOptions

_AS_IT_COMES = DecodeOptions()


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
    reading : DecodeOptions
        Which of its streams is read, and within which limits.
    label : str or None
        Label that a manifest gives, as text.
    extra : str or None
        Further columns of a manifest, as a JSON object.
    """

    id: str
    path: str
    size: int = -1
    mtime_ns: int = -1
    reading: DecodeOptions = _AS_IT_COMES
    label: str | None = None
    extra: str | None = None


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
    pixel_aspect : Fraction
        Width of a displayed pixel by its height, 1 where the file does not say. Nothing is stretched by it.
    """

    height: int
    width: int
    orientation: Orientation
    codec: str
    container: str
    fps: Fraction | None
    time_base: Fraction
    header_frames: int
    pixel_aspect: Fraction = Fraction(1)


class FrameMotion(NamedTuple):
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
    chroma : float32 (2, rows, cols) or None
        Mean Cb and mean Cr of each cell, 0..255 with 128 for grey, NaN-free. None where it was not asked for.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which is of no use for a record
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
    chroma: Float32 | None = None


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
        Packets that could not be decoded at all; at least 1 for a file that ends early.
    index_risk : tuple of str
        Why a reader may number the frames of this file differently, see docs/conventions.md.
    source_reason : str
        Why this source was used, one line; "asked for" where it was named.
    """

    info: VideoInfo
    source: str
    num_frames: int
    vector_frames: int
    corrupt_frames: int
    lost_packets: int
    index_risk: tuple[str, ...]
    source_reason: str = ""
