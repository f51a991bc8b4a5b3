"""The journal of a part that is not committed: its finished videos, durable one by one.

Each process that works on videos of a part appends to a file of its own in the folder of that part, and hands on no more than
where in the file a video lies. A file is ``MAGIC``, then records: one that says for which store and which specification the
journal is, then for every video the chunks of its masks and a record of how it ended, which is what makes the video count. Each
record has a checksum; the valid records before the first that is not are what the file holds, whatever killed its writer.
Nothing in a journal is ever run: records are JSON and plain arrays.
"""

from __future__ import annotations

import json
import os
import secrets
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xxhash

from mgmtool.errors import StoreWriteError
from mgmtool.extraction.plain import built, plain
from mgmtool.files import sync
from mgmtool.types import ExtractSpec, MaskVolume, Outcome

MAGIC = b"mgmtool journal 1\n"
PREFIX = "journal-"
_HEAD = struct.Struct("<cQQ")
"""Before each payload: its kind, its length in bytes, and the XXH3 (64 bits) of kind, length and payload."""
_KEY, _CHUNK, _END = b"K", b"C", b"E"
_DTYPES = {"mask": "|b1", "box": "<i2", "pts": "<i8", "flags": "|u1", "energy": "|u1", "energy_scale": "<f4"}


@dataclass(frozen=True, slots=True)
class JournalKey:
    """What a journal is for; one of anything else is of no use.

    Attributes
    ----------
    store : str or None
        UUID of the store.
    made_with : str
        Digest of the specification, and of the versions of what decides the masks.
    """

    store: str | None
    made_with: str

    @classmethod
    def of(cls, store: str | None, spec: ExtractSpec, versions: Mapping[str, str]) -> JournalKey:
        """Make the key for a store and a spec."""
        text = json.dumps([spec.to_json(), dict(versions)], sort_keys=True, default=str)
        return cls(store, xxhash.xxh3_128_hexdigest(text.encode()))


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """Where in a journal the masks of a video lie, and the record of its end.

    Attributes
    ----------
    file : str
        The file.
    start, stop : int
        First byte of the first chunk, and the first behind the last record.
    """

    file: str
    start: int
    stop: int

    def volumes(self) -> Iterator[MaskVolume]:
        """Read the masks, chunk by chunk.

        Raises
        ------
        StoreWriteError
            The file is not what was written.
        """
        with Path(self.file).open("rb") as file:
            file.seek(self.start)
            while file.tell() < self.stop:
                record = _read(file, self.stop)
                if record is None:
                    raise StoreWriteError(f"{self.file} has changed since it was written; run the same command again")
                kind, payload = record
                if kind == _CHUNK:
                    yield _volume(payload)


class JournalWriter:
    """A journal being written, by one process. Opened by its first video.

    Parameters
    ----------
    folder : path
        Folder of the part.
    key : JournalKey
        What it is for.
    """

    def __init__(self, folder: str | Path, key: JournalKey) -> None:
        self.folder, self.key = str(folder), key
        self.file = str(Path(folder) / f"{PREFIX}{secrets.token_hex(8)}")
        self._out: BinaryIO | None = None
        self._start = self._at = 0

    def add(self, volume: MaskVolume) -> None:
        """Append a chunk of the video being worked on."""
        self._append(_CHUNK, *_parts(volume))

    def end(self, outcome: Outcome) -> JournalEntry:
        """Append how the video ended, and have it safely on disk; chunks of a failed video are taken back."""
        out = self._opened()
        if not outcome.done:
            self.undo()
        self._append(_END, json.dumps(plain(outcome), default=_number).encode())
        os.fdatasync(out.fileno()) if hasattr(os, "fdatasync") else os.fsync(out.fileno())
        entry = JournalEntry(self.file, self._start, self._at)
        self._start = self._at
        return entry

    def undo(self) -> None:
        """Take back the chunks of a video that has not ended."""
        if self._out is not None and self._at != self._start:
            self._out.truncate(self._start)
            self._out.seek(self._start)
            self._at = self._start

    def close(self) -> None:
        """Close the file."""
        if self._out is not None:
            self._out.close()
            self._out = None

    def _opened(self) -> BinaryIO:
        if self._out is None:
            self._out = Path(self.file).open("xb", buffering=0)  # noqa: SIM115  closed by close()
            self._out.write(MAGIC)
            self._at = len(MAGIC)
            self._append(_KEY, json.dumps(plain(self.key)).encode())
            self._start = self._at
            os.fsync(self._out.fileno())
            sync(Path(self.folder))
        return self._out

    def _append(self, kind: bytes, *pieces: bytes | memoryview) -> None:
        out = self._opened()
        length = sum(len(piece) for piece in pieces)
        head = _HEAD.pack(kind, length, _checksum(kind, length, pieces))
        content = b"".join((head, *pieces))
        written = 0
        while written < len(content):  # a disk that is almost full takes some of it
            written += out.write(memoryview(content)[written:])
        self._at += len(content)


def read_journals(folder: Path, key: JournalKey) -> dict[str, list[tuple[Outcome, JournalEntry]]]:
    """Read what finished videos a part has, by id; files of another key, and whatever is damaged, are left out."""
    found: dict[str, list[tuple[Outcome, JournalEntry]]] = {}
    for path in sorted(folder.glob(f"{PREFIX}*")):
        for outcome, entry in _entries(path, key):
            found.setdefault(outcome.video.id, []).append((outcome, entry))
    return found


def count_finished(folder: Path, key: JournalKey) -> int:
    """Count the finished videos of a part; their masks are not read."""
    return len({video_id for path in folder.glob(f"{PREFIX}*") for video_id in finished_ids(path, key)})


def finished_ids(path: Path, key: JournalKey | None = None) -> list[str]:
    """List the ids of the finished videos in one journal, of any key for None; their masks are not read."""
    return [outcome.video.id for outcome, _ in _entries(path, key, skim=True)]


def _entries(path: Path, key: JournalKey | None, *, skim: bool = False) -> Iterator[tuple[Outcome, JournalEntry]]:
    """Yield the valid entries before the first record that is not; ``skim`` leaves out the checksums of masks."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(len(MAGIC)) != MAGIC or (first := _read(file, size)) is None:
                return
            if first[0] != _KEY or (key is not None and json.loads(first[1]) != plain(key)):
                return
            start, frames = file.tell(), 0
            while (record := _read(file, size, skim)) is not None:
                kind, payload = record
                if kind == _CHUNK:
                    frames += 0 if skim else len(_volume(payload))
                elif kind == _END:
                    outcome: Outcome = built(Outcome, json.loads(payload))
                    counted = 0 if outcome.facts is None else outcome.facts.num_frames
                    if outcome.done == (outcome.facts is not None) and (skim or frames == counted):
                        yield outcome, JournalEntry(str(path), start, file.tell())
                    start, frames = file.tell(), 0
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return  # what comes behind is of no use; the videos are done again


def _read(file: BinaryIO, stop: int, skim: bool = False) -> tuple[bytes, bytes] | None:
    """Read a record; None where there is no whole one before ``stop``. With ``skim``, the payload of a chunk is passed over."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length, checksum = _HEAD.unpack(head)
    if length > stop - file.tell():
        return None
    if skim and kind == _CHUNK:
        file.seek(length, os.SEEK_CUR)
        return kind, b""
    payload = file.read(length)
    return (kind, payload) if _checksum(kind, length, (payload,)) == checksum else None


def _checksum(kind: bytes, length: int, pieces: tuple[bytes | memoryview, ...]) -> int:
    digest = xxhash.xxh3_64(kind + length.to_bytes(8, "little"))
    for piece in pieces:
        digest.update(piece)
    return digest.intdigest()


def _parts(volume: MaskVolume) -> tuple[bytes | memoryview, ...]:
    """Return the payload of a chunk: the shapes of its arrays as JSON, a line end, and their bytes one behind the other."""
    arrays = {name: np.ascontiguousarray(values, _DTYPES[name]) for name, values in volume.arrays().items()}
    shapes = json.dumps({name: values.shape for name, values in arrays.items()}).encode() + b"\n"
    return shapes, *(values.reshape(-1).view(np.uint8).data for values in arrays.values())


def _volume(payload: bytes) -> MaskVolume:
    """Read the payload of a chunk; ValueError or KeyError where it is none."""
    line, _, content = payload.partition(b"\n")
    arrays, at = {}, 0
    for name, shape in json.loads(line).items():
        dtype = np.dtype(_DTYPES[name])
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(content, dtype, count, at).reshape(shape)
        at += count * dtype.itemsize
    volume = MaskVolume(**arrays)
    if at != len(content) or any(len(values) != len(volume) for values in arrays.values()):
        raise ValueError("a chunk of other length than its shapes say")
    return volume


def _number(value: Any) -> Any:
    """Turn a number of NumPy's into one of Python's."""
    return value.item()
