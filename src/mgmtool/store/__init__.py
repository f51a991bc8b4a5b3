"""The mask store, version 1: the only package that imports zarr and pyarrow.

``layout`` says where things are and what they look like, ``index`` reads and writes commit records, ``part`` writes and
commits one part, ``writer`` opens a store for parts to be added, ``reader`` opens it to be read.
For loaders, ``location`` says where a store lies,
``videos`` finds videos by name, ``columns`` reads rows of arrays. ``scan`` reads
all of it once, for statistics. ``verify`` checks a store, ``rebuild`` makes its index anew,
``failures`` lists what failed.
"""

from __future__ import annotations

from mgmtool.store.columns import Columns
from mgmtool.store.failures import FailedVideo, failed_videos
from mgmtool.store.findings import Finding, Tally
from mgmtool.store.layout import check_attributes
from mgmtool.store.location import Location, locate, read_attributes
from mgmtool.store.part import PartWriter
from mgmtool.store.reader import Store, open_store
from mgmtool.store.rebuild import rebuild_index
from mgmtool.store.scan import PartScan, Scan
from mgmtool.store.verify import verify
from mgmtool.store.videos import Rows, Videos
from mgmtool.store.writer import Committed, StoreWriter

__all__ = [
    "Columns",
    "Committed",
    "FailedVideo",
    "Finding",
    "Location",
    "PartScan",
    "PartWriter",
    "Rows",
    "Scan",
    "Store",
    "StoreWriter",
    "Tally",
    "Videos",
    "check_attributes",
    "failed_videos",
    "locate",
    "open_store",
    "read_attributes",
    "rebuild_index",
    "verify",
]
