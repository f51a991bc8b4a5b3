"""Where motion comes from: each file is a source, see :mod:`mgmtool.plugins`.

A source yields :class:`~mgmtool.types.FrameMotion` in displayed orientation and ends every assumption about where it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mgmtool import plugins
from mgmtool.sources._source import MotionStream, Source

__all__ = ["MotionStream", "Source", "build", "names", "summary"]


def names() -> list[str]:
    """List the motion sources there are."""
    return plugins.names(__name__)


def build(name: str, options: Mapping[str, Any] | None = None) -> Source:
    """Make a source with its options; see :func:`mgmtool.plugins.build` for what is raised."""
    return cast("Source", plugins.build(__name__, name, options))


def summary(name: str) -> str:
    """Return the one-line description of a source."""
    return plugins.summary(__name__, name)
