"""One decoded frame: what the decoder says of it, its vectors and its planes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from numpy.typing import NDArray

from mgmtool.video.decoding import side_data

_SAMPLE_8, _SAMPLE_16 = np.dtype("u1"), np.dtype("<u2")
_PLANAR = re.compile(r"yuv[ja]?(?P<kind>4\d\d)p(?P<bits>\d*)(?:le)?")
_SUBSAMPLING = {"410": (2, 2), "411": (0, 2), "420": (1, 1), "422": (0, 1), "440": (1, 0), "444": (0, 0)}
_B = int(PictureType.B)
_LUMA_FIRST = re.compile(r"(?:yuvj?|yuva)4\d\dp(?P<yuv>\d*)(?:le)?|gray(?P<gray>\d*)(?:le)?|nv12|nv21")


class Plane(NamedTuple):
    """Samples of one plane of a frame, in coded orientation.

    Attributes
    ----------
    samples : uint8 or uint16 (height, >= width)
        C-contiguous, each row padded at its end. A view into the decoder's buffer.
    width : int
        Samples of a row that belong to the picture.
    unit : float
        Value of one step on a scale of 0..255.
    """

    samples: NDArray[Any]
    width: int
    unit: float


class Chroma(NamedTuple):
    """Colour planes of one frame.

    Attributes
    ----------
    cb, cr : Plane
        128 is grey.
    down_y, down_x : int
        log2 of the pixels a sample stands for, down and across.
    """

    cb: Plane
    cr: Plane
    down_y: int
    down_x: int


@dataclass(slots=True)  # not frozen: one is made per frame, and frozen ones cost 1 us more
class DecodedFrame:
    """One frame as the decoder gives it. Views into decoder memory: reduce them before taking the next frame.

    Attributes
    ----------
    pts : int
        In units of the time base; the one before plus 1 for a frame without.
    corrupt : bool
        As the decoder says.
    shrunk : int
        log2 of the coded pixels that one sample of luma stands for, down and across: 0, or 3 at 1/8 resolution.
    """

    pts: int
    corrupt: bool
    shrunk: int
    _frame: VideoFrame
    _context: VideoCodecContext
    _planes: Sequence[Any] = ()

    @property
    def key_frame(self) -> bool:
        """As the decoder says."""
        return bool(self._frame.key_frame)

    @property
    def bidirectional(self) -> bool:
        """Whether it is a B-frame."""
        return self._frame.pict_type == _B

    @property
    def height(self) -> int:
        """Coded height in pixels, cropping applied."""
        return self._context.coded_height if self.shrunk else self._frame.height

    @property
    def width(self) -> int:
        """Coded width in pixels, cropping applied."""
        return self._context.coded_width if self.shrunk else self._frame.width

    def vectors(self, dtype: np.dtype[np.void]) -> NDArray[np.void] | None:
        """Motion vectors as records of ``dtype``, or None; a read-only view that pins the picture."""
        exported = side_data(self._frame, "MOTION_VECTORS")
        return None if exported is None else np.frombuffer(exported, dtype=dtype)

    def luma(self) -> Plane:
        """Luma plane without conversion where the pixel format has one, else FFmpeg's conversion to grey."""
        frame = self._frame
        bits = _luma_bits(frame.format.name)
        if bits is None:
            return _plane(frame.reformat(format="gray8").planes[0], 8, frame.height, frame.width)
        return _plane((self._planes or frame.planes)[0], bits, frame.height, frame.width)

    def planes(self) -> tuple[Plane, Chroma | None]:
        """Planes of luma, and of Cb and Cr, without conversion where the pixel format has them, else FFmpeg's.

        There is no chroma in a grey frame.
        """
        frame = self._frame
        known = _planar(frame.format.name)
        if known is None:
            if frame.format.name.startswith("gray"):
                return self.luma(), None
            planes = frame.reformat(format="yuv444p").planes
            return self.luma(), _chroma(planes, 8, 0, 0, _plane(planes[0], 8, frame.height, frame.width))
        bits, down_y, down_x = known
        coded = self._planes or frame.planes
        luma = _plane(coded[0], bits, frame.height, frame.width)
        return luma, _chroma(coded, bits, down_y, down_x, luma)


def _chroma(planes: Sequence[Any], bits: int, down_y: int, down_x: int, luma: Plane) -> Chroma:
    height, width = -(-len(luma.samples) >> down_y), -(-luma.width >> down_x)
    return Chroma(_plane(planes[1], bits, height, width), _plane(planes[2], bits, height, width), down_y, down_x)


def _plane(plane: Any, bits: int, height: int, width: int) -> Plane:
    if bits == 8:
        line, samples = plane.line_size, np.frombuffer(plane, _SAMPLE_8)
    else:
        line, samples = plane.line_size // 2, np.frombuffer(plane, _SAMPLE_16)
    return Plane(samples.reshape(-1, line)[:height], width, 2.0 ** (8 - bits))


@lru_cache
def _planar(pixel_format: str) -> tuple[int, int, int] | None:
    """Bits of a sample, and log2 of the subsampling in y and x, of a format of three planes; None for any other."""
    known = _PLANAR.fullmatch(pixel_format)
    if known is None or known["kind"] not in _SUBSAMPLING:
        return None
    return (int(known["bits"] or 8), *_SUBSAMPLING[known["kind"]])


@lru_cache
def _luma_bits(pixel_format: str) -> int | None:
    """Bits of a luma sample of a format whose first plane is luma, None for any other format."""
    known = _LUMA_FIRST.fullmatch(pixel_format)
    return None if known is None else int(known["yuv"] or known["gray"] or 8)
