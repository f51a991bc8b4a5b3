"""Frames to a video file."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import av.codec
import av.error
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame

from mgmtool.errors import OutputError, UsageError
from mgmtool.files import written_whole
from mgmtool.types import UInt8

_BT709, _LIMITED_RANGE = 1, 1
_CRF = "18"
_FINEST_RATE = 1001
"""Largest denominator of a frame rate; NTSC rates are n / 1001, and MPEG-4 part 2 takes no time base much finer."""


def write_video(path: str | Path, pictures: Iterable[UInt8], fps: Fraction | float) -> None:
    """Encode pictures as an mp4 file that any player shows: H.264, or MPEG-4 part 2 where FFmpeg came without x264.

    Pictures are taken one at a time. Odd sizes are made even by repeating the last row or column, since 4:2:0 video has none.

    Parameters
    ----------
    path : path
        File to write.
    pictures : iterable of uint8 (height, width, 3)
        sRGB, all of one size.
    fps : Fraction or float
        Pictures a second, > 0.

    Raises
    ------
    OutputError
        The file cannot be written.
    UsageError
        There is no picture, one has another size than the first, or the rate is not positive.
    """
    rate = Fraction(fps).limit_denominator(_FINEST_RATE)
    if rate <= 0:
        raise UsageError(f"frame rate is {float(fps):g}; expected pictures a second, more than 0")
    remaining = iter(pictures)
    first = next(remaining, None)
    if first is None:
        raise UsageError(f"no picture to write to {path}")
    with written_whole(Path(path)) as partial:
        try:
            with _mp4(partial) as container:
                _encode(container, chain([first], remaining), first.shape, rate)
        except av.error.FFmpegError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def _mp4(path: Path) -> OutputContainer:
    # "file:" keeps a colon in a name from being read as a protocol.
    return av.open(f"file:{path}", "w", format="mp4", options={"movflags": "faststart"})


def _encode(container: OutputContainer, pictures: Iterable[UInt8], shape: tuple[int, ...], rate: Fraction) -> None:
    stream = _add_stream(container, shape, rate)
    for number, picture in enumerate(pictures):
        if picture.shape != shape:
            raise UsageError(f"picture {number} has the shape {picture.shape}; expected {shape} like the first")
        height, width = shape[:2]
        even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        coloured = VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        frame = coloured.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts, frame.time_base = number, 1 / rate
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _add_stream(container: OutputContainer, shape: tuple[int, ...], rate: Fraction) -> Any:
    height, width = (n + n % 2 for n in shape[:2])
    x264 = "libx264" in av.codec.codecs_available
    stream: Any = container.add_stream("libx264" if x264 else "mpeg4", rate=rate)
    stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
    # Without these a player guesses the colours from the size of the picture.
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED_RANGE
    if x264:
        stream.options = {"crf": _CRF, "preset": "veryfast"}
    else:
        stream.bit_rate = max(200_000, int(0.3 * height * width * rate))
    return stream
