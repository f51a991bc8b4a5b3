"""Motion-guided masks for video pretraining.

Names are loaded on first use, so that ``import mgmtool`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "Clip": "types",
    "ExtractSpec": "types",
    "MaskStore": "training",
    "MaskVolume": "types",
    "Outcome": "types",
    "PatchGrid": "types",
    "extract": "extraction",
    "extract_video": "extraction",
    "TokenMask": "types",
    "open_store": "training",
}
_MODULES = ("adapters", "schemes")

__all__ = [
    "Clip",
    "ExtractSpec",
    "MaskStore",
    "MaskVolume",
    "Outcome",
    "PatchGrid",
    "TokenMask",
    "adapters",
    "extract",
    "extract_video",
    "open_store",
    "schemes",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"mgmtool.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'mgmtool' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mgmtool.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, *_MODULES})
