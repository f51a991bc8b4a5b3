"""``mgmtool report``."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import click

from mgmtool.cli.exits import raise_on_sigterm
from mgmtool.cli.options import Replace, Talk
from mgmtool.cli.parameters import PlaceType
from mgmtool.cli.records import argument, as_command, option, record
from mgmtool.errors import one_line

_STDOUT = "-"


@record("output")
class Page(Talk, Replace):
    """The page to write, and what it shows."""

    store: str | Path = argument(type=PlaceType())
    output: str = option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, allow_dash=True),
        required=True,
        help="HTML file; - is stdout.",
    )
    gallery: int = option(
        "--gallery",
        metavar="N",
        type=click.IntRange(0, 64),
        default=8,
        help="Number of randomly chosen sample videos; 0 for none.",
    )
    seed: int = option("--seed", metavar="N", type=int, default=0, help="Seed of the choice of sample videos.")
    root: str | None = option(
        "--root",
        metavar="PLACE",
        help="Folder or URL that holds the videos now, under their ids.  [default: where each was extracted from]",
    )
    title: str | None = option("--title", help="Title of the page.  [default: name of the store]")


@as_command
def command(page: Page) -> None:
    """Write an HTML report on STORE: counts, failures, motion, boxes, and a gallery of sample videos.

    The report is one file that works offline. Samples that cannot be drawn say why.
    """
    from mgmtool import report

    raise_on_sigterm()
    start = perf_counter()
    if page.output != _STDOUT:
        page.check_new(page.output)
    job = report.ReportRun(page.store, gallery=page.gallery, seed=page.seed, root=page.root)
    with page.draw(job.total) as progress:
        for done, frames in job.read():
            progress.move(done, frames)
    with page.draw(len(job.samples), unit="sample") as progress:
        for shown in job.draw():
            progress.advance(bool(shown.problem))
            if shown.problem and not page.quiet:
                progress.say(f"no picture of {one_line(str(shown.sample.row['id']))}: {shown.problem}")
    html = job.page(page.title)
    if page.output == _STDOUT:
        click.echo(html.encode(), nl=False)
        return
    path = report.save(html, page.output)
    if not page.quiet:
        megabytes, seconds = path.stat().st_size / 1e6, perf_counter() - start
        click.echo(f"{one_line(page.output)}: {job.total} videos, {megabytes:.1f} MB; {seconds:.1f} s")
