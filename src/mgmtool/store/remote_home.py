"""A store in an object store, or wherever else fsspec can write.

There are no locks and no renames there. A part is uploaded under its own name and counts once its record is there, which is
written last. Nothing that another driver may just have written is ever deleted before: the same videos give the same bytes, so
two drivers that do the same part by mistake write the same objects, and only one of them its record.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zarr

from mgmtool.errors import PartCommittedError, StoreError
from mgmtool.storage import check, objects
from mgmtool.storage.urls import join, public
from mgmtool.store._errors import read_errors
from mgmtool.store.index import SCHEMA, superseded_rows, without
from mgmtool.store.layout import part_name, part_number

_ROOT = "zarr.json"


class RemoteHome:
    """A folder behind a URL. A part grows on this machine, is uploaded, and is committed by its record.

    Parameters
    ----------
    url : str
        Folder of the store.
    scratch : str, optional
        Local folder in which parts grow; by default that of the system for temporary files.
    """

    def __init__(self, url: str, scratch: str | None = None) -> None:
        check(url)
        self._url, self._scratch = url.rstrip("/"), scratch
        self.name = public(self._url)

    def attributes(self) -> dict[str, Any] | None:
        """Return the attributes of the root group; None where nothing is there yet.

        Raises
        ------
        StoreError
            Something else is there.
        """
        try:
            content = objects.read(self._at(_ROOT))
        except FileNotFoundError:
            if not objects.names(self._url):
                return None
            raise self._foreign() from None
        try:
            return dict(json.loads(content)["attributes"])
        except (ValueError, TypeError, KeyError):
            raise self._foreign() from None

    def _foreign(self) -> StoreError:
        return StoreError(f"output {self.name} holds something that is not a mask store; expected a new or empty place")

    def create(self, attributes: dict[str, Any]) -> None:
        """Make an empty store."""
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            zarr.create_group(folder, attributes=attributes)
            objects.write(self._at(_ROOT), (Path(folder) / _ROOT).read_bytes())

    def tidy(self) -> None:
        """Remove nothing: without locks, nobody knows what is litter and what another driver is uploading."""

    def remove(self) -> None:
        """Delete the store: records first, so that no record is without its arrays, and what says that it is a store last."""
        names = [name for name in objects.sizes(self._url) if name != _ROOT]
        objects.delete(self._url, [name for name in names if name.startswith("index/")])
        objects.delete(self._url, [name for name in names if not name.startswith("index/")])
        objects.delete(self._url, [_ROOT])

    def records(self) -> Iterator[pa.Table]:
        """Yield the commit record of every part, in order."""
        return map(_table, self._records())

    def _records(self) -> Iterator[bytes]:
        with read_errors(self.name):
            place = self._at("index")
            found = [(part_number(name.removesuffix(".parquet")), name) for name in objects.names(place)]
            numbered = sorted((number, name) for number, name in found if number is not None)
            yield from objects.read_all(place, [name for _, name in numbered])

    @contextlib.contextmanager
    def run(self, key: int) -> Iterator[None]:  # noqa: ARG002
        """Hold nothing: an object store has no locks, so it is up to the caller that no two drivers have the same shard."""
        yield

    def begin(self, number: int) -> Path:
        """See :meth:`mgmtool.store.part.Home.begin`."""
        if objects.exists(self._record(number)):
            raise self._committed(number)
        return Path(tempfile.mkdtemp(prefix="mgmtool-part-", dir=self._scratch))

    def publish(self, number: int, folder: Path, record: pa.Table) -> None:
        """See :meth:`mgmtool.store.part.Home.publish`; what a broken run left of the part is written over, or deleted."""
        if objects.exists(self._record(number)):
            raise self._committed(number)
        place = self._at(part_name(number))
        objects.upload(folder, place)
        objects.delete(place, self._surplus(folder, place))
        try:
            objects.create(self._record(number), _parquet([record], record.schema))
        except FileExistsError:
            raise self._committed(number) from None

    def _surplus(self, folder: Path, place: str) -> list[str]:
        """Return what is there and is not of this part; raise OSError if something of it is not there whole."""
        there = objects.sizes(place)
        files = (path for path in folder.rglob("*") if path.is_file())
        wanted = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
        for name, size in wanted.items():
            if there.get(name) != size:
                raise OSError(
                    f"{public(join(place, name))} has {there.get(name, 'no')} bytes after its upload, not {size}"
                )
        return sorted(there.keys() - wanted.keys())

    def end(self, number: int, folder: Path) -> None:  # noqa: ARG002
        """See :meth:`mgmtool.store.part.Home.end`."""
        shutil.rmtree(folder, ignore_errors=True)

    def gather(self) -> int:
        """Write ``index.parquet``; return its rows."""
        records = list(self._records())  # compressed, as they are: a few dozen bytes a video
        superseded = superseded_rows(map(_table, records))
        content = _parquet((without(_table(record), superseded) for record in records), SCHEMA)
        objects.write(self._at("index.parquet"), content)
        return int(pq.read_metadata(pa.BufferReader(content)).num_rows)

    def note(self, name: str, content: bytes) -> None:
        """Write a small file below the store, whole or not at all."""
        objects.write(self._at(name), content)

    def _at(self, *names: str) -> str:
        return "/".join((self._url, *names))

    def _record(self, number: int) -> str:
        return self._at("index", f"{part_name(number)}.parquet")

    def _committed(self, number: int) -> PartCommittedError:
        return PartCommittedError(
            f"part {number} of {self.name} was committed by another run meanwhile; run the same command again"
        )


def _table(content: bytes) -> pa.Table:
    return pq.read_table(pa.BufferReader(content), schema=SCHEMA)


def _parquet(tables: Iterable[pa.Table], schema: pa.Schema) -> bytes:
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table)
    return buffer.getvalue()
