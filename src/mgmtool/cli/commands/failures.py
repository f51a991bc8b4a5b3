"""``mgmtool failures``."""

from __future__ import annotations

from pathlib import Path

import click

from mgmtool.cli import _completion, options


@click.command(name="failures")
@click.argument("store", type=options.PlaceType())
@click.option(
    "--failure",
    "classes",
    multiple=True,
    metavar="CLASS",
    shell_complete=_completion.failure_classes,
    help="Only this failure class; may be repeated.",
)
@click.option("--paths-only", is_flag=True, help="Print the paths alone, one a line.")
@click.option("-0", "nul", is_flag=True, help="With --paths-only: paths end with NUL, not with a newline.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a video, and a summary, on stdout.")
def command(store: str | Path, classes: tuple[str, ...], paths_only: bool, nul: bool, as_json: bool) -> None:
    """List the videos of a mask store that failed, by class.

    Exit codes: 0 they are listed, whether there are any or none; 1 no mask store is there; 2 wrong usage.
    """
    from mgmtool.cli._failures import run

    run(store, classes, paths_only, nul, as_json)
