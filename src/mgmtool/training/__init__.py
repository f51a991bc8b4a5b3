"""The training side: the token mask of every sample a loader draws, in the form its codebase indexes with.

``mask_store`` opens a store, ``clips`` turns the frames and crop of a sample into its token mask, ``crops`` draws crops as
training codebases do, ``masker`` masks without a store, ``adapters`` has one form per codebase, ``samples`` and ``torch``,
``tf``, ``grain`` feed frameworks. Names are loaded on first use: a mask that needs no store imports neither Zarr nor Arrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mgmtool.training.mask_store import MaskStore, open_store

__all__ = ["MaskStore", "open_store"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mgmtool.training import mask_store

    return getattr(mask_store, name)
