"""``mgmtool extract --dry-run``: what would be done, and about how long it would take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from mgmtool.cli.console import grid, json_line, show
from mgmtool.cli.events import changed_words, start_facts
from mgmtool.cli.words import duration, in_bytes, skipped_words
from mgmtool.engines import Engine
from mgmtool.errors import one_line
from mgmtool.extraction import Estimate, Plan


def show_plan(output: str | Path, plan: Plan, engine: Engine, sample: Estimate | None, as_json: bool) -> None:
    """Print a plan and what a sample of its videos says of its time and size.

    Parameters
    ----------
    output : path or URL
        The store that would be written.
    plan : Plan
        What would be done.
    engine : Engine
        Who would do it.
    sample : Estimate or None
        None if there is nothing to do.
    as_json : bool
        Print an event instead of a table.
    """
    facts = start_facts(output, plan, engine)
    estimate = None if sample is None else sample.to_json(facts["workers"])
    if as_json:
        counts = {
            "earlier": {name: plan.earlier[name] for name in ("done", "failed")},
            "changed": len(plan.changed),
            "parts": len(plan.parts),
        }
        click.echo(json_line({"event": "plan", **facts, **counts, "estimate": estimate}))
        return
    rows = [*plan_rows(plan, facts), *estimate_rows(sample, estimate, facts["workers"])]
    show(grid([(f"[bold]{name}[/bold]", escape(words)) for name, words in rows]))


def plan_rows(plan: Plan, facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Say in rows of a name and its words what would be done."""
    size, earlier = facts["size_bytes"], plan.earlier
    to_do = f"{plan.remaining:,} videos in {len(plan.parts):,} parts"
    rows = [
        ("output", f"{one_line(facts['output'])}; nothing is written"),
        ("videos", f"{facts['videos']:,} found; {earlier['done']:,} done and {earlier['failed']:,} failed before"),
        ("to do", f"{to_do}, {'sizes unknown' if size is None else in_bytes(size)}; shard {facts['shard']}"),
    ]
    rows += [("skipped", skipped_words(plan.corpus.skipped).removeprefix("skipped "))] if plan.corpus.skipped else []
    return [*rows, ("changed", changed_words(plan))] if plan.changed else rows


def estimate_rows(sample: Estimate | None, estimate: dict[str, Any] | None, workers: int) -> list[tuple[str, str]]:
    """Say in rows what a sample tells of time and size."""
    if sample is None:
        return []
    if estimate is None:
        return [("estimate", f"none: of {sample.videos} videos that were tried, no frame could be read")]
    failed = f", {sample.failed} failed" if sample.failed else ""
    words = f"{sample.videos} videos{failed}, {sample.frames:,} frames in {sample.sample_seconds:.1f} s, one process"
    time = f"about {duration(estimate['seconds'])} with {workers} workers, if each is as fast as one alone"
    store = f"about {estimate['num_frames']:,} frames, {in_bytes(estimate['store_bytes'])} of arrays"
    return [("sample", words), ("time", time), ("store", store)]
