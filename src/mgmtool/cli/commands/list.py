"""``mgmtool list``."""

from __future__ import annotations

from typing import Any

import click

from mgmtool.cli import _completion, options


@click.command(name="list")
@click.argument("inputs", nargs=-1, metavar="INPUT...", shell_complete=_completion.files)
@options.input_options
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="File to write.  [default: stdout]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="Form of the manifest.  [default: as OUTPUT ends, else jsonl]",
)
def command(inputs: tuple[str, ...], output: str | None, form: str | None, **where: Any) -> None:
    """List the videos that extract would take, as a manifest with their sizes and times.

    A corpus is walked once, and every driver of a large run then reads the list: extract --manifest does not look at a file
    whose size the manifest gives.

    Exit codes: 0 the list is written, 1 no video was found, 2 wrong usage.
    """
    from mgmtool.cli._list import run

    run(inputs, output, form, where)
