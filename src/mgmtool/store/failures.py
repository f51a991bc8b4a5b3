"""The videos of a store that failed, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mgmtool.errors import FAILURE_CLASSES
from mgmtool.store.reader import Store


@dataclass(frozen=True, slots=True)
class FailedVideo:
    """A video without masks.

    Attributes
    ----------
    failure : str
        Failure class.
    id, path : str
        As in the index.
    message : str
        One line.
    part : int
        Part with its row.
    """

    failure: str
    id: str
    path: str
    message: str
    part: int


def failed_videos(store: Store, classes: Collection[str] = ()) -> list[FailedVideo]:
    """List the failed videos that count, by class and in the order of the store.

    Parameters
    ----------
    store : Store
        The store.
    classes : collection of str
        Failure classes to list; empty for all.
    """
    table = store.index.filter(pc.equal(store.index["status"], "failed"))
    if classes:
        table = table.filter(pc.is_in(table["failure"], pa.array(sorted(classes), pa.string())))
    names = ("failure", "id", "path", "message", "part")
    rows = zip(*(table[name].to_pylist() for name in names), strict=True)
    found = [FailedVideo(str(f), i, path, message or "", part) for f, i, path, message, part in rows]
    ranks = {failure: rank for rank, failure in enumerate(FAILURE_CLASSES)}
    return sorted(found, key=lambda video: ranks.get(video.failure, len(ranks)))
