"""Several schemes side by side, on the same frames of a video."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mgmtool.drawing.contenders import CLIP_FRAMES, CLIP_TUBELET, clip_masks, masks_of, times_of
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
from mgmtool.drawing.overlay import Layers, resize
from mgmtool.drawing.panels import Panels
from mgmtool.drawing.sheet import caption
from mgmtool.drawing.strips import Strip, plan_strips, strip_sheet
from mgmtool.errors import UsageError
from mgmtool.extraction.contender import Contender
from mgmtool.types import MaskVolume, UInt8, VideoRef
from mgmtool.video.encode import write_video
from mgmtool.video.reader import read_video

FILM_WIDTH = 1920
GIF_WIDTH = 720


def compare(
    video: VideoRef,
    output: str | Path,
    compared: Sequence[Contender],
    *,
    layers: Layers | None = None,
    frames: int = 6,
    max_side: int | None = None,
    fps: float | None = None,
) -> Path:
    """Draw the masks of several schemes on the same frames.

    The ending of the output decides what is made. ``.png``: a strip of evenly spaced frames for each scheme. ``.mp4``, ``.gif``:
    a film or an animation with a panel for each scheme. The video is decoded once for each scheme that has mask volumes, and
    once for its pictures, of which a film holds one at a time. Schemes that are for clips only hide tokens of the frames that
    are shown: of a sheet, those are one clip, each frame a tubelet; of a film or an animation, every 16 are a clip of 8 tubelets.

    Parameters
    ----------
    video : VideoRef
        A local video file; its id decides what is random.
    output : path
        File to write; it appears once it is whole.
    compared : sequence of Contender
        The schemes, see :func:`mgmtool.drawing.read_contenders`; all with the same source and reading.
    layers : Layers, optional
        What to draw; by default all but arrows.
    frames : int
        Pictures in each strip of a sheet.
    max_side : int, optional
        Longest side of each picture; by default whatever makes a sheet 1600 pixels wide, a film 1920 at most, an animation 720.
    fps : float, optional
        As of :func:`mgmtool.drawing.visualize`.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    UsageError
        Nothing to compare, an output of another kind, or a number out of range.
    OutputError
        The output cannot be written.
    VideoError
        The video cannot be read, or a scheme cannot be used on it.
    """
    target = Path(output)
    check_output(video.path, target)
    check_positive(frames=frames, max_side=max_side, fps=fps)
    if not compared:
        raise UsageError("no scheme to compare; expected at least one")
    bench = _Bench.of(video, compared, layers or Layers(dark=True), Wishes(frames, max_side, fps))
    _WRITERS[target.suffix.lower()](bench, target)
    return target


@dataclass(frozen=True, slots=True)
class _Bench:
    """A video, and the masks of every scheme that has mask volumes."""

    video: VideoRef
    footage: Footage
    compared: Sequence[Contender]
    volumes: Sequence[MaskVolume | None]
    times: MaskVolume
    layers: Layers
    wishes: Wishes

    @classmethod
    def of(cls, video: VideoRef, compared: Sequence[Contender], layers: Layers, wishes: Wishes) -> _Bench:
        spec = compared[0].spec
        with read_video(video.path, spec.reading) as opened:
            info = opened.info
        volumes = masks_of(video, compared)
        known = next((volume for volume in volumes if volume is not None), None)
        times = times_of(video, spec) if known is None else known
        footage = Footage(video.path, spec.reading, info, times.pts, compared[0].recipe.source)
        return cls(video, footage, compared, volumes, times, layers, wishes)

    @property
    def labels(self) -> list[str]:
        return [contender.label for contender in self.compared]

    def masks(self, shown: Sequence[int], frames: int, tubelet: int) -> list[Masks]:
        """Masks of every scheme; of those for clips only, in clips of shown frames."""
        found = (
            clip_masks(self.video, contender, self.times, shown, frames, tubelet) if volume is None else volume
            for contender, volume in zip(self.compared, self.volumes, strict=True)
        )
        return [Masks.of(volume, self.layers) for volume in found]

    def drawn(
        self, masks: Sequence[Masks], height: int, width: int, wanted: Callable[[int], bool] | None = None
    ) -> Generator[list[UInt8]]:
        """Yield the wanted frames, drawn for every scheme."""
        with closing(self.footage.frames(wanted, moving=self.layers.arrows)) as chosen:
            for picture, motion in chosen:
                small = resize(picture.rgb, height, width)
                yield [each.drawn(small, picture.index, self.footage.info, motion) for each in masks]

    def panels(self, whole_side: int) -> Panels:
        info = self.footage.info
        return Panels.of(self.labels, info.height, info.width, self.wishes.max_side, whole_side)

    def film(self, panels: Panels, shown: Sequence[int], wanted: Callable[[int], bool] | None) -> Generator[UInt8]:
        masks = self.masks(shown, CLIP_FRAMES, CLIP_TUBELET)
        with closing(self.drawn(masks, panels.height, panels.width, wanted)) as chosen:
            for pictures in chosen:
                yield panels.filled(pictures)


def _write_film(bench: _Bench, target: Path) -> None:
    every = range(len(bench.footage))
    with closing(bench.film(bench.panels(FILM_WIDTH), every, None)) as pictures:
        write_video(target, pictures, bench.wishes.fps or bench.footage.fps)


def _write_animation(bench: _Bench, target: Path) -> None:
    rate, wanted_rate = float(bench.footage.fps), bench.wishes.fps
    kept, panels = kept_frames(len(bench.footage), rate, wanted_rate), bench.panels(GIF_WIDTH)
    write_animation(target, lambda wanted: bench.film(panels, kept, wanted), kept, rate, wanted_rate)


def _write_sheet(bench: _Bench, target: Path) -> None:
    footage, wishes = bench.footage, bench.wishes
    shown = spread(len(footage), min(wishes.frames, len(footage)))
    masks = bench.masks(shown, frames=len(shown), tubelet=1)
    plan = plan_strips(len(shown), footage.info.height, footage.info.width, wishes.max_side)
    with closing(bench.drawn(masks, plan.height, plan.width, frozenset(shown).__contains__)) as drawn:
        moments = list(drawn)
    strips = [
        _strip(contender, each, [moment[k] for moment in moments], shown)
        for k, (contender, each) in enumerate(zip(bench.compared, masks, strict=True))
    ]
    times = [caption(i, footage.seconds(i), 0).text for i in shown]
    write_png(target, strip_sheet(strips, times, plan, footage.title))


def _strip(contender: Contender, masks: Masks, pictures: Sequence[UInt8], shown: Sequence[int]) -> Strip:
    """Label the pictures of a scheme; its marks say why a box is where it is."""
    volume = masks.volume
    hidden = f"{volume.mask[shown].mean():.0%} of the patches hidden"
    remark = hidden if contender.volumes else f"{hidden}; clips only: these frames as one clip"
    marks = [caption(i, 0.0, int(volume.flags[i])) for i in shown] if contender.volumes else []
    return Strip(contender.label, pictures, remark, marks)


_WRITERS: dict[str, Callable[[_Bench, Path], None]] = {
    ".mp4": _write_film,
    ".gif": _write_animation,
    ".png": _write_sheet,
}
