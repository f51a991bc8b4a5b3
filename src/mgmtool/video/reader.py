"""Frames in presentation order, with the motion vectors and the luma plane of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mgmtool.errors import NoFramesFailure
from mgmtool.stages import timed
from mgmtool.types import Orientation, Reading, VideoInfo
from mgmtool.video.container import fraction, open_video
from mgmtool.video.decoding import Tally, numbered_frames, orientation_of, side_data

DECODER_OPTIONS = {"flags2": "+export_mvs", "skip_loop_filter": "all"}
_SHRINKING = {"mpeg1video", "mpeg2video", "mpeg4", "h263", "h263p", "flv1"}
"""Decoders that can leave out all but the mean of each block of 8 x 8 pixels (lowres 3); vectors stay as they are.

Others of the family have wrong pictures then, wmv2 for one.
"""
SHRINK = 3
"""log2 of the side of what becomes one pixel."""
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


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One frame as the decoder gives it. Views into decoder memory: reduce them before taking the next frame.

    Attributes
    ----------
    pts : int
        In units of the time base; the one before plus 1 for a frame without.
    corrupt : bool
        As the decoder says.
    shrunk : int
        log2 of the coded pixels that one sample of luma stands for, down and across: 0, or 3 where small pictures were asked for.
    """

    pts: int
    corrupt: bool
    shrunk: int
    _frame: VideoFrame
    _context: VideoCodecContext

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
            frame, bits = frame.reformat(format="gray8"), 8
        return _plane(frame.planes[0], bits, frame.height, frame.width)

    def planes(self) -> tuple[Plane, Chroma | None]:
        """Planes of luma, and of Cb and Cr, without conversion where the pixel format has them, else FFmpeg's.

        There is no chroma in a grey picture.
        """
        frame = self._frame
        known = _planar(frame.format.name)
        if known is None:
            return self.luma(), _converted_chroma(frame)
        bits, down_y, down_x = known
        planes = frame.planes
        luma = _plane(planes[0], bits, frame.height, frame.width)
        return luma, _chroma(planes, bits, down_y, down_x, luma)


def _converted_chroma(frame: VideoFrame) -> Chroma | None:
    if frame.format.name.startswith("gray"):
        return None
    planes = frame.reformat(format="yuv444p").planes
    return _chroma(planes, 8, 0, 0, _plane(planes[0], 8, frame.height, frame.width))


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


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its video stream that decides nothing, but is good to know beforehand.

    Attributes
    ----------
    profile : str or None
        Of the codec, as FFmpeg calls it; None where there is none.
    pixel_format : str
        FFmpeg's name.
    seconds : float or None
        Duration, None where the file does not say.
    """

    profile: str | None
    pixel_format: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class OpenVideo:
    """A video whose first frame was decoded.

    Attributes
    ----------
    info : VideoInfo
        Size, rotation, codec, rate.
    frames : iterator of DecodedFrame
        Every frame, in presentation order.
    tally : Tally
        Counts so far.
    header : Header
        What else the file says.
    """

    info: VideoInfo
    frames: Iterator[DecodedFrame]
    tally: Tally
    header: Header

    def index_risk(self) -> tuple[str, ...]:
        """Why a reader may number the frames of this file differently; ask once the frames are exhausted."""
        tally, info = self.tally, self.info
        avi_b = "avi" in info.container and tally.b_frames > 0
        risks = {
            "edit_list": tally.discarded_packets > 0,
            "transport_stream": "mpegts" in info.container,
            "packed_b_frames": avi_b and info.codec == "mpeg4",
            "avi_b_frames": avi_b,
            "variable_rate": len(tally.steps) > 1 and max(tally.steps) - min(tally.steps) > 1,
            "header_count": info.header_frames not in {0, tally.frames},
            "lost_packets": tally.lost_packets > 0,
            "size_changes": tally.size_changes > 0,
        }
        return tuple(name for name, there in risks.items() if there)


@contextmanager
def read_video(path: str, reading: Reading | None = None, *, small: bool = False) -> Iterator[OpenVideo]:
    """Decode a file with motion vectors exported.

    One decoder thread, thread type NONE: with frame threads libavcodec exports stale vectors, different in each run. The loop
    filter is skipped, which changes no vector of an intact stream. A packet that cannot be decoded is counted and skipped;
    a file that ends early keeps its good frames.

    Parameters
    ----------
    path : str
        A local file.
    reading : Reading, optional
        Which stream is read, within which limits, and whether damage is a failure.
    small : bool
        Whether pictures of an eighth of the size will do, where the decoder makes those at less cost.

    Yields
    ------
    OpenVideo

    Raises
    ------
    VideoError
        With the failure class open, io, no_video_stream, no_frames or memory.
    """
    with open_video(path, reading) as (container, stream):
        tally = Tally()
        frames = timed(_frames(container, stream, tally, reading, small), "decode")
        first = next(frames, None)
        if first is None:
            raise NoFramesFailure(f"not one frame could be decoded{': ' if tally.last_error else ''}{tally.last_error}")
        yield OpenVideo(
            _info(container, stream, first), chain([first], frames), tally, _header(container, stream, first)
        )


def _frames(
    container: InputContainer, stream: VideoStream, tally: Tally, reading: Reading | None, small: bool
) -> Iterator[DecodedFrame]:
    context = stream.codec_context
    options, shrunk = DECODER_OPTIONS, 0
    if small and context.codec.canonical_name in _SHRINKING:
        options, shrunk = DECODER_OPTIONS | {"lowres": str(SHRINK)}, SHRINK
    for pts, frame in numbered_frames(container, stream, tally, options, reading):
        yield DecodedFrame(pts, frame.is_corrupt, shrunk, frame, context)


def _info(container: InputContainer, stream: VideoStream, first: DecodedFrame) -> VideoInfo:
    orientation = orientation_of(first._frame)
    height, width = orientation.shape(first.height, first.width)
    return VideoInfo(
        height=height,
        width=width,
        orientation=orientation,
        codec=stream.codec_context.codec.canonical_name,
        container=container.format.name,
        fps=fraction(stream.average_rate),
        time_base=fraction(stream.time_base) or Fraction(1, 90_000),
        header_frames=stream.frames,
        pixel_aspect=_pixel_aspect(stream, orientation),
    )


def _pixel_aspect(stream: VideoStream, orientation: Orientation) -> Fraction:
    """Width of a displayed pixel by its height; 1 where the file does not say."""
    coded = fraction(stream.sample_aspect_ratio) or Fraction(1)
    return 1 / coded if orientation.transpose else coded


def _header(container: InputContainer, stream: VideoStream, first: DecodedFrame) -> Header:
    seconds: float | None = None
    if stream.duration is not None and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        seconds = container.duration / 1e6  # AV_TIME_BASE
    return Header(stream.profile, first._frame.format.name, seconds)
