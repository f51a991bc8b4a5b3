"""``mgmtool extract``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mgmtool.cli import _completion, options


@click.command(name="extract")
@click.argument("inputs", nargs=-1, metavar="INPUT...", shell_complete=_completion.files)
@click.option(
    "-o",
    "--output",
    type=options.PlaceType(),
    required=True,
    metavar="PATH",
    help="Mask store to make or to go on with; may be a URL.",
)
@options.spec_options
@click.option(
    "--energy/--no-energy", default=True, show_default=True, help="Store motion energy, for masks in training crops."
)
@click.option(
    "--energy-grid", type=options.GridType(), default="16x16", show_default=True, help="Grid of the stored energy."
)
@options.input_options
@options.engine_options
@click.option("--part-videos", type=click.IntRange(1), default=256, show_default=True, help="Most videos in a part.")
@click.option("--retry-failed", is_flag=True, help="Do the videos again that failed in earlier runs.")
@click.option("--refresh", is_flag=True, help="Do the videos again whose files have changed.")
@click.option(
    "--fingerprint",
    type=click.Choice(["stat", "content"]),
    default="stat",
    show_default=True,
    help="What says that a file has changed: its size and time, or a hash of its bytes.",
)
@click.option(
    "--shard",
    metavar="I/N",
    help="Do every N-th part, from the I-th, counted from 0.  [default: as Slurm or Kubernetes say, else all]",
)
@click.option(
    "--scratch",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, writable=True),
    help="Folder for copies of remote videos and other temporary files.  [default: the system's]",
)
@click.option("--overwrite", is_flag=True, help="Remove the mask store at OUTPUT first; asks on a terminal.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing.")
@click.option("--max-failures", type=click.IntRange(0), help="Stop with exit code 4 when more videos have failed.")
@click.option(
    "--dry-run", is_flag=True, help="Write nothing: say what would be done, and about how long it would take."
)
@click.option("--profile", is_flag=True, help="Say at the end where the time went, stage by stage.")
@click.option(
    "--log-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Append a line an event to this file, with UTC time and level.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON event a video and a part, and a summary, on stdout."
)
@options.progress
@click.option("-v", "--verbose", is_flag=True, help="Name every video on stderr.")
@click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Extract mask volumes of videos into a Zarr store.

    INPUT is a file, a folder (walked recursively), a glob pattern, a URL such as s3://bucket/folder of any of these, or - for a
    list of paths on stdin. A store made with the same
    options is gone on with; nothing is done twice.

    Exit codes: 0 every video is done, 1 fatal error, 2 wrong usage, 3 finished but some videos failed, 4 more failures than
    --max-failures, 129 / 130 / 143 after a signal (128 and its number), 141 nobody reads stdout any more.
    """
    from mgmtool.cli._extract import Request, run

    ctx.exit(run(Request(**given)))
