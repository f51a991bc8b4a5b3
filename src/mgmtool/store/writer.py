"""Writing a store: parts grow unseen, and count once their Parquet record is written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from mgmtool.errors import SpecMismatchError, StoreBusyError
from mgmtool.storage import GROWING, LOCK_FILE, Place, place
from mgmtool.store._errors import read_errors, write_errors
from mgmtool.store.layout import ROOT_FILE, RUNS, frame_arrays, part_name, root_attributes
from mgmtool.store.mismatch import differences
from mgmtool.store.part import PartWriter
from mgmtool.store.records import committed_numbers, index_table, record_file
from mgmtool.store.root import check_same, create_root, read_root
from mgmtool.store.upkeep import at_the_top, gather, tidy
from mgmtool.types import ExtractSpec, KnownVideo, Outcome, Shard, VideoRef

_WHOLE = Shard()


@dataclass(slots=True)
class Committed:
    """What earlier runs committed.

    Attributes
    ----------
    parts : dict
        Ids of each part, by its number, but for parts that supersede rows of others.
    numbers : set of int
        Numbers of all parts.
    videos : dict
        By id, what counts of each video.
    """

    parts: dict[int, list[str]] = field(default_factory=dict)
    numbers: set[int] = field(default_factory=set)
    videos: dict[str, KnownVideo] = field(default_factory=dict)

    @classmethod
    def of(cls, place: Place) -> Self:
        """Read the commit records of a store."""
        found = cls()
        with read_errors(place.name):
            for record in place.read_many(list(map(record_file, committed_numbers(place)))):
                found.add(index_table(record))
        return found

    def add(self, record: pa.Table) -> None:
        """Take in the next commit record, in order."""
        names = ["id", "part", "status", "size_bytes", "mtime_ns", "fingerprint", "failure"]
        rows = zip(*(record[name].to_pylist() for name in names), strict=True)
        for video_id, part, status, *status_of_file, fingerprint, failure in rows:
            size, mtime_ns = (-1 if value is None else value for value in status_of_file)
            self.videos[video_id] = KnownVideo(part, status == "done", size, mtime_ns, fingerprint, failure)
        for number in set(record["part"].to_pylist()):
            self.numbers.add(number)
            if record["supersedes"].null_count == record.num_rows:
                self.parts[number] = record["id"].to_pylist()


class StoreWriter:
    """A store open for adding parts. Use :meth:`open`.

    Attributes
    ----------
    name : str
        Path or URL, for messages.
    spec : ExtractSpec
        What all its parts were made with.
    uuid : str or None
        Of the store that was opened; None for one of an early version. Nothing is committed to another.
    """

    def __init__(self, place: Place, spec: ExtractSpec, energy: bool, root: dict[str, Any]) -> None:
        self.name, self.spec, self.uuid, self._root = place.name, spec, root.get("uuid"), root
        self._place, self._arrays = place, frame_arrays(spec, energy)

    @classmethod
    def open(
        cls,
        path: str | Path,
        spec: ExtractSpec,
        *,
        energy: bool,
        input_root: str,
        versions: dict[str, str],
        scratch: str | None = None,
        shard: Shard = _WHOLE,
        overwrite: bool = False,
    ) -> Self:
        """Create a store, or open one made with the same spec, and remove the litter of a run that was killed.

        Parameters
        ----------
        path : path or URL
            Where the store is or will be.
        spec : ExtractSpec
            What to make it with.
        energy : bool
            Whether parts hold energy.
        input_root : str
            Folder to which ids are relative.
        versions : dict
            Versions of the libraries that decide the masks.
        scratch : str, optional
            Local folder in which the parts of a remote store grow; by default that of the system for temporary files.
        shard : Shard
            Whose litter is removed.
        overwrite : bool
            Remove a mask store that is there, and make another.

        Raises
        ------
        StoreError
            The path is a file, a folder of something else, or a foreign Zarr group.
        StoreBusyError
            A store is to be removed while a run is writing it.
        SpecMismatchError
            The store was made with another spec; the message names every option that differs.
        StoreWriteError
            The folder cannot be written.
        """
        where = place(path, scratch=scratch)
        with write_errors(where.name):
            fresh = root_attributes(spec, input_root, versions)
            if overwrite:
                _replace(where, fresh)
            attributes = _attributes(where, spec, input_root)
            if attributes is None:
                create_root(where, fresh)
                attributes = _attributes(where, spec, input_root) or {}
            tidy(where, shard)
        return cls(where, spec, energy, attributes)

    @staticmethod
    def look(path: str | Path, spec: ExtractSpec, *, input_root: str) -> Committed:
        """Read what earlier runs committed to a store that is to be resumed or created; changes nothing.

        Raises
        ------
        StoreError, SpecMismatchError
            As :meth:`open` does.
        """
        where = place(path)
        with write_errors(where.name):
            found = _attributes(where, spec, input_root)
            return Committed() if found is None else Committed.of(where)

    @staticmethod
    def remove(path: str | Path) -> None:
        """Delete a mask store, and nothing else.

        Raises
        ------
        StoreError
            The path holds something that is not a mask store.
        StoreBusyError
            A run is writing it.
        """
        where = place(path)
        with write_errors(where.name):
            if read_root(where) is not None:
                with _held_whole(where):
                    _empty(where)
                    where.remove()

    def committed(self) -> Committed:
        """Read what earlier runs committed."""
        return Committed.of(self._place)

    @contextlib.contextmanager
    def hold(self, shard: Shard) -> Iterator[None]:
        """Hold the store for the run of one shard.

        Raises
        ------
        StoreBusyError
            The same shard is being run already.
        StoreError
            The store was replaced or removed since it was opened.
        """
        number = RUNS + (shard.count << 20 | shard.index)
        if not self._place.lock(number):
            writing = (
                ", ".join(name for name in self._place.names(GROWING) if name.startswith("part-")) or "nothing yet"
            )
            raise StoreBusyError(
                f"another run is writing {self.name} ({writing}); wait for it, or give each run its own --shard"
            )
        try:
            check_same(self._place, self.uuid)  # from here on nobody can replace it
            yield
        finally:
            self._place.unlock(number)

    def part(self, number: int) -> PartWriter:
        """Start a part. Nothing of it is visible before its commit.

        Raises
        ------
        StoreBusyError
            Another run is writing this part, or has committed it.
        """
        return PartWriter(self._place, number, self._arrays, self._root)

    def unfinished(self, number: int) -> Path:
        """Say where the finished videos of a part lie that is not committed; see :attr:`PartWriter.unfinished`."""
        return self._place.unfinished(part_name(number))

    def outcomes(self, number: int, videos: Sequence[VideoRef]) -> list[Outcome]:
        """Return how the videos of a committed part ended, as far as its record tells."""
        with read_errors(self.name):
            rows = {row["id"]: row for row in index_table(self._place.read(record_file(number))).to_pylist()}
        ends = [(video, rows[video.id]) for video in videos]
        return [Outcome(v, None, row["failure"], row["message"], row["seconds"], number) for v, row in ends]

    def finish(self) -> None:
        """Gather the rows of the commit records that count into ``index.parquet``."""
        with write_errors(self.name):
            gather(self._place)

    def note(self, name: str, content: bytes) -> None:
        """Write a small file below the store, whole or not at all."""
        with write_errors(self.name):
            check_same(self._place, self.uuid)
            with at_the_top(self._place):
                self._place.write(name, content)


def _replace(place: Place, attributes: dict[str, Any]) -> None:
    """Remove the store that is there, if there is one, and make another before anybody else can write to the place."""
    if read_root(place) is not None:
        with _held_whole(place):
            _empty(place)
            create_root(place, attributes)


@contextlib.contextmanager
def _held_whole(place: Place) -> Iterator[None]:
    """Hold all locks of a store: those of every part and every run."""
    if not place.lock(0, 0):
        raise StoreBusyError(f"another run is writing {place.name}; it cannot be removed before that run has ended")
    try:
        yield
    finally:
        place.unlock(0, 0)


def _empty(place: Place) -> None:
    """Remove all of a store but its locks; its records first, so that none is ever without its arrays, and its root last."""
    place.remove("index")
    place.delete([name for name in place.sizes() if name not in {ROOT_FILE, LOCK_FILE}])
    for name in place.names():
        if name not in {ROOT_FILE, LOCK_FILE}:
            place.remove(name)
    place.delete([ROOT_FILE])


def _attributes(place: Place, spec: ExtractSpec, input_root: str) -> dict[str, Any] | None:
    """Read the attributes of a store, and refuse to add to one that was made in another way."""
    attributes = read_root(place)
    if attributes is None:
        return None
    words = differences(attributes["spec"], spec.to_json())
    if words:
        raise SpecMismatchError(
            f"{place.name} was made with {'; and with '.join(words)}; use the same options, another output, or --overwrite"
        )
    if attributes.get("input_root") != input_root:
        raise SpecMismatchError(
            f"{place.name} holds ids relative to {attributes.get('input_root')}, these inputs are under {input_root}; "
            "give the same inputs, or --root to say where that folder is"
        )
    return attributes
