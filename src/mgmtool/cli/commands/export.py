"""``mgmtool export``."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from mgmtool.cli import completion
from mgmtool.cli.console import failed, json_line
from mgmtool.cli.exits import DONE, SOME_FAILED, raise_on_sigterm
from mgmtool.cli.options import Talk, merge_options
from mgmtool.cli.parameters import KeyValueType
from mgmtool.cli.records import argument, as_command, option, record
from mgmtool.cli.words import shown


@record("output")
class Target(Talk):
    """What to export, and to which folder and format."""

    store: str = argument(shell_complete=completion.stores)
    format: str = option(
        "--to",
        metavar="FORMAT",
        required=True,
        shell_complete=completion.plugin_names("mgmtool.export"),
        help="webdataset, hf-parquet, npz, or an installed format.",
    )
    output: Path = option(
        "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to create or resume."
    )
    format_option: tuple[tuple[str, str], ...] = option(
        "--format-option", type=KeyValueType(), multiple=True, help="Option of the format; may be repeated."
    )
    shard_videos: int | None = option(
        "--shard-videos", metavar="N", type=int, help="Videos per file of webdataset or hf-parquet.  [default: 1000]"
    )
    compress: bool = option("--compress", is_flag=True, help="Deflate the arrays of npz.")
    as_json: bool = option("--json", is_flag=True, help="Print a JSON summary on stdout.")

    def format_options(self) -> dict[str, Any]:
        """Return the options of the format that were given; one that it does not have is an error of the library."""
        flags = {"shard_videos": self.shard_videos, "compress": self.compress or None}
        return merge_options("format", self.format_option, flags)


@as_command
def command(target: Target) -> int:
    """Write the masks of STORE in another format: tar shards, Parquet files or npz files.

    Files that an earlier run completed are kept. Videos that failed when the store was made are left out.

    Exit codes: 0 all videos are exported, 1 fatal error, 2 wrong usage, 3 finished but some videos could not be exported,
    130 / 143 after a signal.
    """
    from mgmtool import export
    from mgmtool.storage import public

    raise_on_sigterm()
    start, counts, frames = perf_counter(), Counter[str](), 0
    job = export.prepare(target.store, target.output, target.format, target.format_options())
    with closing(job.outcomes()) as outcomes, target.draw(job.total) as progress:
        for outcome in outcomes:
            counts["skipped" if outcome.skipped else "exported" if outcome.ok else "failed"] += 1
            frames += outcome.num_frames
            if not outcome.ok and not target.quiet:
                progress.say(failed(outcome.id, outcome.message or ""))
            progress.advance(not outcome.ok, outcome.num_frames)
    ends, seconds = {name: counts[name] for name in ("exported", "skipped", "failed")}, perf_counter() - start
    if target.as_json:
        named = {"store": public(target.store), "output": str(target.output), "format": target.format}
        more = {"left_out": job.left_out, "num_frames": frames, "seconds": round(seconds, 3)}
        click.echo(json_line({**named, **ends, **more}))
    elif not target.quiet:
        words = f"{ends['exported']} exported, {ends['skipped']} there before, {ends['failed']} failed"
        left = f"; {job.left_out} failed in the store" if job.left_out else ""
        click.echo(f"{shown(target.output)}: {words}, {frames} frames{left}; {seconds:.1f} s")
    return SOME_FAILED if counts["failed"] else DONE
