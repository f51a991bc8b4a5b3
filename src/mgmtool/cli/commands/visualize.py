"""``mgmtool visualize``."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mgmtool.cli import completion
from mgmtool.cli.console import compile_kernels
from mgmtool.cli.options import Masks, Replace, Talk
from mgmtool.cli.parameters import PlaceType
from mgmtool.cli.records import argument, as_command, given_flags, option, record
from mgmtool.errors import UsageError, one_line

if TYPE_CHECKING:
    from mgmtool.types import ExtractSpec, VideoRef


@record("inputs")
class Shown:
    """The video, and whose masks are drawn."""

    video: str | Path = argument(type=PlaceType(exists=True, dir_okay=False))
    store: str | Path | None = option(
        "--store", type=PlaceType(), metavar="PATH", help="Take the masks from this store instead of computing them."
    )
    video_id: str | None = option(
        "--id",
        metavar="ID",
        shell_complete=completion.video_ids,
        help="Id of the video; by default found by its path in the store, or the file name without --store.",
    )
    compare: tuple[str, ...] = option(
        "--compare",
        metavar="SCHEMES",
        multiple=True,
        help="Show several schemes side by side: NAME,NAME:KEY=VALUE,... or all; may be repeated.",
    )

    def check(self) -> None:
        """Refuse options of the command line that would have no effect.

        Raises
        ------
        UsageError
        """
        if self.compare and self.store is not None:
            raise UsageError(
                "--compare given with --store, which holds the masks of one scheme; expected one or the other"
            )
        useless = given_flags({"scheme", "scheme_option"}) if self.compare else ""
        if useless:
            raise UsageError(
                f"{useless} given with --compare, which names schemes itself, as in tube,cube:min_tokens=4"
            )
        useless = given_flags({field.name for field in dataclasses.fields(Masks)}) if self.store is not None else ""
        if useless:
            raise UsageError(f"{useless} given with --store, whose masks are made already; expected one or the other")


@record("drawing")
class Layers:
    """What is drawn on each frame."""

    mask: bool = option("--mask/--no-mask", default=True, help="Dim hidden patches.")
    box: bool = option("--box/--no-box", default=True, help="Outline the box.")
    energy: bool = option("--energy/--no-energy", default=True, help="Show motion energy as heat.")
    arrows: bool = option("--arrows/--no-arrows", default=False, help="Show where the content of each cell went.")


@record("output")
class Output(Talk, Replace):
    """The file to write."""

    output: Path = option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        required=True,
        help="File to write: .mp4, .gif, or .png (a contact sheet).",
    )
    frames: int | None = option(
        "--frames",
        metavar="N",
        type=click.IntRange(1, 400),
        help="Frames on a contact sheet, with --compare for each scheme.  [default: 12, with --compare 6]",
    )
    max_side: int | None = option(
        "--max-side",
        metavar="N",
        type=click.IntRange(16, 8192),
        help="Longest side of a frame in pixels.  [default: mp4 1280, gif 480]",
    )
    fps: float | None = option(
        "--fps",
        metavar="N",
        type=click.FloatRange(0, 240, min_open=True),
        help="Frames per second; for a gif at most 12.5.  [default: as the video]",
    )

    def given(self) -> dict[str, Any]:
        """Return what was asked of the file; the rest is left to the library."""
        asked = {"output": self.output, "frames": self.frames, "max_side": self.max_side, "fps": self.fps}
        return {name: value for name, value in asked.items() if value is not None}


@as_command
def command(shown: Shown, masks: Masks, layers: Layers, output: Output) -> None:
    """Draw the masks of VIDEO, a file or a URL, on its frames: mask, box, energy and motion.

    Without --store the masks are computed on the fly. Prints the path of the file that was written.
    """
    from mgmtool import drawing
    from mgmtool.storage import local_copy
    from mgmtool.types import VideoRef

    drawing.check_output(shown.video, output.output)
    shown.check()
    output.check_new(output.output)
    with local_copy(VideoRef("", str(shown.video))) as local, output.draw(None, unit="frame") as progress:

        def move(done: int, total: int) -> None:
            progress.total = total
            progress.move(done, 0)

        video = VideoRef(shown.video_id or Path(local.path).name, local.path)
        look = {**output.given(), "on_frame": move}
        if shown.compare:
            written = _compare(video, shown.compare, masks.spec(), layers, look, output.quiet)
        else:
            written = _draw(video, shown, masks, layers, look, output.quiet)
    # To another program as the system has it, which need not be UTF-8.
    click.echo(one_line(str(written)) if sys.stdout.isatty() else os.fsencode(written))


def _compare(
    video: VideoRef, schemes: Sequence[str], spec: ExtractSpec, layers: Layers, look: Mapping[str, Any], quiet: bool
) -> Path:
    from mgmtool import drawing

    compared = drawing.read_contenders(schemes, spec)
    for contender in compared:
        if contender.volumes:
            compile_kernels(contender.recipe, quiet)
    shown = drawing.Layers(**dataclasses.asdict(layers), dark=True)
    return drawing.compare(video, compared=compared, layers=shown, **look)


def _draw(video: VideoRef, shown: Shown, masks: Masks, layers: Layers, look: Mapping[str, Any], quiet: bool) -> Path:
    """Draw the masks of a store, or computed here; what is random in those follows from the id, as in a store."""
    from mgmtool import drawing
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.extraction.stream import whole_video
    from mgmtool.store import Store

    if shown.store is None:
        recipe = masks.recipe()
        compile_kernels(recipe, quiet)
        volume, _ = whole_video(video, recipe)
    else:
        store = Store.open(shown.store)
        volume, recipe = store.volume(shown.video_id or str(shown.video)), Recipe.of(store.spec)
    return drawing.visualize(
        video.path,
        volume=volume,
        layers=drawing.Layers(**dataclasses.asdict(layers)),
        motion=recipe.source,
        reading=recipe.spec.reading,
        **look,
    )
