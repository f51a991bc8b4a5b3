"""Former path of :mod:`mgmtool.training`, kept for code that imports it."""

from mgmtool.training.mask_store import MaskStore, open_store

__all__ = ["MaskStore", "open_store"]
