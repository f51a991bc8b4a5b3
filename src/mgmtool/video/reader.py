"""Frames in presentation order, with the motion vectors and the luma plane of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, islice

from av.container import InputContainer
from av.video.stream import VideoStream

from mgmtool.profiling import timed
from mgmtool.types import DecodeOptions, VideoInfo
from mgmtool.video.container import fraction, open_video, path_of, video_streams
from mgmtool.video.counts import FrameCounts
from mgmtool.video.decoding import no_frames, numbered_frames
from mgmtool.video.frames import DecodedFrame
from mgmtool.video.orientation import container_orientation, frame_orientation, may_turn_frames
from mgmtool.video.small import SHRINK, SHRINKING, SMALL_OPTIONS, UnwrittenBlocks

DECODER_OPTIONS = {"flags2": "+export_mvs", "skip_loop_filter": "all"}


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
    counts : FrameCounts
        Counts so far.
    header : Header
        What else the file says.
    several_streams : bool
        Whether the file has another video stream that a reader might take.
    """

    info: VideoInfo
    frames: Iterator[DecodedFrame]
    counts: FrameCounts
    header: Header
    several_streams: bool

    def index_risk(self) -> tuple[str, ...]:
        """Why a reader may number the frames of this file differently; ask once the frames are exhausted."""
        return self.counts.index_risk(self.info, self.several_streams)


@contextmanager
def read_video(
    path: str, reading: DecodeOptions | None = None, *, small_from: int | None = None
) -> Iterator[OpenVideo]:
    """Decode a file with motion vectors exported.

    One decoder thread, thread type NONE: with frame threads libavcodec exports stale vectors, different in each run. The loop
    filter is skipped, which changes no vector of an intact stream. A packet that cannot be decoded is counted and skipped;
    a file that ends early keeps its good frames, and counts as one that lost a packet.

    Parameters
    ----------
    path : str
        A local file.
    reading : DecodeOptions, optional
        Which stream is read, within which limits, and whether damage is a failure.
    small_from : int, optional
        Short side in pixels from which on frames at 1/8 resolution suffice, where the decoder makes those at less cost; by
        default they never do. From the first smaller frame or sign of damage on, the file is decoded at full size, since only
        there do the decoders say which frames are corrupt.

    Yields
    ------
    OpenVideo

    Raises
    ------
    VideoError
        With the failure class open, io, no_video_stream, no_frames or memory.
    """
    with open_video(path, reading) as (container, stream):
        counts = FrameCounts()
        frames = timed(_frames(container, stream, counts, reading, small_from), "decode")
        first = next(frames, None)
        if first is None:
            raise no_frames(counts)
        seconds: float | None = None
        if stream.duration is not None and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            seconds = container.duration / 1e6  # AV_TIME_BASE
        yield OpenVideo(
            _info(container, stream, first, reading),
            chain([first], frames),
            counts,
            Header(stream.profile, first._frame.format.name, seconds),
            any(other.index != stream.index for other in video_streams(container)),
        )


def _frames(
    container: InputContainer,
    stream: VideoStream,
    counts: FrameCounts,
    reading: DecodeOptions | None,
    small_from: int | None,
) -> Iterator[DecodedFrame]:
    if small_from is None or stream.codec_context.codec.canonical_name not in SHRINKING:
        yield from _full_frames(container, stream, counts, reading)
        return
    shown = 0
    for frame in _small_frames(container, stream, counts, reading):
        if min(frame.height, frame.width) < small_from:
            break
        yield frame
        shown += 1
    else:
        if not (counts.lost_packets or counts.corrupt_frames):
            return
    counts.start_again()
    with open_video(path_of(container), reading) as (again, same):
        yield from islice(_full_frames(again, same, counts, reading), shown, None)


def _full_frames(
    container: InputContainer, stream: VideoStream, counts: FrameCounts, reading: DecodeOptions | None
) -> Iterator[DecodedFrame]:
    context, turning = stream.codec_context, may_turn_frames(stream)
    for pts, frame in numbered_frames(container, stream, counts, DECODER_OPTIONS, reading):
        if turning:
            counts.orientations.add(frame_orientation(frame))
        yield DecodedFrame(pts, frame.is_corrupt, 0, frame, context)


def _small_frames(
    container: InputContainer, stream: VideoStream, counts: FrameCounts, reading: DecodeOptions | None
) -> Iterator[DecodedFrame]:
    """Yield small frames up to the first sign of damage, which the counts show at the end."""
    context, unwritten = stream.codec_context, UnwrittenBlocks()
    lenient = replace(reading or DecodeOptions(), strict=False)  # what is found here is not yet what is reported
    for pts, frame in numbered_frames(container, stream, counts, DECODER_OPTIONS | SMALL_OPTIONS, lenient):
        planes = frame.planes
        counts.corrupt_frames += unwritten.in_frame(frame, planes)
        if counts.corrupt_frames or counts.lost_packets:
            return
        yield DecodedFrame(pts, False, SHRINK, frame, context, planes)


def _info(
    container: InputContainer, stream: VideoStream, first: DecodedFrame, reading: DecodeOptions | None
) -> VideoInfo:
    orientation = container_orientation(container, stream, first._frame, reading)
    height, width = orientation.shape(first.height, first.width)
    aspect = fraction(stream.sample_aspect_ratio) or Fraction(1)
    return VideoInfo(
        height=height,
        width=width,
        orientation=orientation,
        codec=stream.codec_context.codec.canonical_name,
        container=container.format.name,
        fps=fraction(stream.average_rate),
        time_base=fraction(stream.time_base) or Fraction(1, 90_000),
        header_frames=stream.frames,
        pixel_aspect=1 / aspect if orientation.transpose else aspect,
    )
