"""The training side of a mask store: open it, and ask for the token mask of a sample."""

from __future__ import annotations

from mgmtool.loader.mask_store import MaskStore, open_store

__all__ = ["MaskStore", "open_store"]
