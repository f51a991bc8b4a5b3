"""Kinds of output: which there are, which frames they show, and how they are written."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mgmtool.errors import UsageError, one_line
from mgmtool.types import UInt8
from mgmtool.video.encode import written_whole

KINDS = (".mp4", ".gif", ".png")
GIF_FPS = 12.5
GIF_FRAMES = 600
"""Most frames of an animation: its writer holds them all, and viewers do too. A longer video is shown faster."""

DrawFrames = Callable[[Callable[[int], bool]], Generator[UInt8]]
"""Draws the frames whose index a function accepts."""


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Options that only some kinds of output use.

    Attributes
    ----------
    frames : int
        Frames on a sheet, or in each strip of one.
    max_side : int or None
        Longest side of each frame in pixels; None for the usual one.
    fps : float or None
        Frame rate; None for that of the video.
    """

    frames: int
    max_side: int | None
    fps: float | None

    def check(self) -> None:
        """Refuse numbers that are not positive.

        Raises
        ------
        UsageError
        """
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"{name} is {value}; expected more than 0")


def check_output(video: str | Path, output: str | Path) -> None:
    """Refuse an output of an unknown kind, or one that is the video itself, before any work is done.

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


def spread(count: int, kept: int) -> list[int]:
    """Return evenly spaced frame indices, each in the middle of its share."""
    return [(2 * k + 1) * count // (2 * kept) for k in range(kept)]


def animation_frames(count: int, rate: float, wanted: float | None) -> list[int]:
    """Choose the frames of an animation.

    Parameters
    ----------
    count : int
        Frames of the video.
    rate : float
        Frames per second of the video.
    wanted : float or None
        Frames per second to keep; by default and at most :data:`GIF_FPS`.
    """
    kept = round(count * min(1.0, _gif_rate(wanted) / rate))
    return spread(count, min(max(1, kept), GIF_FRAMES))


def write_animation(target: Path, draw: DrawFrames, kept: list[int], rate: float, wanted: float | None) -> None:
    """Write the kept frames as a GIF that loops forever at the speed of the video.

    Parameters
    ----------
    target : Path
        File to write; it appears once it is complete.
    draw : callable
        Draws the frames that are kept.
    kept, rate, wanted
        The result and the parameters of :func:`animation_frames`.
    """
    # A GIF counts in hundredths of a second: rounding the times rather than the durations keeps the speed right.
    ends = np.round(np.arange(len(kept) + 1) * 100 / min(rate, _gif_rate(wanted)))
    shown_ms = (10 * np.diff(ends)).astype(int).tolist()
    with written_whole(target) as partial, closing(draw(frozenset(kept).__contains__)) as frames:
        images = (Image.fromarray(frame) for frame in frames)
        first = next(images)
        first.save(partial, format="GIF", save_all=True, append_images=images, duration=shown_ms, loop=0, optimize=True)


def write_png(target: Path, image: UInt8) -> None:
    """Write an image; the file appears once it is complete."""
    with written_whole(target) as partial:
        Image.fromarray(image).save(partial, format="PNG")


def webp_bytes(frames: Sequence[UInt8], quality: int, shown_ms: int = 0) -> bytes:
    """Encode one frame as a WebP image, or several as an animation that loops forever.

    Parameters
    ----------
    frames : sequence of uint8 (height, width, 3)
        At least one, all of one size.
    quality : int
        0 to 100.
    shown_ms : int
        How long each frame of an animation is shown, in milliseconds; 0 for a still image of the first frame.
    """
    first, *rest = map(Image.fromarray, frames)
    animated = {"save_all": True, "loop": 0, "append_images": rest, "duration": shown_ms} if shown_ms else {}
    file = io.BytesIO()
    first.save(file, format="WEBP", quality=quality, method=4, **animated)
    return file.getvalue()


def _gif_rate(wanted: float | None) -> float:
    return min(wanted or GIF_FPS, GIF_FPS)
