"""What ``mgmtool extract`` does between its options and the library."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click

from mgmtool import engines, extraction, sources
from mgmtool.cli._compile import compile_kernels
from mgmtool.cli._dry_run import dry_run
from mgmtool.cli._exit import DONE, SOME_FAILED, TOO_MANY_FAILED, signals_stop
from mgmtool.cli._inputs import find_videos
from mgmtool.cli._log import Log, Pulse
from mgmtool.cli._report import Report
from mgmtool.cli._shard import choose_shard
from mgmtool.cli.options import ENGINE, INPUTS, SPEC, make_engine, make_spec
from mgmtool.corpus import Corpus
from mgmtool.engines import Engine
from mgmtool.errors import MgmtoolError, UsageError, one_line
from mgmtool.extraction import ExtractRun
from mgmtool.types import ExtractSpec, PatchGrid, Resume


@dataclass(frozen=True)
class Request:
    """The options of one call, as click gives them."""

    inputs: tuple[str, ...]
    output: str | Path
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
    ray_address: str | None
    part_videos: int
    retry_failed: bool
    refresh: bool
    fingerprint: str
    shard: str | None
    scratch: str | None
    overwrite: bool
    yes: bool
    max_failures: int | None
    dry_run: bool
    profile: bool
    log_file: Path | None
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


def run(request: Request) -> int:
    """Run an extraction, tell of it, and return the exit code."""
    with (
        Log(request.log_file) as log,
        signals_stop(request.quiet, lambda name: log.line("WARNING", f"{name}: stopping")),
    ):
        try:
            return _run(request, log)
        except MgmtoolError as error:
            log.line("ERROR", str(error))
            raise
        except BaseException as error:
            log.line("ERROR", f"ended by {type(error).__name__}: {error}")
            raise


def _run(request: Request, log: Log) -> int:
    engines.return_frames_to_the_system()
    spec, engine, resume = request.spec(), request.build_engine(), request.resume()
    if request.overwrite and resume.shard.count > 1:
        raise UsageError(
            "--overwrite with --shard: each shard would remove what the others wrote; remove it beforehand"
        )
    found = _find(request, spec)
    if request.dry_run:
        plan = extraction.plan(found, request.output, spec, overwrite=request.overwrite, resume=resume)
        return dry_run(request, plan, spec, engine)
    return _extract(request, _prepare(request, found, spec, engine, resume), engine, log)


def _find(request: Request, spec: ExtractSpec) -> Corpus:
    extensions = sources.build(spec.source, spec.source_options).extensions
    return find_videos(request.inputs, extensions, **{name: getattr(request, name) for name in INPUTS})


def _prepare(request: Request, found: Corpus, spec: ExtractSpec, engine: Engine, resume: Resume) -> ExtractRun:
    if request.overwrite:
        _ask(request)
    return extraction.prepare(
        found,
        request.output,
        spec,
        engine,
        overwrite=request.overwrite,
        resume=resume,
        scratch=request.scratch,
        named=(*request.inputs, *request.manifest),
        profile=request.profile,
    )


def _ask(request: Request) -> None:
    """Ask on a terminal before a store is removed."""
    if request.yes or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return
    local = request.output if isinstance(request.output, Path) else None
    there = local is None or (local.exists() and any(local.iterdir()))
    if there and not click.confirm(f"remove the mask store {one_line(str(request.output))}?", err=True):
        raise click.ClickException(f"{one_line(str(request.output))} is kept; nothing was done")


def _extract(request: Request, job: ExtractRun, engine: Engine, log: Log) -> int:
    report = Report(request, job, engine, log)
    report.start()
    report.changed()
    if job.remaining:
        compile_kernels(request.spec(), request.quiet)
    stopped = _work(request, job, report)
    report.end(stopped)
    if stopped:
        return TOO_MANY_FAILED
    return SOME_FAILED if job.totals.failed or job.earlier["failed"] else DONE


def _work(request: Request, job: ExtractRun, report: Report) -> bool:
    """Go through the videos; return whether there were more failures than allowed."""
    with report.draw(), Pulse(report.pulse), closing(job.outcomes(report.part)) as outcomes:
        try:
            for outcome in outcomes:
                report.video(outcome)
                if request.max_failures is not None and job.totals.failed > request.max_failures:
                    return True
        except BaseException as error:
            report.broken_off()
            outcomes.throw(error)  # so that the record of the run says what ended it
            raise
    return False
