"""The mask store, version 1: the only package that imports zarr and pyarrow.

``layout`` says where things are and what they look like, ``index`` reads and writes commit records, ``part`` writes and
commits one part, ``writer`` opens a store for parts to be added, ``reader`` opens it to be read.
"""

from __future__ import annotations

from mgmtool.store.part import PartWriter
from mgmtool.store.reader import Store, open_store
from mgmtool.store.writer import StoreWriter

__all__ = ["PartWriter", "Store", "StoreWriter", "open_store"]
