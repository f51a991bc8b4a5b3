"""What every motion source offers.

Public: plug-ins of other packages import from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, Protocol

from mgmtool.types import FrameMotion, VideoFacts, VideoInfo, VideoRef

__all__ = ["VIDEO_EXTENSIONS", "MotionStream", "Source"]

_ENDINGS = (
    ".264 .265 .3g2 .3gp .asf .avi .divx .dv .f4v .flv .gif .h264 .h265 .hevc .ivf .jsv .m1v .m2ts .m2v .m4v .mkv .mov .mp4 "
    ".mpeg .mpg .mts .mxf .nut .obu .ogm .ogv .qt .rm .rmvb .ts .vob .webm .wmv .y4m"
)
VIDEO_EXTENSIONS = tuple(_ENDINGS.split())
"""Endings, in lower case, by which a folder walk knows a video: those of containers that FFmpeg opens as video."""


@dataclass(frozen=True, slots=True)
class MotionStream:
    """An open video.

    Attributes
    ----------
    info : VideoInfo
        Size, rotation, codec, rate.
    frames : iterator of FrameMotion
        Every frame in presentation order. May raise any :class:`~mgmtool.errors.VideoError`.
    facts : callable
        Returns the :class:`~mgmtool.types.VideoFacts`; ask once the frames are exhausted.
    """

    info: VideoInfo
    frames: Iterator[FrameMotion]
    facts: Callable[[], VideoFacts]


class Source(Protocol):
    """A motion source: a frozen dataclass whose fields are its options."""

    extensions: ClassVar[tuple[str, ...]]
    """Endings, in lower case, of the files a folder walk hands to this source."""

    def open(
        self, video: VideoRef, *, motion: bool, luma: bool, chroma: bool = False
    ) -> AbstractContextManager[MotionStream]:
        """Open a video.

        Parameters
        ----------
        video : VideoRef
            What to open.
        motion, luma, chroma : bool
            Whether displacement and coverage, mean luma, and mean chroma are asked for. What is not asked for costs nothing.

        Raises
        ------
        VideoError
            On opening, or while the frames are read.
        """
        ...
