"""Manifests: files that list videos, with what is known of them."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mgmtool.corpus import _lists, _tables
from mgmtool.corpus.entry import Entry
from mgmtool.errors import InputError, MgmtoolError, UsageError
from mgmtool.storage import absolute, is_local

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class _Source:
    """A manifest, and how its paths are understood."""

    path: str
    extensions: tuple[str, ...]
    base: str
    path_column: str | None

    def has(self, name: str) -> bool:
        """Whether a listed name is a file or a folder."""
        return is_local(name) and os.path.exists(absolute(name, self.base))


def read_manifest(
    path: str, extensions: Sequence[str], *, root: str | None = None, path_column: str | None = None
) -> Iterator[Entry]:
    """Read the videos that a manifest lists, in its order; docs/cli.md describes the formats.

    Parameters
    ----------
    path : str
        File. Its ending decides: ``.csv`` and ``.tsv`` (with a header, or else a list of paths), ``.jsonl`` and ``.ndjson``,
        ``.parquet``; anything else is a list of paths, with labels or without. All but Parquet may be gzipped (``.gz``).
    extensions : sequence of str
        Endings of videos, in lower case, by which a path is told from the label behind it.
    root : str, optional
        Folder, or URL of one, below which relative paths lie; by default the folder of the manifest.
    path_column : str, optional
        Column of the paths; by default the first of :data:`mgmtool.corpus._tables.PATHS` that is there.

    Yields
    ------
    Entry
        One for every line or row; paths are absolute, or URLs. Nothing is looked for on disk but names of a list that do not
        end like a video.

    Raises
    ------
    InputError
        The manifest cannot be read, lists nothing, or has a line that cannot be used.
    UsageError
        It has no column of paths, or not the one that is asked for.
    """
    source = _Source(path, tuple(extensions), root or os.path.dirname(os.path.abspath(path)), path_column)
    try:
        first = None
        for first in _reader(path)(source):
            yield first
    except MgmtoolError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read manifest {path!r}: {why}") from error
    if first is None:
        raise InputError(f"manifest {path!r} lists no video")


def _reader(path: str) -> Callable[[_Source], Iterator[Entry]]:
    ending = os.path.splitext(path.lower().removesuffix(".gz"))[1]
    readers = {".jsonl": _json, ".ndjson": _json, ".csv": _csv, ".tsv": _csv, ".parquet": _rows}
    return readers.get(ending, _list)


def _list(source: _Source) -> Iterator[Entry]:
    if source.path_column is not None:
        raise UsageError(
            f"manifest {source.path!r} is a list of paths, which has no column {source.path_column!r}; "
            "expected .csv, .tsv, .jsonl or .parquet"
        )
    return _entries(source, _tables.lines(source.path), lambda line: _line(source, line))


def _line(source: _Source, line: str, quoted: bool = False) -> Entry:
    """Turn a line of a list into its entry."""
    split = _lists.split_quoted if quoted else _lists.split_line
    name, label = split(line, source.extensions, source.has)
    return Entry(_tables.place(name, source.base), _tables.text(label))


def _json(source: _Source) -> Iterator[Entry]:
    def entry(line: str) -> Entry:
        return _tables.json_entry(line, source.base, source.path_column)

    return _entries(source, _tables.lines(source.path), entry)


def _csv(source: _Source) -> Iterator[Entry]:
    """Read a table; or, if its first line is data already, a list."""
    first = _tables.first_line(source.path)
    found = _tables.header(first, source.path_column, source.path)
    if found is None:
        if source.path_column is None and _is_data(first, source):
            return _entries(source, _tables.lines(source.path), lambda line: _line(source, line, quoted=True))
        raise _tables.no_column(source.path, next(_tables.fields(first)), source.path_column)
    columns, delimiter = found

    def entry(row: list[str]) -> Entry:
        return _tables.csv_entry(row, columns, source.base)

    return _entries(source, _tables.csv_rows(source.path, delimiter), entry)


def _is_data(line: str, source: _Source) -> bool:
    """Whether the first line of a table names a video."""
    name, _ = _lists.split_quoted(line, source.extensions, source.has)
    return name.lower().endswith(source.extensions) or not is_local(name) or source.has(name)


def _rows(source: _Source) -> Iterator[Entry]:
    from mgmtool.corpus import _parquet  # pyarrow is slow to load, and few manifests need it

    columns, rows = _parquet.open_rows(source.path, source.path_column)
    return _entries(source, rows, lambda row: _tables.entry(row, columns, source.base), "row")


def _entries(
    source: _Source, rows: Iterator[tuple[int, _Row]], entry: Callable[[_Row], Entry], unit: str = "line"
) -> Iterator[Entry]:
    """Turn rows into entries; whatever is wrong with one is told with its place."""
    for number, row in rows:
        try:
            yield entry(row)
        except ValueError as error:
            raise InputError(f"manifest {source.path!r}, {unit} {number}: {error}") from None
