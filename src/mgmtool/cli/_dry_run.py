"""``mgmtool extract --dry-run``: what would be done, and about how long it would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from mgmtool import extraction
from mgmtool.cli._compile import compile_kernels
from mgmtool.cli._exit import DONE
from mgmtool.cli._progress import duration
from mgmtool.cli._report import changed_words, start_facts
from mgmtool.cli._tables import json_line, show
from mgmtool.engines import Engine
from mgmtool.errors import one_line
from mgmtool.extraction import Estimate, Plan

if TYPE_CHECKING:
    from mgmtool.cli._extract import Request


def dry_run(request: Request, plan: Plan, engine: Engine) -> int:
    """Try a few videos, print what a run would do, and return the exit code."""
    if plan.remaining:
        compile_kernels(plan.recipe, request.quiet)
    facts = start_facts(request, plan, engine)
    sample = extraction.estimate(plan.videos(), plan.recipe, request.scratch)
    if request.as_json:
        click.echo(json_line({"event": "plan", **facts, **_counts(plan), "estimate": _estimate(sample, facts)}))
        return DONE
    table = Table.grid(padding=(0, 2))
    for name, words in _rows(request, plan, facts, sample):
        table.add_row(f"[bold]{name}[/bold]", escape(words))
    show(table)
    return DONE


def _counts(plan: Plan) -> dict[str, Any]:
    earlier = {name: plan.earlier[name] for name in ("done", "failed")}
    return {"earlier": earlier, "changed": len(plan.changed), "parts": len(plan.parts)}


def _estimate(sample: Estimate | None, facts: dict[str, Any]) -> dict[str, Any] | None:
    """Project what a sample took to all workers; nothing where no frame of it could be read."""
    if sample is None or not sample.frames:
        return None
    return {
        "sample_videos": sample.videos,
        "sample_failed": sample.failed,
        "sample_frames": sample.frames,
        "sample_seconds": round(sample.sample_seconds, 3),
        "seconds": round(sample.seconds / facts["workers"], 1),
        "num_frames": sample.all_frames,
        "store_bytes": sample.store_bytes,
    }


def _rows(request: Request, plan: Plan, facts: dict[str, Any], sample: Estimate | None) -> list[tuple[str, str]]:
    size = facts["size_bytes"]
    to_do = f"{plan.remaining:,} videos in {len(plan.parts):,} parts"
    rows = [
        ("output", f"{one_line(facts['output'])}; nothing is written"),
        (
            "videos",
            f"{facts['videos']:,} found; {plan.earlier['done']:,} done and {plan.earlier['failed']:,} failed before",
        ),
        ("to do", f"{to_do}, {'sizes unknown' if size is None else in_bytes(size)}; shard {facts['shard']}"),
    ]
    if plan.changed:
        rows.append(("changed", changed_words(plan, request.refresh)))
    return [*rows, *_estimate_rows(sample, facts)]


def _estimate_rows(sample: Estimate | None, facts: dict[str, Any]) -> list[tuple[str, str]]:
    found = _estimate(sample, facts)
    if sample is None:
        return []
    if found is None:
        return [("estimate", f"none: of {sample.videos} videos that were tried, no frame could be read")]
    failed = f", {sample.failed} failed" if sample.failed else ""
    words = f"{sample.videos} videos{failed}, {sample.frames:,} frames in {sample.sample_seconds:.1f} s, one process"
    time = f"about {duration(found['seconds'])} with {facts['workers']} workers, if each is as fast as one alone"
    store = f"about {found['num_frames']:,} frames, {in_bytes(found['store_bytes'])} of arrays"
    return [("sample", words), ("time", time), ("store", store)]


def in_bytes(size: float) -> str:
    """Write a size with a unit."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 999.5 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if size >= 99.95 or unit == "bytes" else f"{size:.3g} {unit}"
