"""Checksums: of the files of a part, kept in its commit record, and of a Parquet file, kept in itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import xxhash

METADATA_KEY = b"mgmtool.files"
"""Key of the Parquet metadata of a commit record that holds :class:`Checksum` by file, as JSON."""

SEAL_KEY = b"mgmtool.seal"
"""Key of the Parquet metadata that holds the XXH3 of the whole file, taken with :data:`UNSEALED` in its place."""
UNSEALED = b"0" * 32
"""What a file is written with, to be sealed afterwards."""

_SEAL = SEAL_KEY + b"\x18\x20"
"""The key as it stands in a footer, with what Thrift says of the value: text, 32 bytes."""

Checksum = tuple[int, str]
"""Size in bytes, and XXH3 (128 bits) in hexadecimal digits."""


def sealed(content: bytes) -> bytes:
    """Put its seal into a Parquet file whose metadata have the key :data:`SEAL_KEY` and the value :data:`UNSEALED`."""
    at = content.rindex(_SEAL) + len(_SEAL)
    seal = xxhash.xxh3_128_hexdigest(content).encode()
    return content[:at] + seal + content[at + len(seal) :]


def seal_holds(content: bytes) -> bool | None:
    """Whether a Parquet file is, byte by byte, what was sealed; None where it has no seal."""
    at = content.rfind(_SEAL) + len(_SEAL)
    if at < len(_SEAL):
        return None
    rest = content[at + len(UNSEALED) :]
    seal = content[at : at + len(UNSEALED)]
    return xxhash.xxh3_128_hexdigest(content[:at] + UNSEALED + rest).encode() == seal


def of_bytes(content: bytes) -> Checksum:
    """Return size and checksum of some bytes."""
    return len(content), xxhash.xxh3_128_hexdigest(content)


def of_folder(folder: Path) -> dict[str, Checksum]:
    """Return size and checksum of every file below a folder, by its path relative to it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): of_bytes(path.read_bytes()) for path in files}


def first_difference(expected: Mapping[str, Checksum], found: Mapping[str, Checksum]) -> str | None:
    """Say in a few words which file is not what was written, the first by name; None where all are."""
    for name in sorted(expected.keys() | found.keys()):
        was, now = expected.get(name), found.get(name)
        if was is None:
            return f"{name} was not written by this run"
        if now is None:
            return f"{name} is gone"
        if now[0] != was[0]:
            return f"{name} has {now[0]} bytes, {was[0]} were written"
        if now != was:
            return f"{name} has other content than was written"
    return None


def dump(checksums: Mapping[str, Checksum]) -> bytes:
    """Write checksums as JSON."""
    return json.dumps({name: list(value) for name, value in sorted(checksums.items())}).encode()


def load(metadata: Mapping[bytes, bytes] | None) -> dict[str, Checksum] | None:
    """Read the checksums in the metadata of a commit record; None where it has none."""
    text = (metadata or {}).get(METADATA_KEY)
    if text is None:
        return None
    return {name: (int(size), str(digest)) for name, (size, digest) in json.loads(text).items()}


def differences(expected: Mapping[str, Checksum], names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the files that are missing and those that are too many, sorted."""
    there = set(names)
    return sorted(expected.keys() - there), sorted(there - expected.keys())
