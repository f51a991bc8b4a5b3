"""The frames of one training clip, the right way up, numbered like the frames of ``reader``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from mgmtool.errors import DecodeFailure, UsageError
from mgmtool.types import DecodeOptions, UInt8
from mgmtool.video.counts import FrameCounts
from mgmtool.video.pictures import read_pictures


@dataclass(frozen=True, slots=True)
class ClipPictures:
    """Pictures of a clip.

    Attributes
    ----------
    rgb : uint8 (n, height, width, 3)
        sRGB values in displayed orientation, in the order asked for; the caller's own.
    count : int or None
        Frames of the file, if it was read to its end; None where it goes on behind the last frame asked for.
    """

    rgb: UInt8
    count: int | None


def read_frames(path: str, indices: Sequence[int], reading: DecodeOptions | None = None) -> ClipPictures:
    """Decode the frames of a clip.

    The file is decoded from its start, by the loop that numbers frames for motion, to the frame after the last one asked for:
    seeking would be faster late in a long file, but which frame it finds depends on the container.

    Parameters
    ----------
    path : str
        A local file.
    indices : sequence of int
        Frame indices in any order; repeats are allowed.
    reading : DecodeOptions, optional
        Which stream is read, and within which limits; to be that of the masks.

    Returns
    -------
    ClipPictures

    Raises
    ------
    UsageError
        No index, a negative one, or one that the file has no frame for.
    VideoError
        As :func:`mgmtool.video.pictures.read_pictures`; also where the size of the picture changes within the clip.
    """
    first, last = min(indices, default=-1), max(indices, default=-1)
    if first < 0:
        raise UsageError(f"{path}: frame index is {first if len(indices) else None}; expected at least one, from 0 on")
    wanted, counts, found, count = frozenset(indices), FrameCounts(), dict[int, UInt8](), None
    with closing(read_pictures(path, lambda index: index in wanted or index > last, counts, reading)) as pictures:
        for picture in pictures:
            if picture.index > last:
                break
            found[picture.index] = picture.rgb
        else:
            count = counts.frames
    if last not in found:
        raise UsageError(
            f"{path}: frame index is {last}; expected 0 to {(count or 0) - 1}, the frames its reader finds"
        )
    shapes = sorted({picture.shape[:2] for picture in found.values()})
    if len(shapes) > 1:
        raise DecodeFailure(f"{path}: pictures of one clip have sizes {shapes}; expected one height and width")
    return ClipPictures(np.stack([found[index] for index in indices]), count)
