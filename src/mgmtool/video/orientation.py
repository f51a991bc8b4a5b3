"""How coded frames become displayed ones, as the container says."""

from __future__ import annotations

import av.error
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mgmtool.errors import VideoError
from mgmtool.types import DecodeOptions, Orientation
from mgmtool.video.container import open_video, path_of
from mgmtool.video.decoding import side_data

_UPRIGHT = Orientation()
_SEI_UNITS = {"h264": "6", "hevc": "39-40", "vvc": "23-24"}
"""Codecs whose frames may state an orientation of their own, and the numbers of the units (SEI) that carry it."""


def may_turn_frames(stream: VideoStream) -> bool:
    """Whether single frames of a stream may state another orientation than the container."""
    return stream.codec_context.codec.canonical_name in _SEI_UNITS


def frame_orientation(frame: VideoFrame) -> Orientation:
    """Return the orientation that rides on a frame: its own, or that of the container where it states none."""
    matrix = side_data(frame, "DISPLAYMATRIX")
    return _UPRIGHT if matrix is None else Orientation.from_display_matrix(np.frombuffer(matrix, dtype="<i4"))


def container_orientation(
    container: InputContainer, stream: VideoStream, first: VideoFrame, reading: DecodeOptions | None
) -> Orientation:
    """Return the orientation that the container states, which is what players and readers go by.

    FFmpeg puts the container's display matrix on every frame, but for those that state an orientation of their own. Where the
    first frame has one, it is decoded once more without such statements.

    Parameters
    ----------
    container, stream
        As :func:`~mgmtool.video.container.open_video` gives them; left as they are.
    first : VideoFrame
        The first decoded frame.
    reading : DecodeOptions, optional
        With which ``container`` was opened.
    """
    found = frame_orientation(first)
    units = _SEI_UNITS.get(stream.codec_context.codec.canonical_name)
    if found == _UPRIGHT or units is None:
        return found
    for as_declared in (True, False):
        try:
            return _bare_orientation(path_of(container), reading, units, as_declared)
        except (av.error.FFmpegError, VideoError, OSError, IndexError, ValueError):
            continue
    return found  # nothing better is known


def _bare_orientation(path: str, reading: DecodeOptions | None, units: str, as_declared: bool) -> Orientation:
    """Decode the first frame without units that state an orientation, and return the one that is left.

    The units are delimited as the header declares, or, for files that do not keep to it, by start codes.
    """
    with open_video(path, reading) as (container, stream):
        context = stream.codec_context
        context.thread_type, context.thread_count = "NONE", 1
        source = stream if as_declared else context.codec.canonical_name
        bare = BitStreamFilterContext(f"filter_units=remove_types={units}", source)
        for packet in container.demux(stream):
            for left in bare.filter(packet):
                for frame in context.decode(left):
                    return frame_orientation(frame)
    raise ValueError("no frame without statements of its own")
