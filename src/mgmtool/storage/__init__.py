"""Object stores and web servers through fsspec: the only package that imports fsspec and tenacity.

``names`` says what is a URL and what of it may be shown, ``places`` opens file systems, ``retries`` tries again what may pass,
``objects`` reads, writes and deletes, ``listing`` finds videos, ``copies`` fetches one video to this machine.

Credentials, endpoints and regions come from the environment, as fsspec and the library behind it read them.
"""

from __future__ import annotations

from mgmtool.storage.copies import local_copy
from mgmtool.storage.filesystems import check, filesystem
from mgmtool.storage.listing import Item, expand
from mgmtool.storage.urls import is_url, public

__all__ = ["Item", "check", "expand", "filesystem", "is_url", "local_copy", "public"]
