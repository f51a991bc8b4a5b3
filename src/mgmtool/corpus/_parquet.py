"""Manifests in Parquet. The only module of the corpus that imports pyarrow, and it only reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mgmtool.corpus import _tables
from mgmtool.corpus._tables import Columns
from mgmtool.errors import InputError

_BATCH_ROWS = 16384
"""Rows in memory at a time."""


def open_rows(path: str, path_column: str | None) -> tuple[Columns, Iterator[tuple[int, dict[str, Any]]]]:
    """Return the columns of a Parquet file, and its rows with their numbers, from 1.

    Raises
    ------
    InputError
        It is no Parquet file, or two of its columns have the same name.
    UsageError
        It has no column of paths, or that is no text.
    """
    try:
        with open(path, "rb") as file:
            schema = pq.read_schema(file)
    except pa.ArrowException as error:
        raise InputError(f"manifest {path!r} cannot be read as Parquet: {error}") from None
    columns = _choose(schema, path, path_column)
    return columns, _rows(path, columns)


def _choose(schema: pa.Schema, path: str, path_column: str | None) -> Columns:
    """Columns of bytes (pictures, sound, whole films) are not carried, and only text can be a path."""
    texts = tuple(field.name for field in schema if _is_text(field.type))
    found = _tables.choose(texts, path_column)
    if found is None:
        kinds = [f"{field.name} ({field.type})" for field in schema]
        raise _tables.no_column(path, kinds, path_column)
    carried = tuple(field.name for field in schema if not _has_bytes(field.type))
    return _tables.refuse_twins(_tables.choose(carried, found.path) or found, path)


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _has_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_bytes(kind.value_type)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    return any(_has_bytes(kind.field(number).type) for number in range(kind.num_fields))


def _rows(path: str, columns: Columns) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    try:
        with open(path, "rb") as file:
            for batch in pq.ParquetFile(file).iter_batches(_BATCH_ROWS, columns=list(columns.names), use_threads=False):
                lists = [_values(batch.column(name)) for name in columns.names]
                for row in zip(*lists, strict=True):
                    number += 1
                    yield number, dict(zip(columns.names, row, strict=True))
    except pa.ArrowException as error:
        raise InputError(f"manifest {path!r}, after row {number}: {error}") from None


def _values(column: pa.Array) -> list[Any]:
    """Values of a column; dates, times and decimals as text, as Arrow writes them whatever else is installed."""
    if pa.types.is_duration(column.type):
        column = pc.cast(column, pa.int64())
    elif pa.types.is_temporal(column.type) or pa.types.is_decimal(column.type):
        column = pc.cast(column, pa.string())
    values: list[Any] = column.to_pylist()
    return values
