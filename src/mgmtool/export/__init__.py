"""The masks of a store in another format: each file is a format, see :mod:`mgmtool.plugins`.

An output holds the videos of a store that are done, under the same ids and in the same order. A file of it is there whole or not
at all, and the same store gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from mgmtool import plugins
from mgmtool.export._run import ExportRun, prepare
from mgmtool.export.base import Exported, Format

__all__ = ["FORMATS", "ExportRun", "Exported", "Format", "build", "export", "names", "prepare", "summary"]


FORMATS: plugins.Family[Format] = plugins.FORMATS

names = FORMATS.names
build = FORMATS.build
summary = FORMATS.summary


def export(store: str | Path, output: str | Path, format: str, **options: Any) -> Generator[Exported, None, None]:  # noqa: A002
    """Export the masks of a store; videos that were exported earlier are skipped.

    Parameters
    ----------
    store : path or URL
        A mask store.
    output : path
        Folder to write to: a new or empty one, or one that holds an export of the same store in the same format, which is
        resumed.
    format : str
        ``"webdataset"``, ``"hf-parquet"`` or ``"npz"``; see :func:`names`.
    **options
        Options of the format.

    Returns
    -------
    generator of Exported
        One per video that is done in the store, in its order. Closing it early drops the file being written.

    Raises
    ------
    UsageError, StoreError, OutputError
        At once, or while the generator runs. A single video that the format cannot hold is an outcome, not an error.
    """
    return prepare(store, output, format, options).outcomes()
