"""``mgmtool extract``."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgmtool.cli.compiling import compile_kernels
from mgmtool.cli.console import notice
from mgmtool.cli.exits import DONE, SOME_FAILED, TOO_MANY_FAILED, Stop, kept_words, signals_stop
from mgmtool.cli.extract_options import Failures, Output, Running, StoreMasks
from mgmtool.cli.log import Log
from mgmtool.cli.options import Inputs
from mgmtool.cli.records import as_command
from mgmtool.cli.words import shown
from mgmtool.errors import MgmtoolError, UsageError

if TYPE_CHECKING:
    from mgmtool.cli.narrator import Narrator
    from mgmtool.extraction import ExtractRun


@as_command
def command(inputs: Inputs, masks: StoreMasks, running: Running, failures: Failures, output: Output) -> int:
    """Extract mask volumes of videos into a Zarr store.

    INPUT is a file, a folder (searched recursively), a glob pattern, a URL of any of these such as s3://bucket/folder, or -
    for a list of paths on stdin. An existing store with the same options is resumed; finished videos are skipped.

    Exit codes: 0 all videos are done, 1 fatal error, 2 wrong usage, 3 finished but some videos failed, 4 more failures than
    --max-failures, 129 / 130 / 143 after a signal (128 plus its number), 141 stdout was closed.
    """
    with (
        Log(output.log_file) as log,
        signals_stop(output.quiet, lambda name: log.line("WARNING", f"{name}: stopping")) as stop,
    ):
        try:
            return _extract(inputs, masks, running, failures, output, log, stop)
        except MgmtoolError as error:
            log.line("ERROR", str(error))
            raise
        except BaseException as error:
            log.line("ERROR", f"ended by {type(error).__name__}: {error}")
            raise


def _extract(
    inputs: Inputs, masks: StoreMasks, running: Running, failures: Failures, output: Output, log: Log, stop: Stop
) -> int:
    from mgmtool import engines, extraction
    from mgmtool.cli.dry_run import show_plan
    from mgmtool.cli.narrator import Narrator
    from mgmtool.cli.shard import choose_shard
    from mgmtool.types import Resume

    engines.return_frames_to_the_system()
    recipe, engine = masks.store_recipe(), running.build()
    extraction.worker_count(engine)  # none at all is found out before there is a store
    shard, origin = choose_shard(running.shard, os.environ)
    if origin is not None and not output.quiet:
        notice(f"shard {shard}, after {origin}")
    resume = Resume(failures.retry_failed, failures.refresh, failures.fingerprint, shard)
    if output.overwrite and resume.shard.count > 1:
        raise UsageError(
            "--overwrite with --shard: each shard would remove what the others wrote; remove it beforehand"
        )
    found = inputs.find(recipe.source.extensions)
    if running.dry_run:
        plan = extraction.plan(found, output.output, recipe, overwrite=output.overwrite, resume=resume)
        if plan.remaining:
            compile_kernels(recipe, output.quiet)
        sample = extraction.estimate(plan.videos(), recipe, running.scratch)
        show_plan(output.output, plan, engine, sample, output.as_json)
        return DONE
    if output.overwrite and not output.yes:
        _confirm_removal(output.output)
    run = extraction.prepare(
        found,
        output.output,
        recipe,
        engine,
        overwrite=output.overwrite,
        resume=resume,
        scratch=running.scratch,
        named=(*inputs.inputs, *inputs.manifest),
        profile=output.profile,
    )
    narrator = Narrator(output, run, engine, log)
    narrator.start()
    if run.remaining:
        compile_kernels(recipe, output.quiet)
    return _follow(run, narrator, failures.max_failures, stop)


def _confirm_removal(output: str | Path) -> None:
    """Ask on a terminal before a store is removed."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if isinstance(output, Path) and not (output.exists() and any(output.iterdir())):
        return
    name = shown(output)
    if not click.confirm(f"remove the mask store {name}?", err=True):
        raise click.ClickException(f"{name} is kept; nothing was done")


def _follow(run: ExtractRun, narrator: Narrator, max_failures: int | None, stop: Stop) -> int:
    """Tell of every video while the run goes on, and return the exit code."""
    stopped = False
    with narrator.draw(), closing(run.outcomes(narrator.part)) as outcomes:
        try:
            for outcome in outcomes:
                narrator.video(outcome)
                stop.check()
                if max_failures is not None and run.totals.failed > max_failures:
                    stopped = True
                    break
        except BaseException as error:
            narrator.broken_off()
            try:
                outcomes.throw(error)  # so that the record of the run says what ended it
            finally:
                error.add_note(kept_words(run.kept()))
            raise
    narrator.end(max_failures if stopped else None)
    if stopped:
        return TOO_MANY_FAILED
    return SOME_FAILED if run.totals.failed or run.earlier["failed"] else DONE
