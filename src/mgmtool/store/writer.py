"""Writing a store: parts are written aside, and committed by their Parquet record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import pyarrow as pa

from mgmtool.errors import SpecMismatchError
from mgmtool.store.layout import check_attributes, frame_arrays, root_attributes
from mgmtool.store.local import LocalHome
from mgmtool.store.part import Home, PartWriter, write_errors
from mgmtool.store.remote_home import RemoteHome
from mgmtool.types import ExtractSpec, KnownVideo, Outcome, Shard, VideoRef


class StoreHome(Home, Protocol):
    """All that a writer asks of the place where a store lies; see :class:`mgmtool.store.local.LocalHome`."""

    def attributes(self) -> dict[str, Any] | None:
        """Return the attributes of the root group; None where nothing is there yet."""
        ...

    def create(self, attributes: dict[str, Any]) -> None:
        """Make an empty store."""
        ...

    def tidy(self) -> None:
        """Remove what broken runs left."""
        ...

    def remove(self) -> None:
        """Delete the store."""
        ...

    def records(self) -> Iterable[pa.Table]:
        """Yield the commit record of every part, in order."""
        ...

    def run(self, key: int) -> AbstractContextManager[None]:
        """Hold the store for a run; two runs of the same key exclude each other."""
        ...

    def gather(self) -> int:
        """Write ``index.parquet``; return its rows."""
        ...

    def note(self, name: str, content: bytes) -> None:
        """Write a small file below the store, whole or not at all."""
        ...


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

    def add(self, record: pa.Table) -> None:
        """Take in the next commit record, in order."""
        names = ["id", "part", "status", "size_bytes", "mtime_ns", "fingerprint"]
        rows = zip(*(record[name].to_pylist() for name in names), strict=True)
        for video_id, part, status, size, mtime_ns, fingerprint in rows:
            then = _known(size), _known(mtime_ns)
            self.videos[video_id] = KnownVideo(part, status == "done", *then, fingerprint)
        for number in set(record["part"].to_pylist()):
            self.numbers.add(number)
            if record["supersedes"].null_count == record.num_rows:
                self.parts[number] = record["id"].to_pylist()


class StoreWriter:
    """A store open for adding parts. Use :meth:`open`.

    Attributes
    ----------
    name : str
        Path or URL.
    spec : ExtractSpec
        What all its parts were made with.
    """

    def __init__(self, home: StoreHome, spec: ExtractSpec, energy: bool) -> None:
        self.name, self.spec = home.name, spec
        self._home, self._arrays = home, frame_arrays(spec, energy)

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
        home = home_of(path, scratch)
        with write_errors(home.name):
            attributes = home.attributes()
            if attributes is None:
                home.create(root_attributes(spec, input_root, versions))
                attributes = home.attributes() or {}  # of whichever driver was first
            check_attributes(attributes, home.name)
            _check_same(home.name, attributes, spec, input_root)
            home.tidy()
        return cls(home, spec, energy)

    @staticmethod
    def look(path: str | Path, spec: ExtractSpec, *, input_root: str) -> Committed:
        """Read what earlier runs committed to a store that is to be gone on with, or made; changes nothing.

        Raises
        ------
        StoreError, SpecMismatchError
            As :meth:`open` does.
        """
        home = home_of(path)
        with write_errors(home.name):
            attributes = home.attributes()
            if attributes is None:
                return Committed()
            check_attributes(attributes, home.name)
            _check_same(home.name, attributes, spec, input_root)
            return _committed(home)

    @staticmethod
    def remove(path: str | Path) -> None:
        """Delete a mask store, and nothing else.

        Raises
        ------
        StoreError
            The path holds something that is not a mask store.
        """
        home = home_of(path)
        with write_errors(home.name):
            attributes = home.attributes()
            if attributes is not None:
                check_attributes(attributes, home.name)
                home.remove()

    def committed(self) -> Committed:
        """Read what earlier runs committed."""
        return _committed(self._home)

    def run(self, shard: Shard) -> AbstractContextManager[None]:
        """Hold the store for the run of one shard.

        Raises
        ------
        StoreBusyError
            The same shard is being run already.
        """
        return self._home.run(shard.count << 20 | shard.index)

    def part(self, number: int) -> PartWriter:
        """Start a part. Nothing of it is visible before its commit.

        Raises
        ------
        StoreBusyError
            Another driver is writing this part, or has committed it.
        """
        return PartWriter(self._home, number, self._arrays)

    def outcomes(self, number: int, videos: Sequence[VideoRef]) -> list[Outcome]:
        """Say how the videos of a committed part ended, as far as its record tells."""
        rows = {
            row["id"]: row for record in self._home.records() for row in record.to_pylist() if row["part"] == number
        }
        ends = [(video, rows[video.id]) for video in videos]
        return [Outcome(v, None, row["failure"], row["message"], row["seconds"], number) for v, row in ends]

    def finish(self) -> None:
        """Gather the rows of the commit records that count into ``index.parquet``."""
        with write_errors(self.name):
            self._home.gather()

    def note(self, name: str, content: bytes) -> None:
        """Write a small file below the store, whole or not at all."""
        with write_errors(self.name):
            self._home.note(name, content)


def _committed(home: StoreHome) -> Committed:
    found = Committed()
    for record in home.records():
        found.add(record)
    return found


def _known(value: int | None) -> int:
    return -1 if value is None else value


def home_of(path: str | Path, scratch: str | None = None) -> StoreHome:
    """Say where a path or URL points."""
    text = str(path)
    if "://" not in text:
        return LocalHome(Path(path))
    folder = text.removeprefix("file://")
    return RemoteHome(text, scratch) if folder == text else LocalHome(Path(folder))  # which has locks


def _check_same(name: str, attributes: Mapping[str, Any], spec: ExtractSpec, input_root: str) -> None:
    """Refuse to add to a store that was made in another way."""
    before, now = attributes["spec"], spec.to_json()
    for option, value in now.items():
        if before.get(option) != value:
            raise SpecMismatchError(
                f"{name} was made with {option}={before.get(option)!r}, this run asks for {value!r}; "
                "use the same options, another output, or --overwrite"
            )
    if attributes.get("input_root") != input_root:
        raise SpecMismatchError(
            f"{name} holds ids relative to {attributes.get('input_root')}, these inputs are under {input_root}; "
            "give the same inputs, or --root to say where that folder is"
        )
