"""``mgmtool visualize``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mgmtool.cli import _completion, options

if TYPE_CHECKING:
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.types import MaskVolume, VideoRef


@click.command(name="visualize")
@click.argument("video", type=options.PlaceType(exists=True, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write: .mp4, .gif, or .png (a contact sheet).",
)
@click.option(
    "--store",
    type=options.PlaceType(),
    metavar="PATH",
    help="Take the masks from this store instead of computing them.",
)
@click.option(
    "--id",
    "video_id",
    metavar="ID",
    help="Id of the video; by default found by its path, or its name without --store.",
    shell_complete=_completion.video_ids,
)
@click.option("--mask/--no-mask", default=True, show_default=True, help="Dim hidden patches.")
@click.option("--box/--no-box", default=True, show_default=True, help="Outline the box.")
@click.option("--energy/--no-energy", default=True, show_default=True, help="Show motion energy as heat.")
@click.option(
    "--arrows/--no-arrows", default=False, show_default=True, help="Show where the content of each cell went."
)
@click.option(
    "--compare",
    metavar="SCHEMES",
    multiple=True,
    help="Show several schemes side by side: NAME,NAME:KEY=VALUE,... or all; may be repeated.",
)
@click.option(
    "--frames",
    type=click.IntRange(1, 400),
    help="Pictures on a contact sheet, with --compare for each scheme.  [default: 12, with --compare 6]",
)
@click.option(
    "--max-side", type=click.IntRange(16, 8192), help="Longest side of a picture.  [default: mp4 1280, gif 480]"
)
@click.option("--fps", type=click.FloatRange(0, 240, min_open=True), help="Frames a second; for a gif at most 12.5.")
@options.spec_options
@click.pass_context
def command(
    ctx: click.Context, /, video: str | Path, store: str | Path | None, video_id: str | None, **given: Any
) -> None:
    """Draw the masks of VIDEO, a file or the URL of one, on its pictures: mask, box, energy and motion.

    Without --store the masks are computed on the fly. Prints the path of the file it wrote.
    """
    from mgmtool.drawing import check_output
    from mgmtool.storage import local_copy
    from mgmtool.types import VideoRef

    check_output(video, given["output"])
    _check_compare(ctx, store, given["compare"])
    with local_copy(VideoRef("", str(video))) as local:
        path = Path(local.path)
        if given["compare"]:
            written = _compared(VideoRef(video_id or path.name, str(path)), given)
        else:
            written = _drawn(ctx, path, store, (video_id, str(video)), given)
    click.echo(str(written))


def _compared(video: VideoRef, given: dict[str, Any]) -> Path:
    from mgmtool.cli._compile import compile_kernels
    from mgmtool.drawing import Layers, compare, read_contenders

    layers, look = Layers(**_layers(given), dark=True), _look(given)
    compared = read_contenders(given.pop("compare"), options.make_recipe(**given).spec)
    for recipe in (contender.recipe for contender in compared if contender.volumes):
        compile_kernels(recipe)
    return compare(video, compared=compared, layers=layers, **look)


def _drawn(
    ctx: click.Context, video: Path, store: str | Path | None, named: tuple[str | None, str], given: dict[str, Any]
) -> Path:
    from mgmtool.drawing import Layers, visualize

    del given["compare"]
    layers, look = Layers(**_layers(given)), _look(given)
    volume, recipe = (
        _computed(video, named[0], given) if store is None else _stored(ctx, store, named[0] or named[1], given)
    )
    return visualize(video, volume=volume, layers=layers, motion=recipe.source, reading=recipe.spec.reading, **look)


def _layers(given: dict[str, Any]) -> dict[str, bool]:
    return {name: given.pop(name) for name in ("mask", "box", "energy", "arrows")}


def _look(given: dict[str, Any]) -> dict[str, Any]:
    """Take what was said about the output; what was not is left to the library."""
    look = {name: given.pop(name) for name in ("output", "frames", "max_side", "fps")}
    return {name: value for name, value in look.items() if value is not None}


def _check_compare(ctx: click.Context, store: str | Path | None, compare: tuple[str, ...]) -> None:
    """Refuse what a comparison would not look at."""
    from mgmtool.errors import UsageError

    if not compare:
        return
    if store is not None:
        raise UsageError("--compare given with --store, which holds the masks of one scheme; expected one or the other")
    useless = _given_flags(ctx, ("scheme", "scheme_option"))
    if useless:
        raise UsageError(f"{useless} given with --compare, which names schemes itself, as in tube,cube:min_tokens=4")


def _given_flags(ctx: click.Context, names: Iterable[str]) -> str:
    """Name the flags among these that stand on the command line."""
    given = [name for name in names if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    return ", ".join(f"--{name.replace('_', '-')}" for name in given)


def _computed(video: Path, video_id: str | None, given: dict[str, Any]) -> tuple[MaskVolume, Recipe]:
    """Compute the masks; what is random in them follows from the id, as in a store."""
    from mgmtool.cli._compile import compile_kernels
    from mgmtool.extraction.stream import whole_video
    from mgmtool.types import VideoRef

    recipe = options.make_recipe(**given)
    compile_kernels(recipe)
    return whole_video(VideoRef(video_id or video.name, str(video)), recipe)[0], recipe


def _stored(ctx: click.Context, store: str | Path, name: str, given: dict[str, Any]) -> tuple[MaskVolume, Recipe]:
    """Read the masks; an option that would have no effect is an error rather than a surprise."""
    from mgmtool.errors import UsageError
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.store import Store

    useless = _given_flags(ctx, given)
    if useless:
        raise UsageError(f"{useless} given with --store, whose masks are made already; expected one or the other")
    opened = Store.open(store)
    return opened.volume(name), Recipe.of(opened.spec)
