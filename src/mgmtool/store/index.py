"""Commit records: one Parquet file a part, one row a video."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mgmtool.storage import public, storable
from mgmtool.store.checksums import METADATA_KEY, SEAL_KEY, UNSEALED, Checksum, dump, sealed
from mgmtool.types import Outcome, VideoFacts

ROOT_KEY = b"mgmtool.root"
"""Key of the Parquet metadata of a commit record that holds the attributes of the root group, as JSON."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        ("failure", pa.string()),
        ("message", pa.string()),
        pa.field("part", pa.int32(), nullable=False),
        pa.field("row_start", pa.int64(), nullable=False),
        pa.field("row_stop", pa.int64(), nullable=False),
        ("num_frames", pa.int64()),
        ("fps", pa.float64()),
        ("time_base_num", pa.int64()),
        ("time_base_den", pa.int64()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("rotation", pa.int16()),
        ("mirrored", pa.bool_()),
        ("pixel_aspect_num", pa.int64()),
        ("pixel_aspect_den", pa.int64()),
        ("codec", pa.string()),
        ("container", pa.string()),
        ("source", pa.string()),
        ("source_reason", pa.string()),
        ("vector_share", pa.float32()),
        ("corrupt_frames", pa.int64()),
        ("lost_packets", pa.int64()),
        ("index_risk", pa.list_(pa.string())),
        ("size_bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("fingerprint", pa.string()),
        ("label", pa.string()),
        ("extra", pa.string()),
        ("supersedes", pa.int32()),
        ("seconds", pa.float64()),
    ]
)
"""Columns of the index; documented in docs/conventions.md."""


def row_of(outcome: Outcome, row_start: int, supersedes: int | None = None) -> dict[str, Any]:
    """Turn an outcome into a row of the index; ``supersedes`` is the part whose row for this id no longer counts."""
    facts = outcome.facts
    num_frames = 0 if facts is None else facts.num_frames
    return {
        "id": outcome.video.id,
        "path": storable(public(outcome.video.path)),
        "status": "done" if outcome.done else "failed",
        "failure": outcome.failure,
        "message": outcome.message,
        "part": outcome.part,
        "row_start": row_start,
        "row_stop": row_start + num_frames,
        "size_bytes": outcome.video.size,
        "mtime_ns": outcome.video.mtime_ns,
        "fingerprint": outcome.fingerprint,
        "label": outcome.video.label,
        "extra": outcome.video.extra,
        "supersedes": supersedes,
        "seconds": outcome.seconds,
        **({} if facts is None else _fact_columns(facts)),
    }


def _fact_columns(facts: VideoFacts) -> dict[str, Any]:
    info = facts.info
    return {
        "num_frames": facts.num_frames,
        "fps": None if info.fps is None else float(info.fps),
        "time_base_num": info.time_base.numerator,
        "time_base_den": info.time_base.denominator,
        "height": info.height,
        "width": info.width,
        "rotation": info.orientation.rotation,
        "mirrored": info.orientation.mirrored,
        "pixel_aspect_num": info.pixel_aspect.numerator,
        "pixel_aspect_den": info.pixel_aspect.denominator,
        "codec": info.codec,
        "container": info.container,
        "source": facts.source,
        "source_reason": facts.source_reason,
        "vector_share": float(Fraction(facts.vector_frames, max(facts.num_frames, 1))),
        "corrupt_frames": facts.corrupt_frames,
        "lost_packets": facts.lost_packets,
        "index_risk": list(facts.index_risk),
    }


def record_of(
    rows: Sequence[dict[str, Any]], checksums: Mapping[str, Checksum], root: Mapping[str, Any] | None = None
) -> pa.Table:
    """Make the commit record of a part: its rows, the checksums of its files, and the attributes of the store it is of."""
    metadata = {METADATA_KEY: dump(checksums)}
    if root is not None:
        metadata[ROOT_KEY] = json.dumps(root).encode()
    return pa.Table.from_pylist(list(rows), schema=SCHEMA.with_metadata(metadata))


def recorded_root(metadata: Mapping[bytes, bytes] | None) -> dict[str, Any] | None:
    """Return the attributes of the store as a commit record has them; None where it has none.

    Raises
    ------
    ValueError
        They are damaged.
    """
    text = (metadata or {}).get(ROOT_KEY)
    root = None if text is None else json.loads(text)
    if not isinstance(root, dict | None):
        raise ValueError(f"{ROOT_KEY.decode()} is no JSON object")
    return root


def parquet_bytes(tables: Iterable[pa.Table], schema: pa.Schema) -> bytes:
    """Return the content of a sealed Parquet file with the rows of some tables, one row group each."""
    buffer, schema = io.BytesIO(), schema.with_metadata({**(schema.metadata or {}), SEAL_KEY: UNSEALED})
    with pq.ParquetWriter(buffer, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
    return sealed(buffer.getvalue())


def current_rows(table: pa.Table) -> pa.Table:
    """Drop the rows of all parts together that a later part supersedes."""
    return without(table, superseded_rows([table]))


KEYS = pa.schema([SCHEMA.field(name) for name in ("id", "part", "supersedes")])


def superseded_rows(tables: Iterable[pa.Table]) -> set[tuple[str, int]]:
    """Return id and part of every row that a later part supersedes."""
    found: set[tuple[str, int]] = set()
    for table in tables:
        if table["supersedes"].null_count < table.num_rows:
            newer = table.filter(pc.is_valid(table["supersedes"]))
            found.update(zip(newer["id"].to_pylist(), newer["supersedes"].to_pylist(), strict=True))
    return found


def without(table: pa.Table, rows: Collection[tuple[str, int]]) -> pa.Table:
    """Drop some rows, given by id and part."""
    if not rows:
        return table
    keys = zip(table["id"].to_pylist(), table["part"].to_pylist(), strict=True)
    return table.filter(pa.array([key not in rows for key in keys], pa.bool_()))
