"""Kinds of output: which there are, which frames they keep, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mgmtool.errors import UsageError, one_line
from mgmtool.files import written_whole
from mgmtool.types import UInt8

KINDS = (".mp4", ".gif", ".png")
GIF_FPS = 12.5
GIF_FRAMES = 600
"""Most frames of an animation: its writer holds them all, and viewers do too. A longer video is shown faster."""

Drawing = Callable[[Callable[[int], bool]], Generator[UInt8]]
"""Draws the frames of which a function says that they are wanted."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Options of one call that only some kinds of output look at.

    Attributes
    ----------
    frames : int
        Pictures of a sheet or strip.
    max_side : int or None
        Longest side of a picture in pixels; None for the usual one.
    fps : float or None
        Frame rate; None for that of the video.
    """

    frames: int
    max_side: int | None
    fps: float | None


def check_output(video: str | Path, output: str | Path) -> None:
    """Refuse an output of a kind that cannot be made, or that is the video itself, before any work is done.

    Raises
    ------
    UsageError
    """
    source, target = Path(video), Path(output)
    name = one_line(str(target))
    if target.suffix.lower() not in KINDS:
        raise UsageError(f"output {name} ends in {target.suffix!r}; expected one of {', '.join(KINDS)}")
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"output {name} is the video itself; expected another file")


def check_positive(**values: float | None) -> None:
    """Refuse numbers that are not more than 0.

    Raises
    ------
    UsageError
    """
    for name, value in values.items():
        if value is not None and not value > 0:
            raise UsageError(f"{name} is {value}; expected more than 0")


def spread(count: int, kept: int) -> list[int]:
    """Evenly spaced frame indices, each in the middle of its share."""
    return [(2 * k + 1) * count // (2 * kept) for k in range(kept)]


def kept_frames(count: int, rate: float, wanted: float | None) -> list[int]:
    """Choose the frames of an animation.

    Parameters
    ----------
    count, rate : int, float
        Frames of the video, and frames a second.
    wanted : float or None
        Frames of each second to keep; by default and at most :data:`GIF_FPS`.
    """
    kept = round(count * min(1.0, _gif_rate(wanted) / rate))
    return spread(count, min(max(1, kept), GIF_FRAMES))


def write_animation(target: Path, draw: Drawing, kept: list[int], rate: float, wanted: float | None) -> None:
    """Write an animation of the kept frames that loops forever, at the speed of the video."""
    # A GIF counts in hundredths of a second: rounding the times rather than the durations keeps the speed right.
    ends = np.round(np.arange(len(kept) + 1) * 100 / min(rate, _gif_rate(wanted)))
    shown_ms = (10 * np.diff(ends)).astype(int).tolist()
    with written_whole(target) as partial, closing(draw(frozenset(kept).__contains__)) as pictures:
        images = (Image.fromarray(picture) for picture in pictures)
        first = next(images)
        first.save(partial, format="GIF", save_all=True, append_images=images, duration=shown_ms, loop=0, optimize=True)


def write_png(target: Path, picture: UInt8) -> None:
    """Write one picture."""
    with written_whole(target) as partial:
        Image.fromarray(picture).save(partial, format="PNG")


def _gif_rate(wanted: float | None) -> float:
    return min(wanted or GIF_FPS, GIF_FPS)
