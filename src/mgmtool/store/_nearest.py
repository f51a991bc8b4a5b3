"""The id that somebody who mistyped one may have meant, in a store of any size."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from mgmtool.errors import did_you_mean

_ALIKE = 0.8
"""Ids share their endings, which says nothing."""

_MOST_SEARCHED = 1_000_000
_MOST_COMPARED = 2000
"""Names of 30 characters take some 10 µs each."""


def nearest_id(ids: pa.ChunkedArray | pa.Array, name: str) -> str:
    """Name the id that is nearest to one that there is none of, as :func:`mgmtool.errors.did_you_mean` does.

    In a large store, only ids are compared that begin or end like the name: one slip leaves one of its halves as it is.
    """
    if len(ids) > _MOST_COMPARED:
        ids, middle, half = ids.slice(0, _MOST_SEARCHED), len(name) // 2, _MOST_COMPARED // 2
        ends = ids.filter(pc.ends_with(ids, name[middle:]))
        begins = ids.filter(pc.starts_with(ids, name[:middle]))
        lengths = pc.abs(pc.subtract(pc.utf8_length(begins), len(name)))
        begins = begins.take(pc.sort_indices(lengths))
        ids = pa.array([*ends.slice(0, half).to_pylist(), *begins.slice(0, half).to_pylist()], pa.string())
    return did_you_mean(name, [i for i in ids.to_pylist() if i is not None], _ALIKE)
