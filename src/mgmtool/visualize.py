"""A video and its masks, as something to look at: a film, an animation, or a contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from mgmtool import sources
from mgmtool.errors import UsageError, one_line
from mgmtool.render import Layers, arrows_of, caption, contact_sheet, fitted, overlay, plan_sheet, resize
from mgmtool.sources import Source
from mgmtool.types import Float32, FrameMotion, MaskVolume, Reading, UInt8, VideoInfo, VideoRef
from mgmtool.video.decoding import Tally
from mgmtool.video.encode import write_video, written_whole
from mgmtool.video.pictures import Picture, read_pictures
from mgmtool.video.reader import read_video

__all__ = ["Layers", "check_output", "visualize"]

FILM_SIDE = 1280
GIF_SIDE = 480
GIF_FPS = 12.5
GIF_FRAMES = 600
"""Most frames of an animation: its writer holds them all, and viewers do too. A longer video is shown faster."""

_USUAL_FPS = Fraction(25)
_FASTEST_FPS = 240
_HOT = 0.98


def visualize(
    video: str | Path,
    output: str | Path,
    *,
    volume: MaskVolume,
    layers: Layers | None = None,
    frames: int = 12,
    max_side: int | None = None,
    fps: float | None = None,
    motion: Source | None = None,
    reading: Reading | None = None,
) -> Path:
    """Draw the masks of a video on its pictures.

    The ending of the output decides what is made. ``.mp4``: every frame. ``.gif``: an animation that loops forever, of evenly
    spaced frames, at most 600. ``.png``: a contact sheet. Memory does not grow with the length of the video.

    Parameters
    ----------
    video : path
        A local video file.
    output : path
        File to write; it appears once it is whole.
    volume : MaskVolume
        Masks of every frame of this very video.
    layers : Layers, optional
        What to draw; by default all but arrows.
    frames : int
        Pictures on a contact sheet; evenly spaced, each in the middle of its share of the video.
    max_side : int, optional
        Longest side of a picture in pixels; by default 1280 for mp4, 480 for gif, and what fills a sheet of 1600 pixels for
        png. Films and animations are never enlarged.
    fps : float, optional
        Frames a second. Of a film: its speed; by default that of the video. Of an animation: how many frames are kept of each
        second, by default and at most 12.5.
    motion : Source, optional
        Where arrows come from; by default ``auto``. Asked only if there are arrows to draw.
    reading : Reading, optional
        Which stream is drawn, and the limits of the file; those of the masks.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    UsageError
        An output of another kind, a number out of range, or a volume of another number of frames than the video.
    OutputError
        The output cannot be written.
    VideoError
        The video cannot be read, or arrows were asked for and it has no motion vectors.
    """
    target = Path(output)
    check_output(video, target)
    _check(volume, frames=frames, max_side=max_side, fps=fps)
    reading = reading or Reading()
    with read_video(str(video), reading) as opened:
        info = opened.info
    scene = _Scene(
        str(video), reading, info, volume, layers or Layers(), motion or sources.build("auto"), _peak(volume)
    )
    _WRITERS[target.suffix.lower()](scene, target, _Wishes(frames, max_side, fps))
    return target


def check_output(video: str | Path, output: str | Path) -> None:
    """Refuse an output of a kind that cannot be made, or that is the video itself, before any work is done.

    Raises
    ------
    UsageError
    """
    source, target = Path(video), Path(output)
    name = one_line(str(target))
    if target.suffix.lower() not in _WRITERS:
        raise UsageError(f"output {name} ends in {target.suffix!r}; expected one of {', '.join(_WRITERS)}")
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"output {name} is the video itself; expected another file")


@dataclass(frozen=True, slots=True)
class _Wishes:
    """Options of one call that only some kinds of output look at."""

    frames: int
    max_side: int | None
    fps: float | None


@dataclass(frozen=True, slots=True)
class _Scene:
    """A video, its masks, and what to draw of them."""

    path: str
    reading: Reading
    info: VideoInfo
    volume: MaskVolume
    layers: Layers
    source: Source
    peak: float

    @property
    def fps(self) -> Fraction:
        """Mean frame rate by the time stamps, or what the container says where they do not serve."""
        pts, said = self.volume.pts, self.info.fps
        span = int(pts[-1] - pts[0]) * self.info.time_base
        measured = (len(pts) - 1) / span if span > 0 else Fraction(0)
        near = said is not None and abs(said - measured) <= measured / 100
        rates = (said if near else measured, said, _USUAL_FPS)
        return next(rate for rate in rates if rate is not None and 0 < rate <= _FASTEST_FPS)

    def seconds(self, index: int) -> float:
        """Time of a frame since the first one."""
        return float(int(self.volume.pts[index] - self.volume.pts[0]) * self.info.time_base)

    @property
    def title(self) -> str:
        """What stands above a contact sheet."""
        name, info, hidden = one_line(Path(self.path).name), self.info, self.volume.mask.mean()
        return f"{name} · {info.width} x {info.height} · {len(self.volume)} frames · {hidden:.0%} of the patches hidden"

    def drawn(self, height: int, width: int, wanted: Callable[[int], bool] | None = None) -> Generator[UInt8]:
        """Yield the wanted frames, drawn at a size; at the end make sure that the masks belong to the video."""
        count, tally = len(self.volume), Tally()
        with ExitStack() as stack:
            motion = self._motion(stack)
            chosen = read_pictures(
                self.path, lambda i: i < count and (wanted is None or wanted(i)), tally, self.reading
            )
            for picture in stack.enter_context(closing(chosen)):
                yield self._draw(picture, height, width, _skip_to(motion, picture.index))
            _skip_to(motion, count)  # a source may find out only at the end that there was no motion
        if tally.frames != count:
            raise UsageError(
                f"the masks cover {count} frames but {one_line(self.path)} has {tally.frames}; "
                "expected the masks of this very file"
            )

    def _motion(self, stack: ExitStack) -> Iterator[FrameMotion] | None:
        if not self.layers.arrows:
            return None
        ref = VideoRef(Path(self.path).name, self.path, reading=self.reading)
        return stack.enter_context(self.source.open(ref, motion=True, luma=False)).frames

    def _draw(self, picture: Picture, height: int, width: int, motion: FrameMotion | None) -> UInt8:
        volume, i = self.volume, picture.index
        scale = np.array([height / self.info.height, width / self.info.width])
        return overlay(
            resize(picture.rgb, height, width),
            mask=volume.mask[i],
            box=np.round(volume.box[i] * np.tile(scale, 2)).astype(int).tolist(),
            energy=self._heat(i),
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


def _write_film(scene: _Scene, target: Path, wishes: _Wishes) -> None:
    height, width = fitted(scene.info.height, scene.info.width, wishes.max_side or FILM_SIDE)
    with closing(scene.drawn(height, width)) as pictures:
        write_video(target, pictures, wishes.fps or scene.fps)


def _write_animation(scene: _Scene, target: Path, wishes: _Wishes) -> None:
    height, width = fitted(scene.info.height, scene.info.width, wishes.max_side or GIF_SIDE)
    kept, shown_ms = _thin_out(len(scene.volume), float(scene.fps), min(wishes.fps or GIF_FPS, GIF_FPS))
    with written_whole(target) as partial, closing(scene.drawn(height, width, kept.__contains__)) as pictures:
        images = (Image.fromarray(picture) for picture in pictures)
        first = next(images)
        first.save(partial, format="GIF", save_all=True, append_images=images, duration=shown_ms, loop=0, optimize=True)


def _thin_out(count: int, rate: float, wanted_rate: float) -> tuple[frozenset[int], list[int]]:
    """Choose the frames of an animation, and how long each is shown in milliseconds."""
    kept = min(max(1, round(count * min(1.0, wanted_rate / rate))), GIF_FRAMES)
    rate = min(rate, wanted_rate)
    # A GIF counts in hundredths of a second: rounding the times rather than the durations keeps the speed right.
    ends = np.round(np.arange(kept + 1) * 100 / rate)
    return frozenset(_spread(count, kept)), (10 * np.diff(ends)).astype(int).tolist()


def _spread(count: int, kept: int) -> list[int]:
    """Evenly spaced frame indices, each in the middle of its share."""
    return [(2 * k + 1) * count // (2 * kept) for k in range(kept)]


def _write_sheet(scene: _Scene, target: Path, wishes: _Wishes) -> None:
    count = len(scene.volume)
    chosen = _spread(count, min(wishes.frames, count))
    plan = plan_sheet(len(chosen), scene.info.height, scene.info.width, max_side=wishes.max_side)
    with closing(scene.drawn(plan.height, plan.width, frozenset(chosen).__contains__)) as drawn:
        pictures = list(drawn)
    captions = [caption(i, scene.seconds(i), int(scene.volume.flags[i])) for i in chosen]
    sheet = contact_sheet(pictures, captions, plan.columns, scene.title, wishes.max_side)
    with written_whole(target) as partial:
        Image.fromarray(sheet).save(partial, format="PNG")


_WRITERS: dict[str, Callable[[_Scene, Path, _Wishes], None]] = {
    ".mp4": _write_film,
    ".gif": _write_animation,
    ".png": _write_sheet,
}


def _check(volume: MaskVolume, **positive: float | None) -> None:
    for name, value in positive.items():
        if value is not None and not value > 0:
            raise UsageError(f"{name} is {value}; expected more than 0")
    if not len(volume):
        raise UsageError("the masks cover 0 frames; expected those of a video")
