"""RGB pictures the right way up, numbered like the frames of ``reader``."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction

import av.error
import numpy as np
from av.video.frame import VideoFrame

from mgmtool.errors import NoFramesFailure
from mgmtool.types import DecodeOptions, Orientation, UInt8
from mgmtool.video.container import failure, fraction, open_video
from mgmtool.video.decoding import Tally, numbered_frames, orientation_of


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame to look at.

    Attributes
    ----------
    index : int
        Frame index: i-th frame the decoder outputs in presentation order.
    pts_seconds : float
        Presentation time as the container has it, in seconds; the first frame need not be at 0.
    rgb : uint8 (height, width, 3)
        sRGB values in displayed orientation; C-contiguous, the caller's own.
    """

    index: int
    pts_seconds: float
    rgb: UInt8


def read_pictures(
    path: str,
    wanted: Callable[[int], bool] | None = None,
    tally: Tally | None = None,
    reading: DecodeOptions | None = None,
) -> Generator[Picture]:
    """Decode a file and yield the wanted frames as pictures, holding one at a time.

    Every frame is decoded, to the end of the file, by the loop that numbers frames for motion; only wanted ones are converted.
    Close the generator to stop early.

    Parameters
    ----------
    path : str
        A local file.
    wanted : callable, optional
        Says of a frame index whether its picture is wanted; every frame by default.
    tally : Tally, optional
        Counts what is read; ``tally.frames`` is the number of frames once the pictures are exhausted.
    reading : DecodeOptions, optional
        Which stream is read, and within which limits; to be that of the masks.

    Yields
    ------
    Picture

    Raises
    ------
    VideoError
        With the failure class open, io, no_video_stream, no_frames, decode or memory.
    """
    tally = Tally() if tally is None else tally
    orientation: Orientation | None = None
    with open_video(path, reading) as (container, stream):
        unit = fraction(stream.time_base) or Fraction(1, 90_000)
        for index, (pts, frame) in enumerate(numbered_frames(container, stream, tally, {}, reading)):
            # The first frame decides for the whole video, as it does for motion and boxes.
            orientation = orientation or orientation_of(frame)
            if wanted is None or wanted(index):
                yield Picture(index, float(pts * unit), _rgb(frame, orientation))
    if orientation is None:
        raise NoFramesFailure(f"not one frame could be decoded{': ' if tally.last_error else ''}{tally.last_error}")


def _rgb(frame: VideoFrame, orientation: Orientation) -> UInt8:
    try:
        coded = frame.to_ndarray(format="rgb24")
    except (av.error.FFmpegError, MemoryError, ValueError) as error:
        raise failure(error) from None
    turned: UInt8 = np.ascontiguousarray(orientation.picture(coded), np.uint8)
    return turned
