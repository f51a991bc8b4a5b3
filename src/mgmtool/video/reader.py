"""Frames in presentation order, with the motion vectors and the luma plane of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from av.container import InputContainer
from av.video.stream import VideoStream

from mgmtool.errors import NoFramesFailure
from mgmtool.profiling import timed
from mgmtool.types import DecodeOptions, Orientation, VideoInfo
from mgmtool.video.container import fraction, open_video
from mgmtool.video.decoding import Tally, numbered_frames, orientation_of
from mgmtool.video.frames import DecodedFrame

DECODER_OPTIONS = {"flags2": "+export_mvs", "skip_loop_filter": "all"}
_SHRINKING = {"mpeg1video", "mpeg2video", "mpeg4", "h263", "h263p", "flv1"}
"""Decoders that can leave out all but the mean of each block of 8 x 8 pixels (lowres 3); vectors stay as they are.

Others of the family have wrong pictures then, wmv2 for one.
"""
SHRINK = 3
"""log2 of the side of what becomes one pixel."""


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
def read_video(path: str, reading: DecodeOptions | None = None, *, small: bool = False) -> Iterator[OpenVideo]:
    """Decode a file with motion vectors exported.

    One decoder thread, thread type NONE: with frame threads libavcodec exports stale vectors, different in each run. The loop
    filter is skipped, which changes no vector of an intact stream. A packet that cannot be decoded is counted and skipped;
    a file that ends early keeps its good frames.

    Parameters
    ----------
    path : str
        A local file.
    reading : DecodeOptions, optional
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
    container: InputContainer, stream: VideoStream, tally: Tally, reading: DecodeOptions | None, small: bool
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
