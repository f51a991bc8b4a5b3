"""What is drawn on, and what is drawn: the pictures of a video, and one scheme's masks of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from mgmtool.drawing.overlay import Layers, arrows_of, overlay
from mgmtool.errors import UsageError, one_line
from mgmtool.sources import Source
from mgmtool.types import DecodeOptions, Float32, FrameMotion, Int64, MaskVolume, UInt8, VideoInfo, VideoRef
from mgmtool.video.counts import FrameCounts
from mgmtool.video.pictures import Picture, read_pictures

_USUAL_FPS = Fraction(25)
_FASTEST_FPS = 240
_HOT = 0.98


@dataclass(frozen=True, slots=True)
class Footage:
    """The frames of a video, with their times and their motion.

    Attributes
    ----------
    path : str
        A local file.
    reading : DecodeOptions
        Which stream is read, and the limits of the file.
    info : VideoInfo
        Its displayed size, frame rate and time base.
    pts : int64 (frames,)
        Presentation times of the frames that have masks.
    source : Source
        Where arrows come from.
    """

    path: str
    reading: DecodeOptions
    info: VideoInfo
    pts: Int64
    source: Source

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def fps(self) -> Fraction:
        """Mean frame rate by the time stamps, or what the container says where they do not serve."""
        pts, said = self.pts, self.info.fps
        span = int(pts[-1] - pts[0]) * self.info.time_base
        measured = (len(pts) - 1) / span if span > 0 else Fraction(0)
        near = said is not None and abs(said - measured) <= measured / 100
        rates = (said if near else measured, said, _USUAL_FPS)
        return next(rate for rate in rates if rate is not None and 0 < rate <= _FASTEST_FPS)

    def seconds(self, index: int) -> float:
        """Time of a frame since the first one."""
        return float(int(self.pts[index] - self.pts[0]) * self.info.time_base)

    @property
    def title(self) -> str:
        """Name, size and length."""
        name, info = one_line(Path(self.path).name), self.info
        return f"{name} · {info.width} x {info.height} · {len(self)} frames"

    def frames(
        self, wanted: Callable[[int], bool] | None = None, *, moving: bool = False
    ) -> Generator[tuple[Picture, FrameMotion | None]]:
        """Yield the wanted pictures, with motion where it is asked for; make sure at the end that the masks are of this video.

        Raises
        ------
        UsageError
            The video has another number of frames than the masks.
        """
        count, counts = len(self), FrameCounts()
        with ExitStack() as stack:
            motion = self._motion(stack) if moving else None
            chosen = read_pictures(
                self.path, lambda i: i < count and (wanted is None or wanted(i)), counts, self.reading
            )
            for picture in stack.enter_context(closing(chosen)):
                yield picture, _skip_to(motion, picture.index)
            _skip_to(motion, count)  # a source may find out only at the end that there was no motion
        if counts.frames != count:
            raise UsageError(
                f"the masks cover {count} frames but {one_line(self.path)} has {counts.frames}; "
                "expected the masks of this very file"
            )

    def _motion(self, stack: ExitStack) -> Iterator[FrameMotion]:
        ref = VideoRef(Path(self.path).name, self.path, reading=self.reading)
        return stack.enter_context(self.source.open(ref, motion=True, luma=False)).frames


@dataclass(frozen=True, slots=True)
class Masks:
    """The masks of one scheme, and what to draw of them.

    Attributes
    ----------
    volume : MaskVolume
        Masks of every frame.
    layers : Layers
        What is drawn.
    peak : float
        Energy of the hottest colour.
    """

    volume: MaskVolume
    layers: Layers
    peak: float

    @classmethod
    def of(cls, volume: MaskVolume, layers: Layers) -> Masks:
        """Scale the colours of heat to a volume."""
        return cls(volume, layers, _peak(volume))

    def drawn(self, picture: UInt8, index: int, info: VideoInfo, motion: FrameMotion | None = None) -> UInt8:
        """Draw the masks of a frame on its picture, which may have any size."""
        height, width = picture.shape[:2]
        scale = np.tile([height / info.height, width / info.width], 2)
        return overlay(
            picture,
            mask=self.volume.mask[index],
            box=np.round(self.volume.box[index] * scale).astype(int).tolist(),
            energy=self._heat(index),
            arrows=None if motion is None else _arrows(motion, height, width),
            layers=self.layers,
        )

    def _heat(self, index: int) -> Float32 | None:
        if self.volume.energy is None or self.volume.energy_scale is None:
            return None
        return np.asarray(self.volume.energy[index] * (self.volume.energy_scale[index] / self.peak), np.float32)


def _peak(volume: MaskVolume) -> float:
    """Energy that is shown hottest: what hardly any frame exceeds, so that one burst does not dim all the others."""
    if volume.energy is None or volume.energy_scale is None:
        return 1.0
    highest = volume.energy.max(axis=(1, 2)) * volume.energy_scale
    return float(np.quantile(highest, _HOT)) or float(highest.max()) or 1.0


def _skip_to(motion: Iterator[FrameMotion] | None, index: int) -> FrameMotion | None:
    """Read motion as far as a frame; None where there is none."""
    return next((frame for frame in motion or () if frame.index == index), None)


def _arrows(motion: FrameMotion, height: int, width: int) -> Float32 | None:
    if motion.displacement is None or motion.coverage is None:
        return None
    arrows = arrows_of(motion.displacement, motion.coverage, motion.cell, motion.height, motion.width)
    scale = np.tile([height / motion.height, width / motion.width], 2)
    return np.asarray(arrows * scale, np.float32)
