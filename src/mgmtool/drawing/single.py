"""The masks of one scheme, drawn over their video."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mgmtool import sources
from mgmtool.drawing.footage import Footage, Masks
from mgmtool.drawing.outputs import (
    Wishes,
    check_output,
    check_positive,
    kept_frames,
    spread,
    write_animation,
    write_png,
)
from mgmtool.drawing.overlay import Layers, fitted, resize
from mgmtool.drawing.sheet import caption, contact_sheet, plan_sheet
from mgmtool.errors import UsageError
from mgmtool.sources import Source
from mgmtool.types import DecodeOptions, MaskVolume, UInt8
from mgmtool.video.encode import write_video
from mgmtool.video.reader import read_video

FILM_SIDE = 1280
GIF_SIDE = 480


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
    reading: DecodeOptions | None = None,
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
    reading : DecodeOptions, optional
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
    target, reading = Path(output), reading or DecodeOptions()
    check_output(video, target)
    check_positive(frames=frames, max_side=max_side, fps=fps)
    if not len(volume):
        raise UsageError("the masks cover 0 frames; expected those of a video")
    with read_video(str(video), reading) as opened:
        info = opened.info
    footage = Footage(str(video), reading, info, volume.pts, motion or sources.build("auto"))
    scene = _Scene(footage, Masks.of(volume, layers or Layers()))
    _WRITERS[target.suffix.lower()](scene, target, Wishes(frames, max_side, fps))
    return target


@dataclass(frozen=True, slots=True)
class _Scene:
    footage: Footage
    masks: Masks

    def drawn(self, height: int, width: int, wanted: Callable[[int], bool] | None = None) -> Generator[UInt8]:
        """Yield the wanted frames, drawn at a size."""
        chosen = self.footage.frames(wanted, moving=self.masks.layers.arrows)
        with closing(chosen):
            for picture, motion in chosen:
                small = resize(picture.rgb, height, width)
                yield self.masks.drawn(small, picture.index, self.footage.info, motion)

    def fitted(self, max_side: int) -> tuple[int, int]:
        return fitted(self.footage.info.height, self.footage.info.width, max_side)


def _write_film(scene: _Scene, target: Path, wishes: Wishes) -> None:
    with closing(scene.drawn(*scene.fitted(wishes.max_side or FILM_SIDE))) as pictures:
        write_video(target, pictures, wishes.fps or scene.footage.fps)


def _write_animation(scene: _Scene, target: Path, wishes: Wishes) -> None:
    height, width = scene.fitted(wishes.max_side or GIF_SIDE)
    rate = float(scene.footage.fps)
    kept = kept_frames(len(scene.footage), rate, wishes.fps)
    write_animation(target, lambda wanted: scene.drawn(height, width, wanted), kept, rate, wishes.fps)


def _write_sheet(scene: _Scene, target: Path, wishes: Wishes) -> None:
    footage, volume = scene.footage, scene.masks.volume
    chosen = spread(len(footage), min(wishes.frames, len(footage)))
    plan = plan_sheet(len(chosen), footage.info.height, footage.info.width, max_side=wishes.max_side)
    with closing(scene.drawn(plan.height, plan.width, frozenset(chosen).__contains__)) as drawn:
        pictures = list(drawn)
    captions = [caption(i, footage.seconds(i), int(volume.flags[i])) for i in chosen]
    title = f"{footage.title} · {volume.mask.mean():.0%} of the patches hidden"
    write_png(target, contact_sheet(pictures, captions, plan.columns, title, wishes.max_side))


_WRITERS: dict[str, Callable[[_Scene, Path, Wishes], None]] = {
    ".mp4": _write_film,
    ".gif": _write_animation,
    ".png": _write_sheet,
}
