"""What ``mgmtool report`` does between its options and the library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import click

from mgmtool import report
from mgmtool.cli._exit import raise_on_sigterm
from mgmtool.cli._progress import make_progress
from mgmtool.errors import one_line
from mgmtool.report import ReportRun

_STDOUT = "-"


@dataclass(frozen=True)
class Request:
    """The options of one call, as click gives them."""

    store: str | Path
    output: str
    gallery: int
    seed: int
    root: str | None
    title: str | None
    overwrite: bool
    progress: str
    quiet: bool


def run(request: Request) -> None:
    """Read a store, draw its samples, and write the page."""
    raise_on_sigterm()
    start = perf_counter()
    if request.output != _STDOUT:
        report.check_output(request.output, request.overwrite)
    job = ReportRun(request.store, gallery=request.gallery, seed=request.seed, root=request.root)
    _read(request, job)
    _draw(request, job)
    page = job.page(request.title)
    if request.output == _STDOUT:
        click.echo(page.encode(), nl=False)
        return
    path = report.save(page, request.output)
    if not request.quiet:
        megabytes, seconds = path.stat().st_size / 1e6, perf_counter() - start
        click.echo(f"{one_line(request.output)}: {job.total} videos, {megabytes:.1f} MB; {seconds:.1f} s")


def _read(request: Request, job: ReportRun) -> None:
    with make_progress(request.progress, job.total, request.quiet) as progress:
        for progress.done, progress.frames in job.read():
            progress.draw()


def _draw(request: Request, job: ReportRun) -> None:
    with make_progress(request.progress, len(job.samples), request.quiet) as progress:
        for shown in job.draw():
            progress.done += 1
            progress.failed += bool(shown.problem)
            progress.draw()
            if shown.problem and not request.quiet:
                progress.say(f"no picture of {one_line(str(shown.sample.row['id']))}: {shown.problem}")
