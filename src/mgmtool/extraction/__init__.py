"""From a corpus to a store: the recipe, the plan, one video in a worker, and the run that puts them together.

Names are loaded on first use: a worker needs only :mod:`mgmtool.extraction.worker`, and neither Zarr nor Arrow, which would add
50 MB to each.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgmtool.extraction.estimation import Estimate, estimate
    from mgmtool.extraction.planning import extract, plan, prepare
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.extraction.record import RunTotals, engine_facts, known_bytes, versions, worker_count
    from mgmtool.extraction.run import ExtractRun, Plan
    from mgmtool.extraction.worker import VideoResult, extract_video, process_video

_WHERE = {
    **dict.fromkeys(("Estimate", "estimate"), "estimation"),
    **dict.fromkeys(("extract", "plan", "prepare"), "planning"),
    "Recipe": "recipe",
    **dict.fromkeys(("RunTotals", "engine_facts", "known_bytes", "versions", "worker_count"), "record"),
    **dict.fromkeys(("ExtractRun", "Plan"), "run"),
    **dict.fromkeys(("VideoResult", "extract_video", "process_video"), "worker"),
}

__all__ = [
    "Estimate",
    "ExtractRun",
    "Plan",
    "Recipe",
    "RunTotals",
    "VideoResult",
    "engine_facts",
    "estimate",
    "extract",
    "extract_video",
    "known_bytes",
    "plan",
    "prepare",
    "process_video",
    "versions",
    "worker_count",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value
