"""The frames of a video that are drawn on, with their times and their motion."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from mgmtool.errors import UsageError, one_line
from mgmtool.sources import Source
from mgmtool.types import DecodeOptions, FrameMotion, Int64, VideoInfo, VideoRef
from mgmtool.video.counts import FrameCounts
from mgmtool.video.pictures import Picture, read_pictures
from mgmtool.video.reader import read_video

_USUAL_FPS = Fraction(25)
_FASTEST_FPS = 240


@dataclass(frozen=True, slots=True)
class Footage:
    """The frames of a video.

    Attributes
    ----------
    path : str
        A local file.
    reading : DecodeOptions
        Which stream is read, and the limits of the file.
    info : VideoInfo
        Displayed size, frame rate and time base.
    pts : int64 (frames,)
        Presentation times of the frames that have masks, in units of the time base.
    source : Source
        Where arrows come from.
    """

    path: str
    reading: DecodeOptions
    info: VideoInfo
    pts: Int64
    source: Source

    @classmethod
    def of(cls, path: str, reading: DecodeOptions, pts: Int64, source: Source) -> Footage:
        """Read the facts of a file.

        Raises
        ------
        VideoError
            The file cannot be opened as a video.
        """
        with read_video(path, reading) as opened:
            return cls(path, reading, opened.info, pts, source)

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width as displayed, in pixels."""
        return self.info.height, self.info.width

    @property
    def fps(self) -> Fraction:
        """Mean frame rate by the time stamps, or the container's where those are of no use."""
        pts, said = self.pts, self.info.fps
        span = int(pts[-1] - pts[0]) * self.info.time_base
        measured = (len(pts) - 1) / span if span > 0 else Fraction(0)
        near = said is not None and abs(said - measured) <= measured / 100
        rates = (said if near else measured, said, _USUAL_FPS)
        return next(rate for rate in rates if rate is not None and 0 < rate <= _FASTEST_FPS)

    def seconds(self, index: int) -> float:
        """Return the time of a frame since the first one."""
        return float(int(self.pts[index] - self.pts[0]) * self.info.time_base)

    @property
    def title(self) -> str:
        """Name, size and length."""
        return f"{one_line(Path(self.path).name)} · {self.info.width} x {self.info.height} · {len(self)} frames"

    def frames(
        self, wanted: Callable[[int], bool] | None = None, *, moving: bool = False
    ) -> Generator[tuple[Picture, FrameMotion | None]]:
        """Yield the wanted frames, with their motion if asked; check at the end that the masks belong to this video.

        Parameters
        ----------
        wanted : callable, optional
            Whether the frame of an index is wanted; every frame by default.
        moving : bool
            Whether to read motion along with the frames.

        Raises
        ------
        UsageError
            The video has another number of frames than the masks.
        """
        count, counts = len(self), FrameCounts()
        with ExitStack() as stack:
            motion: Iterator[FrameMotion] = iter(())
            if moving:
                ref = VideoRef(Path(self.path).name, self.path, reading=self.reading)
                motion = stack.enter_context(self.source.open(ref, motion=True, luma=False)).frames
            chosen = read_pictures(
                self.path, lambda i: i < count and (wanted is None or wanted(i)), counts, self.reading
            )
            for frame in stack.enter_context(closing(chosen)):
                yield frame, next((moved for moved in motion if moved.index == frame.index), None)
            for _ in motion:  # a source may find out only at the end that there was no motion
                pass
        if counts.frames != count:
            raise UsageError(
                f"the masks cover {count} frames but {one_line(self.path)} has {counts.frames}; "
                "expected the masks of this very file"
            )
