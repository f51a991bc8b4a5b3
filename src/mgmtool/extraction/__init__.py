"""A corpus to a store: what is to be done, one video in a worker, and the run that puts both together."""

from __future__ import annotations

from mgmtool.extraction.planning import extensions_of, extract, prepare
from mgmtool.extraction.run import ExtractRun
from mgmtool.extraction.work import VideoResult, extract_video, process_video

__all__ = ["ExtractRun", "VideoResult", "extensions_of", "extract", "extract_video", "prepare", "process_video"]
