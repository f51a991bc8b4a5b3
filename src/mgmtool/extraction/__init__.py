"""A corpus to a store: what is to be done, one video in a worker, and the run that puts both together."""

from __future__ import annotations

from mgmtool.extraction.estimate import Estimate, estimate
from mgmtool.extraction.planning import extensions_of, extract, plan, prepare
from mgmtool.extraction.record import Totals, engine_facts, known_bytes, versions, worker_count
from mgmtool.extraction.run import ExtractRun, Plan
from mgmtool.extraction.work import VideoResult, extract_video, process_video

__all__ = [
    "Estimate",
    "ExtractRun",
    "Plan",
    "Totals",
    "VideoResult",
    "engine_facts",
    "estimate",
    "extensions_of",
    "extract",
    "extract_video",
    "known_bytes",
    "plan",
    "prepare",
    "process_video",
    "versions",
    "worker_count",
]
