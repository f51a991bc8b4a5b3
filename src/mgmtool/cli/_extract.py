"""What ``mgmtool extract`` does between its options and the library."""

from __future__ import annotations

import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import click

from mgmtool import engines, extraction, sources
from mgmtool.cli._compile import compile_kernels
from mgmtool.cli._exit import DONE, SOME_FAILED, TOO_MANY_FAILED, raise_on_sigterm
from mgmtool.cli._inputs import find_videos
from mgmtool.cli._progress import Progress, make_progress
from mgmtool.cli._shard import choose_shard
from mgmtool.cli._tables import json_line
from mgmtool.cli.options import ENGINE, INPUTS, SPEC, make_engine, make_spec
from mgmtool.engines import Engine
from mgmtool.errors import UsageError, one_line
from mgmtool.extraction import ExtractRun
from mgmtool.types import ExtractSpec, Outcome, PatchGrid, Resume

_NAMED = 5
"""Most changed videos that are named on stderr."""


@dataclass(frozen=True)
class Request:
    """The options of one call, as click gives them."""

    inputs: tuple[str, ...]
    output: Path
    scheme: str
    scheme_option: tuple[tuple[str, str], ...]
    source: str
    source_option: tuple[tuple[str, str], ...]
    grid: PatchGrid
    ratio: float
    seed: int
    stream: int | None
    strict: bool
    max_pixels: int
    max_frames: int
    energy: bool
    energy_grid: PatchGrid
    nul: bool
    root: str | None
    manifest: tuple[str, ...]
    path_column: str | None
    limit: int | None
    engine: str
    workers: str
    timeout: float | None
    retries: int | None
    worker_memory: str | None
    part_videos: int
    retry_failed: bool
    refresh: bool
    fingerprint: str
    shard: str | None
    overwrite: bool
    yes: bool
    max_failures: int | None
    as_json: bool
    progress: str
    verbose: bool
    quiet: bool

    def spec(self) -> ExtractSpec:
        """Return the spec these options ask for."""
        more = ("energy", "energy_grid", "part_videos")
        return make_spec(**{name: getattr(self, name) for name in (*SPEC, *more)})

    def resume(self) -> Resume:
        """Return how to go on with a store; name on stderr what the environment decides."""
        shard, origin = choose_shard(self.shard, os.environ)
        if origin is not None and not self.quiet:
            click.echo(f"shard {shard}, after {origin}", err=True)
        return Resume(self.retry_failed, self.refresh, self.fingerprint, shard)

    def build_engine(self) -> Engine:
        """Return the engine these options ask for; an option it does not have is an error."""
        return make_engine(**{name: getattr(self, name) for name in ENGINE})


@dataclass
class Totals:
    """What a run has done so far."""

    status: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    frames: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one more video."""
        self.status["done" if outcome.done else "failed"] += 1
        if outcome.failure is not None:
            self.failures[outcome.failure] += 1
        if outcome.facts is not None:
            self.frames += outcome.facts.num_frames


def run(request: Request) -> int:
    """Run an extraction, draw its progress, report, and return the exit code."""
    raise_on_sigterm()
    engines.return_pictures_to_the_system()
    start = perf_counter()
    spec = request.spec()
    job = _prepare(request, spec)
    _tell_changed(request, job)
    if job.remaining:
        compile_kernels(spec, request.quiet)
    totals = Totals()
    stopped = _work(request, job, totals)
    _report(request, job, totals, perf_counter() - start, stopped)
    if stopped:
        return TOO_MANY_FAILED
    return SOME_FAILED if totals.status["failed"] or job.earlier["failed"] else DONE


def _prepare(request: Request, spec: ExtractSpec) -> ExtractRun:
    extensions = sources.build(spec.source, spec.source_options).extensions
    engine, resume = request.build_engine(), request.resume()
    if request.overwrite and resume.shard.count > 1:
        raise UsageError(
            "--overwrite with --shard: each shard would remove what the others wrote; remove it beforehand"
        )
    found = find_videos(request.inputs, extensions, **{name: getattr(request, name) for name in INPUTS})
    if request.overwrite:
        _ask(request)
    return extraction.prepare(found, request.output, spec, engine, overwrite=request.overwrite, resume=resume)


def _ask(request: Request) -> None:
    """Ask on a terminal before a store is removed."""
    if request.yes or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if request.output.exists() and any(request.output.iterdir()):
        click.confirm(f"remove the mask store {one_line(str(request.output))}?", abort=True, err=True)


def _tell_changed(request: Request, job: ExtractRun) -> None:
    """Say which videos are no longer what was extracted."""
    if not job.changed:
        return
    if request.as_json:
        click.echo(json_line({"event": "changed", "ids": [v.id for v in job.changed], "refresh": request.refresh}))
    if not request.quiet:
        names = ", ".join(one_line(video.id) for video in job.changed[:_NAMED]) + (
            f", and {len(job.changed) - _NAMED} more" if len(job.changed) > _NAMED else ""
        )
        ending = "they are done again" if request.refresh else "--refresh does them again"
        click.echo(f"{len(job.changed)} videos have changed since they were extracted: {names}; {ending}", err=True)


def _work(request: Request, job: ExtractRun, totals: Totals) -> bool:
    """Go through the videos; return whether there were more failures than allowed."""
    outcomes = job.outcomes()
    try:
        with make_progress(request.progress, job.remaining, request.quiet) as progress:
            for outcome in outcomes:
                totals.add(outcome)
                _show(request, outcome, progress)
                if request.max_failures is not None and totals.status["failed"] > request.max_failures:
                    return True
    finally:
        outcomes.close()
    return False


def _show(request: Request, outcome: Outcome, progress: Progress) -> None:
    if request.as_json:
        click.echo(json_line(_event(outcome)))
    name = one_line(outcome.video.id)
    if not outcome.done and not request.quiet:
        progress.say(f"{click.style(f'failed ({outcome.failure})', fg='red')} {name}: {one_line(str(outcome.message))}")
    elif outcome.done and outcome.facts is not None and request.verbose:
        progress.say(f"done {name}: {outcome.facts.num_frames} frames, {outcome.seconds:.2f} s")
    progress.advance(outcome)


def _event(outcome: Outcome) -> dict[str, Any]:
    return {
        "event": "video",
        "id": outcome.video.id,
        "status": "done" if outcome.done else "failed",
        "failure": outcome.failure,
        "message": outcome.message,
        "num_frames": 0 if outcome.facts is None else outcome.facts.num_frames,
        "part": outcome.part,
        "seconds": round(outcome.seconds, 4),
    }


def _report(request: Request, job: ExtractRun, totals: Totals, seconds: float, stopped: bool) -> None:
    done, failed, earlier = totals.status["done"], totals.status["failed"], job.earlier.total()
    if request.as_json:
        summary = {
            "event": "summary",
            "output": str(request.output),
            "done": done,
            "failed": failed,
            "failures": dict(totals.failures),
            "earlier": dict(job.earlier),
            "num_frames": totals.frames,
            "seconds": round(seconds, 3),
            "stopped": stopped,
        }
        click.echo(json_line(summary))
        return
    if request.quiet:
        return
    classes = ", ".join(f"{count} {name}" for name, count in totals.failures.most_common())
    counts = f"{done} done, {failed} failed{f' ({classes})' if classes else ''}"
    line = f"{one_line(str(request.output))}: {counts}, {totals.frames} frames"
    if earlier:
        line += f"; {job.earlier['done']} done and {job.earlier['failed']} failed before"
    click.echo(f"{line}; {seconds:.1f} s")
    if stopped:
        click.echo(f"stopped: more than {request.max_failures} failures; the part being written was dropped", err=True)
