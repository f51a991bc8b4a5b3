"""The first frames of a file, to say what it is without reading it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from mgmtool.types import DecodeOptions, VideoInfo
from mgmtool.video.reader import Header, read_video

_TOLD_AT_THE_END = {"header_count"}


@dataclass(frozen=True, slots=True)
class Peek:
    """What the first frames tell.

    Attributes
    ----------
    info : VideoInfo
        Size, rotation, codec, rate.
    header : Header
        Profile, pixel format, duration.
    index_risk : tuple of str
        Those of :meth:`~mgmtool.video.reader.OpenVideo.index_risk` that show in the first frames.
    """

    info: VideoInfo
    header: Header
    index_risk: tuple[str, ...]


def peek(path: str, reading: DecodeOptions, most: int) -> Peek:
    """Decode at most ``most`` frames of a file, from its start.

    Raises
    ------
    VideoError
        As :func:`~mgmtool.video.reader.read_video`, for what goes wrong up to there.
    """
    with read_video(path, reading) as opened:
        ended = sum(1 for _ in islice(opened.frames, most)) < most
        unknown = set() if ended else _TOLD_AT_THE_END
        risks = tuple(risk for risk in opened.index_risk() if risk not in unknown)
        return Peek(opened.info, opened.header, risks)
