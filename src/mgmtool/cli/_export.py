"""What ``mgmtool export`` does between its options and the library."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from mgmtool import export
from mgmtool.cli._exit import DONE, SOME_FAILED, raise_on_sigterm
from mgmtool.cli._progress import Progress, make_progress
from mgmtool.cli._tables import json_line
from mgmtool.cli.options import merge_options
from mgmtool.errors import one_line
from mgmtool.export import Exported, ExportRun


@dataclass(frozen=True)
class Request:
    """The options of one call, as click gives them."""

    store: str
    format: str
    output: Path
    format_option: tuple[tuple[str, str], ...]
    shard_videos: int | None
    compress: bool
    as_json: bool
    progress: str
    quiet: bool

    def options(self) -> dict[str, Any]:
        """Return the options of the format that were given; one it does not have is an error of the library."""
        flags = {"shard_videos": self.shard_videos, "compress": self.compress or None}
        return merge_options("format", self.format_option, flags)


def run(request: Request) -> int:
    """Export a store, draw progress, report, and return the exit code."""
    raise_on_sigterm()
    start = perf_counter()
    job = export.prepare(request.store, request.output, request.format, request.options())
    totals = _work(request, job)
    _report(request, job, totals, perf_counter() - start)
    return SOME_FAILED if totals["failed"] else DONE


def _work(request: Request, job: ExportRun) -> Counter[str]:
    totals: Counter[str] = Counter()
    outcomes = job.outcomes()
    try:
        with make_progress(request.progress, job.total, request.quiet) as progress:
            for outcome in outcomes:
                totals["skipped" if outcome.skipped else "exported" if outcome.ok else "failed"] += 1
                totals["num_frames"] += outcome.num_frames
                _show(request, outcome, progress)
    finally:
        outcomes.close()
    return totals


def _show(request: Request, outcome: Exported, progress: Progress) -> None:
    if not outcome.ok and not request.quiet:
        progress.say(f"{click.style('failed', fg='red')} {one_line(outcome.id)}: {one_line(outcome.message or '')}")
    progress.done += 1
    progress.failed += not outcome.ok
    progress.frames += outcome.num_frames
    progress.draw()


def _report(request: Request, job: ExportRun, totals: Counter[str], seconds: float) -> None:
    counts = {name: totals[name] for name in ("exported", "skipped", "failed")}
    if request.as_json:
        named = {"store": request.store, "output": str(request.output), "format": request.format}
        more = {"left_out": job.left_out, "num_frames": totals["num_frames"], "seconds": round(seconds, 3)}
        click.echo(json_line({**named, **counts, **more}))
    elif not request.quiet:
        line = f"{counts['exported']} exported, {counts['skipped']} there before, {counts['failed']} failed"
        left_out = f"; {job.left_out} failed in the store" if job.left_out else ""
        click.echo(f"{request.output}: {line}, {totals['num_frames']} frames{left_out}; {seconds:.1f} s")
