"""Writing a store: parts grow unseen, and count once their Parquet record is written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from mgmtool.errors import SpecMismatchError, StoreBusyError
from mgmtool.storage import GROWING, Place, place
from mgmtool.store._errors import read_errors, write_errors
from mgmtool.store.layout import ROOT_FILE, RUNS, frame_arrays, root_attributes
from mgmtool.store.part import PartWriter
from mgmtool.store.records import committed_numbers, index_table, record_file
from mgmtool.store.root import create_root, read_root
from mgmtool.store.upkeep import gather, tidy
from mgmtool.types import ExtractSpec, KnownVideo, Outcome, Shard, VideoRef


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
    """

    def __init__(self, place: Place, spec: ExtractSpec, energy: bool, root: dict[str, Any]) -> None:
        self.name, self.spec, self._root = place.name, spec, root
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

        Raises
        ------
        StoreError
            The path is a file, a folder of something else, or a foreign Zarr group.
        SpecMismatchError
            The store was made with another spec; the message names the first option that differs.
        StoreWriteError
            The folder cannot be written.
        """
        where = place(path, scratch=scratch)
        with write_errors(where.name):
            root = _attributes(where, spec, input_root)
            if root is None:
                create_root(where, root_attributes(spec, input_root, versions))
                root = _attributes(where, spec, input_root) or {}
            tidy(where)
        return cls(where, spec, energy, root)

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
        """
        where = place(path)
        with write_errors(where.name):
            if read_root(where) is None:
                return
            where.remove("index")  # first, so that no record is without its arrays
            where.delete([name for name in where.sizes() if name != ROOT_FILE])
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
            self._place.write(name, content)


def _attributes(place: Place, spec: ExtractSpec, input_root: str) -> dict[str, Any] | None:
    """Read the attributes of a store, and refuse to add to one that was made in another way."""
    attributes = read_root(place)
    if attributes is None:
        return None
    before, now = attributes["spec"], spec.to_json()
    for option, value in now.items():
        if before.get(option) != value:
            raise SpecMismatchError(
                f"{place.name} was made with {option}={before.get(option)!r}, this run asks for {value!r}; "
                "use the same options, another output, or --overwrite"
            )
    if attributes.get("input_root") != input_root:
        raise SpecMismatchError(
            f"{place.name} holds ids relative to {attributes.get('input_root')}, these inputs are under {input_root}; "
            "give the same inputs, or --root to say where that folder is"
        )
    return attributes
