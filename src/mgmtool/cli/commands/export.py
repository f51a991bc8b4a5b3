"""``mgmtool export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mgmtool.cli import _completion, options


@click.command(name="export")
@click.argument("store", shell_complete=_completion.stores)
@click.option(
    "--to",
    "format",
    metavar="FORMAT",
    required=True,
    shell_complete=_completion.plugin_names("mgmtool.export"),
    help="webdataset, hf-parquet, npz, or an installed one.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write, or to go on with."
)
@click.option(
    "--format-option", type=options.KeyValueType(), multiple=True, help="Option of the format; may be repeated."
)
@click.option("--shard-videos", type=int, help="Videos of a file of webdataset or hf-parquet.  [default: 1000]")
@click.option("--compress", is_flag=True, help="Deflate the arrays of npz.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON summary on stdout.")
@options.progress
@click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Write the masks of STORE in another format: tar shards, Parquet files or npz files.

    What an earlier run wrote whole is kept. Videos that failed when the store was made are left out.

    Exit codes: 0 every video is there, 1 fatal error, 2 wrong usage, 3 finished but some videos could not be exported,
    130 / 143 after a signal.
    """
    from mgmtool.cli._export import Request, run

    ctx.exit(run(Request(**given)))
