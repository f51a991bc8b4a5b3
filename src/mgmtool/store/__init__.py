"""The mask store, version 1: the only package that imports zarr and pyarrow.

Both sides: ``layout`` says where things are and what they look like, ``index`` what a commit record is.
Writing: ``writer`` opens a store for parts to be added, ``part`` writes and commits one, ``root`` says what
a folder is, ``upkeep`` removes litter and makes ``index.parquet``.
Reading: ``reader`` opens a :class:`Store`, which reads commit records through ``records``, finds videos by name through
``videos`` and reads rows of arrays through ``arrays``; ``walk`` goes through all of it once, ``failures`` lists what failed,
``verify`` checks that all is whole, ``repair`` drops what is not.
"""

from __future__ import annotations

from mgmtool.store.arrays import Arrays
from mgmtool.store.failures import FailedVideo, failed_videos
from mgmtool.store.part import PartWriter
from mgmtool.store.reader import Store
from mgmtool.store.repair import Repair, repair
from mgmtool.store.upkeep import rebuild_index
from mgmtool.store.verify import verify
from mgmtool.store.verify.findings import Finding, VerifyProgress
from mgmtool.store.videos import VideoRows, Videos
from mgmtool.store.walk import PartFacts, StoredPart, StoredVideo, part_facts, stored_parts, stored_videos
from mgmtool.store.writer import Committed, StoreWriter

__all__ = [
    "Arrays",
    "Committed",
    "FailedVideo",
    "Finding",
    "PartFacts",
    "PartWriter",
    "Repair",
    "Store",
    "StoreWriter",
    "StoredPart",
    "StoredVideo",
    "VerifyProgress",
    "VideoRows",
    "Videos",
    "failed_videos",
    "part_facts",
    "rebuild_index",
    "repair",
    "stored_parts",
    "stored_videos",
    "verify",
]
