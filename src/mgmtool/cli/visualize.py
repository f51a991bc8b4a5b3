"""``mgmtool visualize``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mgmtool.cli import options

if TYPE_CHECKING:
    from mgmtool.types import ExtractSpec, MaskVolume


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
    "--id", "video_id", metavar="ID", help="Id of the video; by default found by its path, or its name without --store."
)
@click.option("--mask/--no-mask", default=True, show_default=True, help="Dim hidden patches.")
@click.option("--box/--no-box", default=True, show_default=True, help="Outline the box.")
@click.option("--energy/--no-energy", default=True, show_default=True, help="Show motion energy as heat.")
@click.option(
    "--arrows/--no-arrows", default=False, show_default=True, help="Show where the content of each cell went."
)
@click.option(
    "--frames", type=click.IntRange(1, 400), default=12, show_default=True, help="Pictures on a contact sheet."
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
    from mgmtool.remote import local_copy
    from mgmtool.types import VideoRef
    from mgmtool.visualize import check_output

    check_output(video, given["output"])
    with local_copy(VideoRef("", str(video))) as local:
        _draw(ctx, Path(local.path), store, (video_id, str(video)), given)


def _draw(
    ctx: click.Context, video: Path, store: str | Path | None, named: tuple[str | None, str], given: dict[str, Any]
) -> None:
    from mgmtool import sources
    from mgmtool.visualize import Layers, visualize

    layers = Layers(**{name: given.pop(name) for name in ("mask", "box", "energy", "arrows")})
    look = {name: given.pop(name) for name in ("output", "frames", "max_side", "fps")}
    volume, spec = (
        _computed(video, named[0], given) if store is None else _stored(ctx, store, named[0] or named[1], given)
    )
    motion = sources.build(spec.source, spec.source_options)
    click.echo(str(visualize(video, volume=volume, layers=layers, motion=motion, reading=spec.reading, **look)))


def _computed(video: Path, video_id: str | None, given: dict[str, Any]) -> tuple[MaskVolume, ExtractSpec]:
    """Compute the masks; what is random in them follows from the id, as in a store."""
    from mgmtool.cli._compile import compile_kernels
    from mgmtool.pipeline import whole_video
    from mgmtool.types import VideoRef

    spec = options.make_spec(**given)
    compile_kernels(spec)
    return whole_video(VideoRef(video_id or video.name, str(video)), spec)[0], spec


def _stored(ctx: click.Context, store: str | Path, name: str, given: dict[str, Any]) -> tuple[MaskVolume, ExtractSpec]:
    """Read the masks; an option that would have no effect is an error rather than a surprise."""
    from mgmtool.errors import UsageError
    from mgmtool.store import open_store

    useless = [key for key in given if ctx.get_parameter_source(key) is ParameterSource.COMMANDLINE]
    if useless:
        flags = ", ".join(f"--{key.replace('_', '-')}" for key in useless)
        raise UsageError(f"{flags} given with --store, whose masks are made already; expected one or the other")
    opened = open_store(store)
    return opened.volume(opened.lookup(name)), opened.spec
