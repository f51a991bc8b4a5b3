"""Parquet files for other programs: one row a video, arrays as plain bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

EXPORT_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        ("num_frames", pa.int64()),
        ("fps", pa.float64()),
        ("time_base_num", pa.int64()),
        ("time_base_den", pa.int64()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("rotation", pa.int16()),
        ("mirrored", pa.bool_()),
        ("index_risk", pa.list_(pa.string())),
        ("part", pa.int32()),
        ("pts_seconds", pa.list_(pa.float64())),
        ("mask", pa.binary()),
        ("mask_shape", pa.list_(pa.int32())),
        ("box", pa.binary()),
        ("pts", pa.binary()),
        ("flags", pa.binary()),
        ("energy", pa.binary()),
        ("energy_shape", pa.list_(pa.int32())),
        ("energy_scale", pa.binary()),
    ]
)
"""Columns of an export; documented in docs/cli.md."""

LARGEST_VALUE = 2_000_000_000
"""Bytes of one value; pages of Parquet end a little above it."""

_ROW_GROUP_BYTES = 64 << 20
"""Bytes of arrays in a row group, before compression: what a reader has to unpack at once."""


class VideoTable:
    """A Parquet file being written, a row group in memory at a time. A context manager.

    Parameters
    ----------
    path : Path
        File to write.
    """

    def __init__(self, path: Path) -> None:
        # A dictionary of masks would be a second copy of them.
        self._writer = pq.ParquetWriter(path, EXPORT_SCHEMA, compression="zstd", use_dictionary=False)
        self._rows: list[Mapping[str, Any]] = []
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
        finally:
            self._writer.close()

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a video, as a mapping of every column of :data:`EXPORT_SCHEMA` that it has."""
        size = sum(len(value) for value in row.values() if isinstance(value, bytes))
        if self._bytes + size > _ROW_GROUP_BYTES:
            self._flush()
        self._rows.append(row)
        self._bytes += size

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=EXPORT_SCHEMA))
        self._rows, self._bytes = [], 0
