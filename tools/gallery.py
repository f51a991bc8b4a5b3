"""Draw the images of docs/pictures from a demo clip: every scheme, ratios, grids and the strip of the README.

The clip is Big Buck Bunny, (c) copyright Blender Foundation, www.bigbuckbunny.org, under CC BY 3.0: its frames may be
redistributed with that line, see docs/pictures/LICENSE.txt.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mgmtool import masking
from mgmtool.drawing import Layers, MaskPainter, Strip, StripPlan, plan_strips, resize, strip_sheet
from mgmtool.drawing.contenders import Contender, clip_masks, times_of
from mgmtool.extraction.recipe import Recipe
from mgmtool.extraction.stream import whole_video
from mgmtool.types import ExtractSpec, MaskVolume, PatchGrid, UInt8, VideoRef
from mgmtool.video.encode import written_whole
from mgmtool.video.pictures import read_pictures
from mgmtool.video.reader import read_video

WIDTH, CHOICES_WIDTH = 1200, 1000
QUALITY = 76
RATIO = 0.25
"""Mask ratio of most images: a box of 7x7 of 14x14 tokens, which leaves enough to see what is hidden."""

FRAMES = (8, 24, 41, 101)
DRAWN = Layers(dark=True)
BUNNY = {8: (265, 160, 565, 525), 24: (180, 160, 600, 590), 41: (20, 220, 600, 700), 101: (80, 160, 630, 615)}
"""Where the rabbit is, drawn by hand: frame index to y0 x0 y1 x1 in pixels, linear in between."""

_YELLOW = (255, 214, 64)


@dataclass(frozen=True)
class Example:
    """How the image of one scheme differs from those of the others."""

    ratio: float = RATIO
    frames: Sequence[int] = FRAMES
    clip: bool = False
    options: dict[str, float] = field(default_factory=dict)


IN_A_ROW = tuple(range(40, 44))
EXAMPLES = {
    "cube": Example(clip=True),
    "frame": Example(0.5, clip=True),
    "multi-block": Example(0.75),
    "random": Example(clip=True),
    "running-cell": Example(0.5, IN_A_ROW),
    "weighted-motion": Example(options={"tau": 4.0}),
}
"""``clip``: the shown frames are one clip, each a tubelet. Those of ``running-cell`` are consecutive, to show it move."""


class Gallery:
    """The clip, and its frames at the size they have on a sheet."""

    def __init__(self, clip: Path, tracks: Path) -> None:
        self.video = VideoRef(clip.name, str(clip))
        with read_video(str(clip)) as opened:
            self.shape = opened.info.height, opened.info.width
        self.tracks = tracks
        wanted = {*FRAMES, *IN_A_ROW}
        self.frames = {frame.index: frame.rgb for frame in read_pictures(str(clip), wanted.__contains__)}

    def plan(self, columns: int, width: int = WIDTH) -> StripPlan:
        """Plan a sheet with a number of columns."""
        return plan_strips(columns, *self.shape, sheet_width=width)

    def small(self, index: int, plan: StripPlan) -> UInt8:
        """Return a frame at the size it has on a sheet."""
        return resize(self.frames[index], plan.height, plan.width)

    def masks(self, spec: ExtractSpec, shown: Sequence[int] = FRAMES, *, clip: bool = False) -> MaskPainter:
        """Compute masks, of the whole video or of the shown frames as one clip."""
        if clip:
            contender, like = Contender(spec.scheme, Recipe.of(spec, clips=True)), times_of(self.video, spec)
            return MaskPainter.of(clip_masks(self.video, contender, like, shown, len(shown), tubelet=1), DRAWN)
        return MaskPainter.of(whole_video(self.video, spec)[0], DRAWN)

    def scheme(self, name: str) -> UInt8:
        """Draw the strip of a scheme."""
        example = EXAMPLES.get(name, Example())
        options = {"tracks_file": str(self.tracks)} if name == "boxes" else example.options
        spec = ExtractSpec(scheme=name, scheme_options=options, ratio=example.ratio)
        masks, plan = self.masks(spec, example.frames, clip=example.clip), self.plan(len(example.frames))
        drawn = [masks.paint(self.small(i, plan), i, self.shape) for i in example.frames]
        if name == "boxes":
            drawn = [self.with_truth(image, i) for image, i in zip(drawn, example.frames, strict=True)]
        heads = [f"frame {i} · {hidden(masks.volume, i)}" for i in example.frames]
        said = "".join(f" · {key} {value:g}" for key, value in example.options.items())
        return strip_sheet([Strip("", drawn)], heads, plan, f"{name} · ratio {example.ratio:g}{said}")

    def with_truth(self, image: UInt8, index: int) -> UInt8:
        """Outline where the rabbit is according to the file of tracks."""
        outlined = Image.fromarray(image)
        scale = image.shape[0] / self.shape[0]
        y0, x0, y1, x1 = (scale * side for side in BUNNY[index])
        ImageDraw.Draw(outlined).rectangle((x0, y0, x1, y1), outline=_YELLOW, width=2)
        return np.asarray(outlined)

    def choices(self, choices: dict[str, ExtractSpec], schemes: Sequence[str], index: int) -> UInt8:
        """Draw one frame with every choice, in a strip for each scheme."""
        plan = self.plan(len(choices), CHOICES_WIDTH)
        strips, frame = [], self.small(index, plan)
        for scheme in schemes:
            masks = [self.masks(replace(spec, scheme=scheme)) for spec in choices.values()]
            strips.append(Strip(scheme, [each.paint(frame, index, self.shape) for each in masks]))
        counts = (hidden(each.volume, index) for each in masks)  # the same for all schemes
        return strip_sheet(strips, [f"{words} · {count}" for words, count in zip(choices, counts, strict=True)], plan)

    def glance(self, indices: Sequence[int]) -> UInt8:
        """Draw the strip of the README: the frame, its energy, and masks of three schemes."""
        specs = {name: ExtractSpec(scheme=name, ratio=RATIO) for name in ("motion-guided", "tube", "random")}
        masks = {name: self.masks(spec) for name, spec in specs.items()}
        warm = MaskPainter.of(masks["motion-guided"].volume, Layers(mask=False, box=False))
        plan = replace(self.plan(2 + len(masks)), size=20)
        strips = []
        for index in indices:
            frame = self.small(index, plan)
            drawn = [each.paint(frame, index, self.shape) for each in (warm, *masks.values())]
            strips.append(Strip("", [frame, *drawn]))
        return strip_sheet(strips, ["video", "energy: what moves", *masks], plan)


def hidden(volume: MaskVolume, index: int) -> str:
    """Describe how many tokens of a frame are hidden."""
    return f"{int(volume.mask[index].sum())} of {volume.mask[index].size} hidden"


def write_tracks(path: Path, frames: int) -> None:
    """Write the rabbit's boxes as MOT text, one row per frame."""
    keys = sorted(BUNNY)
    sides = [np.interp(range(frames), keys, [BUNNY[key][side] for key in keys]) for side in range(4)]
    rows = [
        f"{i + 1},1,{x0:.0f},{y0:.0f},{x1 - x0:.0f},{y1 - y0:.0f},1"
        for i, (y0, x0, y1, x1) in enumerate(zip(*sides, strict=True))
    ]
    path.write_text("\n".join(rows) + "\n", "utf-8")


def save(image: UInt8, path: Path) -> None:
    """Write an image as JPEG and print its size."""
    with written_whole(path) as partial:
        Image.fromarray(image).save(partial, format="JPEG", quality=QUALITY, optimize=True)
    print(f"{path}  {path.stat().st_size / 1000:.0f} kB")


def draw(clip: Path, output: Path) -> None:
    """Draw every image into a folder."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tracks = Path(folder) / "tracks.txt"
        write_tracks(tracks, max(FRAMES) + 1)
        gallery = Gallery(clip, tracks)
        for name in masking.names():
            save(gallery.scheme(name), output / f"{name}.jpg")
    ratios = {f"--ratio {ratio}": ExtractSpec(ratio=ratio) for ratio in (0.5, 0.75, 0.9)}
    save(gallery.choices(ratios, ("motion-guided", "tube"), FRAMES[2]), output / "ratio.jpg")
    grids = {f"--grid {n}x{n}": ExtractSpec(grid=PatchGrid(n, n), ratio=RATIO) for n in (7, 14, 16)}
    save(gallery.choices(grids, ("motion-guided", "tube"), FRAMES[2]), output / "grid.jpg")
    save(gallery.glance(FRAMES[1:]), output / "at-a-glance.jpg")


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, help="bigbuckbunny.mp4")
    parser.add_argument("output", type=Path, help="folder for the images")
    given = parser.parse_args()
    draw(given.clip, given.output)


if __name__ == "__main__":
    main()
