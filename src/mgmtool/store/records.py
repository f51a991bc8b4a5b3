"""The commit records of a store, read one part at a time: which videos it holds, and where their rows are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mgmtool.errors import StoreError
from mgmtool.storage import Place
from mgmtool.store._errors import read_errors
from mgmtool.store.index import KEYS, SCHEMA, current_rows, superseded_rows, without
from mgmtool.store.layout import INDEX_FILE, ROOT_FILE, part_name, part_number


def committed_numbers(place: Place) -> list[int]:
    """Numbers of the parts that have a commit record, ascending."""
    stems = (name.removesuffix(".parquet") for name in place.names("index") if name.endswith(".parquet"))
    return sorted(number for number in map(part_number, stems) if number is not None)


def how_to_repair(place: Place) -> str:
    """Say, after an error that a root cannot be used, that it can be rebuilt where there are commit records."""
    with contextlib.suppress(OSError):
        if committed_numbers(place):
            return f"; it has commit records: mgmtool repair {place.name} rebuilds the root"
    return ""


def record_file(number: int) -> str:
    """Name of the commit record of a part, relative to the store."""
    return f"index/{part_name(number)}.parquet"


def index_table(content: bytes, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Parse the bytes of a commit record or of ``index.parquet``; columns that early stores do not have are null."""
    return as_index(parquet_table(content, None if schema is SCHEMA else schema.names), schema)  # naming all costs time


def index_parts(content: bytes) -> Iterator[tuple[int, pa.Table]]:
    """Yield part and rows of each row group of ``index.parquet``; one that holds rows of several parts gives each of them."""
    file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False)
    for group in range(file.num_row_groups):
        table = as_index(file.read_row_group(group, use_threads=False))
        numbers = sorted(pc.unique(table["part"]).to_pylist())
        for number in numbers:
            yield number, table if len(numbers) == 1 else table.filter(pc.equal(table["part"], number))


def as_index(table: pa.Table, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Bring the columns of a record in order; those that early stores do not have are null."""
    columns = [
        table[field.name] if field.name in table.schema.names else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, names=schema.names).cast(schema)


def parquet_table(content: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Parse a small Parquet file, or those of some columns that it has.

    In this thread: a thread of Arrow's that still holds Python's bytes when the process ends would abort it.
    """
    file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False)
    there = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
    return file.read(there, use_threads=False)


@dataclass(frozen=True, slots=True)
class _Overview:
    """What has to be known of all parts before the first can be read."""

    rows: int
    superseded: set[tuple[str, int]]


class CommitRecords:
    """The commit records of a store, in order; those that there were when they were first asked for.

    Parameters
    ----------
    place : Place
        The store.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._kept: list[bytes] | None = None

    @cached_property
    def numbers(self) -> list[int]:
        """Numbers of the committed parts, ascending; none where a place cannot list its files."""
        try:
            return committed_numbers(self._place)
        except OSError:
            return []

    def count(self) -> int:
        """Count the rows that count, of all parts."""
        with read_errors(self._place.name):
            return self._overview.rows if self.numbers else int(self._full_index.num_rows)

    def tables(self) -> Iterator[tuple[int, pa.Table]]:
        """Yield number and index rows of each part, one part in memory at a time, without rows a later part supersedes."""
        with read_errors(self._place.name):
            if self.numbers:
                superseded = self._overview.superseded
                for number, content in zip(self.numbers, self._contents(), strict=True):
                    yield number, without(index_table(content), superseded)
            else:
                for number in sorted(set(self._full_index["part"].to_pylist())):
                    yield number, self._full_index.filter(pc.equal(self._full_index["part"], number))

    def index(self) -> pa.Table:
        """Return the rows of all parts, in order, without those that a later part supersedes."""
        with read_errors(self._place.name):
            if not self.numbers:
                return self._full_index
            return current_rows(pa.concat_tables([index_table(content) for content in self._contents()]))

    def _contents(self) -> Iterator[bytes]:
        files = list(map(record_file, self.numbers))
        if self._place.excludes:  # a folder, whose files the system caches
            return self._place.read_many(files)
        if self._kept is None:  # compressed, as they are: some dozen bytes per video
            self._kept = list(self._place.read_many(files))
        return iter(self._kept)

    @cached_property
    def _overview(self) -> _Overview:
        rows, superseded = 0, set[tuple[str, int]]()
        for content in self._contents():
            keys = index_table(content, KEYS)
            rows += keys.num_rows
            superseded |= superseded_rows([keys])
        return _Overview(rows - len(superseded), superseded)

    @cached_property
    def _full_index(self) -> pa.Table:
        """The rows of ``index.parquet``, for places that cannot list the records; none in a store without parts."""
        try:
            return index_table(self._place.read(INDEX_FILE))
        except FileNotFoundError:
            with contextlib.suppress(OSError):
                if ROOT_FILE in self._place.names():
                    return SCHEMA.empty_table()
            raise StoreError(
                f"{self._place.name} has no index: neither index/part-*.parquet nor index.parquet can be found"
            ) from None
