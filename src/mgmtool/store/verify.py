"""Whether a store is whole: its records, its files, its arrays, and with ``deep`` every byte and every frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mgmtool.store._check_arrays import check_arrays, check_files
from mgmtool.store._check_frames import check_frames
from mgmtool.store._check_litter import check_index, check_litter
from mgmtool.store._check_records import Ids, check_rows, read_record
from mgmtool.store._files import Files, files_of, numbered
from mgmtool.store.columns import Columns
from mgmtool.store.findings import Finding, Tally, error
from mgmtool.store.layout import ATTRIBUTES, check_attributes
from mgmtool.store.location import Location, locate, read_attributes, reading
from mgmtool.types import ExtractSpec

OnPart = Callable[[Tally], None]


def verify(
    store: str | Path, *, deep: bool = False, tally: Tally | None = None, on_part: OnPart | None = None
) -> Iterator[Finding]:
    """Check a store against docs/store.md. Nothing is written.

    A store that is being written gives no false errors: the parts are checked that were committed when the check began, and those
    never change.

    Parameters
    ----------
    store : path or URL
        Where it is; a place whose folders can be listed.
    deep : bool
        Read every byte: checksums, and what holds in every frame.
    tally : Tally, optional
        Counts what has been checked, while it is checked.
    on_part : callable, optional
        Called after each part.

    Yields
    ------
    Finding
        Errors and notes, in the order of the parts.

    Raises
    ------
    StoreError
        There is no mask store there, or the place cannot be reached.
    """
    location = locate(store)
    attributes = read_attributes(location)
    check_attributes(attributes, location.name)
    check = _Check(location, files_of(store), deep, tally or Tally(), on_part or _silent)
    with reading(location.name):
        yield from check.findings(attributes)


class _Check:
    def __init__(self, location: Location, files: Files, deep: bool, tally: Tally, told: OnPart) -> None:
        self._location, self._files, self._deep, self._tally, self._told = location, files, deep, tally, told
        self._ids = Ids()
        self._columns = Columns(location, None)

    def findings(self, attributes: dict[str, Any]) -> Iterator[Finding]:
        numbers = numbered(self._files.names("index"))
        self._tally.of_parts = len(numbers)
        spec, found = _spec_of(attributes)
        yield from found
        root = self._location.group()
        for number in numbers:
            yield from self._part(number, root, spec)
            self._tally.parts += 1
            self._tally.videos = len(self._ids.held)
            self._told(self._tally)
        yield from check_litter(self._files)
        yield from check_index(self._location, self._files)

    def _part(self, number: int, root: Any, spec: ExtractSpec | None) -> Iterator[Finding]:
        record, found = read_record(self._files, number)
        self._tally.files += 1
        yield from found
        if record is None:
            return
        self._tally.frames += record.frames
        broken = list(check_rows(record))
        yield from broken
        yield from self._ids.check(record)
        yield from check_files(record, self._files, self._deep, self._tally)
        if spec is None:
            return
        wrong = list(check_arrays(record, root, spec))
        yield from wrong
        if self._deep and not broken and not wrong:  # rows that contradict each other say nothing of frames
            yield from check_frames(record, self._columns, spec)


def _spec_of(attributes: dict[str, Any]) -> tuple[ExtractSpec | None, list[Finding]]:
    """Read the spec, and compare the attributes that are the same in every store."""
    expected = {name: ATTRIBUTES[name] for name in ("mask_true_means", "axes")}
    found = [
        error("attributes", f"attribute {name} is {attributes.get(name)!r}; expected {value!r}", file="zarr.json")
        for name, value in expected.items()
        if attributes.get(name) != value
    ]
    found += [
        error("attributes", f"there is no attribute {name}; expected one", file="zarr.json")
        for name in ("units", "input_root", "versions")
        if name not in attributes
    ]
    try:
        spec = ExtractSpec.from_json(attributes["spec"])
        _ = spec.layout
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        text = f"attribute spec cannot be used: {type(problem).__name__}: {problem}; expected that of an extraction"
        return None, [*found, error("attributes", text, file="zarr.json")]
    return spec, found


def _silent(_: Tally) -> None:
    """Tell nobody."""
