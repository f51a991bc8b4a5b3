"""Who runs the work: each file is an engine, see :mod:`mgmtool.plugins`. All give results in the order of the items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mgmtool import plugins
from mgmtool.engines._machine import Limits, available_cpus, limits, return_frames_to_the_system
from mgmtool.engines.base import Cluster, Engine

__all__ = ["Cluster", "Engine", "Limits", "available_cpus", "build", "limits", "names", "return_frames_to_the_system"]


def names() -> list[str]:
    """List the engines there are."""
    return plugins.names(__name__)


def build(name: str, options: Mapping[str, Any] | None = None) -> Engine:
    """Make an engine with its options; see :func:`mgmtool.plugins.build` for what is raised."""
    return cast("Engine", plugins.build(__name__, name, options))
