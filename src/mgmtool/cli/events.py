"""The JSON events of ``mgmtool extract``, and the words that say the same on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mgmtool import extraction
from mgmtool.cli.words import counted, skipped_facts
from mgmtool.engines import Engine
from mgmtool.errors import one_line
from mgmtool.extraction import Plan, RunTotals
from mgmtool.storage import public
from mgmtool.types import Outcome

_NAMED = 5
"""Most changed videos that are named on stderr."""


def start_facts(output: str | Path, plan: Plan, engine: Engine) -> dict[str, Any]:
    """Gather what is known before the first video: the fields of the events ``start`` and ``plan``."""
    return {
        "output": public(str(output)),
        "videos": len(plan.corpus.videos),
        "remaining": plan.remaining,
        "skipped": skipped_facts(plan.corpus.skipped),
        "size_bytes": plan.size_bytes,
        "shard": str(plan.resume.shard),
        "engine": extraction.engine_facts(engine)["name"],
        "workers": extraction.worker_count(engine),
        "versions": extraction.versions(),
    }


def video_event(outcome: Outcome) -> dict[str, Any]:
    """Return the event of one video."""
    return {
        "event": "video",
        "id": outcome.video.id,
        "status": "done" if outcome.done else "failed",
        "failure": outcome.failure,
        "message": outcome.message,
        "num_frames": 0 if outcome.facts is None else outcome.facts.num_frames,
        "part": outcome.part,
        "seconds": round(outcome.seconds, 4),
        "cpu_seconds": round(outcome.cpu_seconds, 4),
        "size_bytes": outcome.video.size if outcome.video.size >= 0 else None,
    }


def summary_event(
    output: str | Path, plan: Plan, totals: RunTotals, engine: Engine, seconds: float, stopped: bool, profile: bool
) -> dict[str, Any]:
    """Return the event that ends a run.

    Parameters
    ----------
    seconds : float
        Wall time since the start.
    stopped : bool
        Whether ``--max-failures`` was exceeded.
    profile : bool
        Whether the seconds of each stage belong in it.
    """
    return {
        "event": "summary",
        "output": public(str(output)),
        "done": totals.done,
        "failed": totals.failed,
        "failures": dict(totals.failures),
        "earlier": dict(plan.earlier),
        "num_frames": totals.frames,
        "size_bytes": totals.size_bytes,
        "seconds": round(seconds, 3),
        "cpu_seconds": totals.cpu(extraction.engine_facts(engine)["name"] == "inline"),
        "videos_per_second": round((totals.done + totals.failed) / totals.wall, 3),
        "stopped": stopped,
        **({"profile": totals.profile()} if profile else {}),
    }


def totals_words(plan: Plan, totals: RunTotals) -> str:
    """Say how many videos are done and failed, in this run and before it."""
    classes = f" ({counted(totals.failures)})" if totals.failures else ""
    words = f"{totals.done} done, {totals.failed} failed{classes}, {totals.frames} frames"
    earlier = plan.earlier
    return words + (f"; {earlier['done']} done and {earlier['failed']} failed before" if earlier.total() else "")


def changed_words(plan: Plan) -> str:
    """Name a few of the videos that have changed since they were extracted."""
    more = f", and {len(plan.changed) - _NAMED} more" if len(plan.changed) > _NAMED else ""
    names = ", ".join(one_line(video.id) for video in plan.changed[:_NAMED]) + more
    ending = "they are done again" if plan.resume.refresh else "--refresh does them again"
    return f"{len(plan.changed)} videos have changed since they were extracted: {names}; {ending}"
