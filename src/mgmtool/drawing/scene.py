"""One path from masks to a file: the frames of a video, the schemes to draw on them, and the layout of the output."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mgmtool.drawing.contenders import CLIP_FRAMES, CLIP_TUBELET
from mgmtool.drawing.footage import Footage
from mgmtool.drawing.outputs import OutputOptions, animation_frames, spread, write_animation, write_png
from mgmtool.drawing.overlay import Layers, fitted, resize
from mgmtool.drawing.painter import MaskPainter
from mgmtool.drawing.panels import Panels
from mgmtool.drawing.sheet import caption, contact_sheet, plan_sheet
from mgmtool.drawing.strips import Strip, plan_strips, strip_sheet
from mgmtool.types import MaskVolume, UInt8
from mgmtool.video.encode import write_video

VIDEO_SIDE, GIF_SIDE = 1280, 480
"""Longest side of the frames of one scheme, in pixels."""

PANELS_WIDTH, GIF_PANELS_WIDTH = 1920, 720
"""Width of all panels together, in pixels."""


@dataclass(frozen=True, slots=True)
class DrawnScheme:
    """A scheme to draw.

    Attributes
    ----------
    masks : callable
        Takes the frames that are shown, how many of them make a clip, and how many a tubelet; returns masks of the whole video.
        Only the masks of schemes for clips depend on these.
    label : str or None
        How images name it; None for one that is drawn by itself, without a label.
    clips_only : bool
        Whether the scheme masks clips: the frames that are not shown have no masks, and no frame has a box.
    """

    masks: Callable[[Sequence[int], int, int], MaskVolume]
    label: str | None = None
    clips_only: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """The frames of a video, and the schemes to draw on them.

    A scheme without a label is the only one: its frames fill the output, without panels and strips.

    Attributes
    ----------
    footage : Footage
        The frames.
    schemes : sequence of DrawnScheme
        At least one.
    layers : Layers
        What to draw.
    options : OutputOptions
        How many frames, how large and how fast.
    """

    footage: Footage
    schemes: Sequence[DrawnScheme]
    layers: Layers
    options: OutputOptions

    def write(self, target: Path) -> Path:
        """Write the kind of output that the suffix selects; returns the path.

        Raises
        ------
        UsageError
            The video has another number of frames than the masks.
        OutputError
            The output cannot be written.
        VideoError
            The video cannot be read.
        """
        suffix, fps = target.suffix.lower(), self.footage.fps
        if suffix == ".png":
            write_png(target, self.sheet())
        elif suffix == ".gif":
            kept = animation_frames(len(self.footage), float(fps), self.options.fps)
            panels = self.panels(GIF_SIDE, GIF_PANELS_WIDTH)
            write_animation(target, partial(self.images, panels, kept), kept, float(fps), self.options.fps)
        else:
            panels = self.panels(VIDEO_SIDE, PANELS_WIDTH)
            with closing(self.images(panels, range(len(self.footage)))) as images:
                write_video(target, images, self.options.fps or fps)
        return target

    def panels(self, side: int, panels_width: int) -> Panels:
        """Plan the images of a video: by default one frame with sides up to ``side``, or panels up to ``panels_width`` wide."""
        labels = [scheme.label for scheme in self.schemes if scheme.label is not None]
        if not labels:
            return Panels.alone(*fitted(*self.footage.shape, self.options.max_side or side))
        return Panels.of(labels, *self.footage.shape, self.options.max_side, panels_width)

    def images(
        self, panels: Panels, shown: Sequence[int], wanted: Callable[[int], bool] | None = None
    ) -> Generator[UInt8]:
        """Yield the images of a video; ``shown`` lists the wanted frames, of which clips are made."""
        painters = self.painters(shown, CLIP_FRAMES, CLIP_TUBELET)
        with closing(self.drawn(painters, panels.height, panels.width, wanted)) as chosen:
            for frames in chosen:
                yield panels.filled(frames)

    def painters(self, shown: Sequence[int], clip_frames: int, tubelet: int) -> list[MaskPainter]:
        """Compute the masks of every scheme; see :attr:`DrawnScheme.masks`."""
        return [MaskPainter.of(scheme.masks(shown, clip_frames, tubelet), self.layers) for scheme in self.schemes]

    def drawn(
        self, painters: Sequence[MaskPainter], height: int, width: int, wanted: Callable[[int], bool] | None
    ) -> Generator[list[UInt8]]:
        """Yield the wanted frames, resized and drawn once for every scheme."""
        with closing(self.footage.frames(wanted, moving=self.layers.arrows)) as chosen:
            for frame, motion in chosen:
                small = resize(frame.rgb, height, width)
                yield [painter.paint(small, frame.index, self.footage.shape, motion) for painter in painters]

    def sheet(self) -> UInt8:
        """Draw evenly spaced frames: a contact sheet of one scheme, or a strip for each of several."""
        footage, most = self.footage, self.options.max_side
        shown = spread(len(footage), min(self.options.frames, len(footage)))
        painters = self.painters(shown, len(shown), 1)
        captions = [[caption(i, footage.seconds(i), int(each.volume.flags[i])) for i in shown] for each in painters]
        if self.schemes[0].label is None:
            grid = plan_sheet(len(shown), *footage.shape, max_side=most)
            (frames,) = self.chosen_frames(painters, shown, grid.height, grid.width)
            title = f"{footage.title} · {painters[0].volume.mask.mean():.0%} of the patches hidden"
            return contact_sheet(frames, captions[0], grid.columns, title, most)
        plan, strips = plan_strips(len(shown), *footage.shape, most), list[Strip]()
        columns = self.chosen_frames(painters, shown, plan.height, plan.width)
        for scheme, painter, frames, marks in zip(self.schemes, painters, columns, captions, strict=True):
            hidden = f"{painter.volume.mask[shown].mean():.0%} of the patches hidden"
            remark = f"{hidden}; clips only: these frames as one clip" if scheme.clips_only else hidden
            strips.append(Strip(scheme.label or "", frames, remark, [] if scheme.clips_only else marks))
        return strip_sheet(strips, [words.text for words in captions[0]], plan, footage.title)

    def chosen_frames(
        self, painters: Sequence[MaskPainter], indices: Sequence[int], height: int, width: int
    ) -> list[tuple[UInt8, ...]]:
        """Return, for every scheme, the frames of these indices, resized and drawn."""
        with closing(self.drawn(painters, height, width, frozenset(indices).__contains__)) as drawn:
            return list(zip(*drawn, strict=True))
