"""What to hide: each file is a mask scheme, see :mod:`mgmtool.plugins`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mgmtool import plugins
from mgmtool.masking._draws import below, derive_seed, draws
from mgmtool.masking._objects import objects_in_tokens, visible
from mgmtool.masking._subsets import pick
from mgmtool.masking.base import Scheme

__all__ = [
    "Scheme",
    "below",
    "build",
    "derive_seed",
    "draws",
    "names",
    "objects_in_tokens",
    "pick",
    "summary",
    "visible",
]


def names() -> list[str]:
    """List the mask schemes there are."""
    return plugins.names(__name__)


def build(name: str, options: Mapping[str, Any] | None = None) -> Scheme:
    """Make a scheme with its options; see :func:`mgmtool.plugins.build` for what is raised."""
    return cast("Scheme", plugins.build(__name__, name, options))


def summary(name: str) -> str:
    """Return the one-line description of a scheme."""
    return plugins.summary(__name__, name)
