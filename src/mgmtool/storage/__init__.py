"""Where things lie. The only package that imports fsspec and tenacity, and the only one that asks whether a name is a URL.

:func:`place` turns a path or URL into a :class:`Place`, a folder of files to read and write: a ``Folder`` or an ``ObjectStore``.
``listing`` finds videos, ``copies`` fetches one to this machine. ``names`` says where a name leads and what of it may be shown,
``filesystems`` opens file systems of fsspec, ``retries`` repeats requests that may succeed a moment later.

Credentials, endpoints and regions come from the environment, as fsspec and the library behind it read them.
"""

from __future__ import annotations

from mgmtool.storage.copies import local_copy, special_kind
from mgmtool.storage.filesystems import check
from mgmtool.storage.folder import GROWING
from mgmtool.storage.listing import Item, ending, expand
from mgmtool.storage.names import (
    absolute,
    is_local,
    is_url,
    protocols,
    public,
    redacted,
    relative,
    storable,
    without_scheme,
)
from mgmtool.storage.places import Place, place

__all__ = [
    "GROWING",
    "Item",
    "Place",
    "absolute",
    "check",
    "ending",
    "expand",
    "is_local",
    "is_url",
    "local_copy",
    "place",
    "protocols",
    "public",
    "redacted",
    "relative",
    "special_kind",
    "storable",
    "without_scheme",
]
