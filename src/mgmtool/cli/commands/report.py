"""``mgmtool report``."""

from __future__ import annotations

from typing import Any

import click

from mgmtool.cli import options


@click.command(name="report")
@click.argument("store", type=options.PlaceType())
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), required=True, help="HTML file; - is stdout."
)
@click.option(
    "--gallery",
    type=click.IntRange(0, 64),
    default=8,
    show_default=True,
    help="Sample videos by chance; 0: none at all.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the choice of sample videos.")
@click.option("--root", metavar="PLACE", help="Folder, or URL of one, in which the videos lie now, by their ids.")
@click.option("--title", help="Title of the page.  [default: name of the store]")
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT.")
@options.progress
@click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr.")
def command(**given: Any) -> None:
    """Write a page about STORE that people can read: counts, failures, motion, boxes, and a gallery of sample videos.

    The page is one HTML file that works offline. Samples that cannot be drawn say why.
    """
    from mgmtool.cli._page import Request, run

    run(Request(**given))
