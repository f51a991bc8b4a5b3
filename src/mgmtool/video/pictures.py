"""RGB pictures the right way up, numbered like the frames of ``reader``."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction

import av.error
import numpy as np

from mgmtool.types import DecodeOptions, Orientation, UInt8
from mgmtool.video.container import failure, fraction, open_video
from mgmtool.video.counts import FrameCounts
from mgmtool.video.decoding import no_frames, numbered_frames
from mgmtool.video.orientation import container_orientation


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
    counts: FrameCounts | None = None,
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
    counts : FrameCounts, optional
        Counts what is read; ``counts.frames`` is the number of frames once the pictures are exhausted.
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
    counts = FrameCounts() if counts is None else counts
    orientation: Orientation | None = None
    with open_video(path, reading) as (container, stream):
        unit = fraction(stream.time_base) or Fraction(1, 90_000)
        for index, (pts, frame) in enumerate(numbered_frames(container, stream, counts, {}, reading)):
            orientation = orientation or container_orientation(container, stream, frame, reading)
            if wanted is None or wanted(index):
                try:
                    coded = frame.to_ndarray(format="rgb24")
                except (av.error.FFmpegError, MemoryError, ValueError) as error:
                    raise failure(error) from None
                yield Picture(index, float(pts * unit), np.ascontiguousarray(orientation.picture(coded), np.uint8))
    if orientation is None:
        raise no_frames(counts)
