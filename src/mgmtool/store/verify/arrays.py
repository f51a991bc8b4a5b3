"""Files and arrays of a part against its commit record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mgmtool.errors import StoreError, one_line
from mgmtool.storage import Place
from mgmtool.store.arrays import Arrays
from mgmtool.store.checksums import differences, of_bytes
from mgmtool.store.layout import ATTRIBUTES, ArraySpec, frame_arrays, part_name
from mgmtool.store.verify.findings import Finding, VerifyProgress, error
from mgmtool.store.verify.records import CommitRecord
from mgmtool.types import ExtractSpec

OPTIONAL = {"energy", "energy_scale"}


def check_files(record: CommitRecord, place: Place, deep: bool, progress: VerifyProgress) -> Iterator[Finding]:
    """Compare names and sizes of the files of a part with its record, and with ``deep`` their checksums."""
    there, expected = place.sizes(part_name(record.number)), record.checksums
    progress.files += len(there)
    if expected is None:
        return
    missing, surplus = differences(expected, there)
    for name in missing:
        yield _at("file", record, name, f"the file is missing; expected {expected[name][0]} bytes")
    for name in surplus:
        yield _at("file", record, name, f"a file of {there[name]} bytes that the record does not list; expected none")
    for name in sorted(expected.keys() & there.keys()):
        size, checksum = expected[name]
        if there[name] != size:
            yield _at("file", record, name, f"the file has {there[name]} bytes; expected {size}")
        elif deep:
            try:
                content = place.read(f"{part_name(record.number)}/{name}")
            except OSError as problem:
                yield _at("file", record, name, f"the file cannot be read: {one_line(str(problem))}")
                continue
            progress.bytes += len(content)
            found = of_bytes(content)
            if found != expected[name]:
                yield _at("checksum", record, name, f"XXH3 is {found[1]}; expected {checksum}")


def _at(kind: str, record: CommitRecord, name: str, message: str) -> Finding:
    return error(kind, message, record.number, file=f"{part_name(record.number)}/{name}")


def check_arrays(record: CommitRecord, arrays: Arrays, spec: ExtractSpec) -> Iterator[Finding]:
    """Compare the arrays of a part with what is documented: names, types, axes, lengths, and the offsets."""
    specs = {array.name: array for array in frame_arrays(spec, energy=True)}
    opened: dict[str, Any] = {}
    for name in (*specs, "offset"):
        try:
            opened[name] = arrays.open(record.number, name)
        except Exception as problem:  # noqa: BLE001  zarr and file systems raise errors of many kinds over damaged files
            words = one_line(str(problem)) or type(problem).__name__
            yield _at("array", record, name, f"the array cannot be opened: {words}")
            return
        if opened[name] is not None and not hasattr(opened[name], "shape"):
            yield _at("array", record, name, "the array cannot be opened: it is a group")
            return
    absent = [name for name, array in opened.items() if array is None]
    for name in absent:
        if name not in OPTIONAL or not set(absent) >= OPTIONAL:
            yield _at("array", record, name, "the array is missing; expected one, as docs/store.md says")
    if not spec.energy and not OPTIONAL & set(absent):
        yield _at("array", record, "energy", "there is energy, but the spec of the store says energy=False")
    for name, array in specs.items():
        if opened[name] is not None:
            yield from check_shape(record, array, opened[name])
    if opened["offset"] is not None:
        yield from check_offset(record, arrays, opened["offset"])


def check_shape(record: CommitRecord, expected: ArraySpec, array: Any) -> Iterator[Finding]:
    """Compare type, shape and axes of an array with the documented ones."""
    wanted = {
        "dtype": str(np.dtype(expected.dtype)),
        "shape": (record.frames, *expected.row),
        "dimension_names": expected.axes,
    }
    found = {
        "dtype": str(array.dtype),
        "shape": tuple(array.shape),
        "dimension_names": tuple(array.metadata.dimension_names or ()),
    }
    for name, value in wanted.items():
        if found[name] != value:
            yield _at("array", record, expected.name, f"{name} is {found[name]}; expected {value}")


def check_offset(record: CommitRecord, arrays: Arrays, array: Any) -> Iterator[Finding]:
    """Compare the array ``offset`` of a part with the rows in its record."""
    axes = tuple(array.metadata.dimension_names or ())
    if str(array.dtype) != "int64" or axes != tuple(ATTRIBUTES["axes"]["offset"]):
        yield _at("array", record, "offset", f"the array is {array.dtype} over {axes}; expected int64 over ('video',)")
        return
    expected = [0, *(row["row_stop"] for row in record.done())]
    try:
        found = arrays.whole(array).tolist()
    except StoreError as problem:
        yield _at("array", record, "offset", f"the array cannot be read: {problem}")
        return
    if len(found) != len(expected):
        text = f"the array has {len(found)} values; expected {len(expected)}, one more than videos that are done"
        yield _at("array", record, "offset", text)
    elif found != expected:
        place = next(k for k, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1])
        text = f"offset[{place}] is {found[place]}; expected {expected[place]}, where the rows of the index end"
        yield _at("array", record, "offset", text)
