"""The mask store, version 1: the only package that imports zarr and pyarrow.

``layout`` says where things are and what they look like, ``index`` reads and writes commit records, ``writer`` makes parts,
``reader`` opens them.
"""

from __future__ import annotations

from mgmtool.store.reader import Store, open_store
from mgmtool.store.writer import PartWriter, StoreWriter

__all__ = ["PartWriter", "Store", "StoreWriter", "open_store"]
