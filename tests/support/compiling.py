"""The kernels that most tests use, put into Numba's cache on disk."""

from __future__ import annotations

from mgmtool.extraction.stream import warm_up
from mgmtool.types import ExtractSpec


def compile_kernels() -> None:
    """Compile or load what the schemes need that weigh most kinds of evidence."""
    for scheme in ("motion-guided", "block", "boxes", "motion-literal"):
        warm_up(ExtractSpec(scheme=scheme))
