"""Whether a store is whole: its records, its files, its arrays, and with ``deep`` every byte and every frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mgmtool.store._errors import read_errors
from mgmtool.store.layout import ATTRIBUTES
from mgmtool.store.reader import Store
from mgmtool.store.records import committed_numbers
from mgmtool.store.verify.arrays import check_arrays, check_files
from mgmtool.store.verify.findings import Finding, VerifyProgress, error
from mgmtool.store.verify.frames import check_frames
from mgmtool.store.verify.litter import check_index, check_litter
from mgmtool.store.verify.records import Ids, check_rows, read_record
from mgmtool.types import ExtractSpec

OnPart = Callable[[VerifyProgress], None]


def verify(
    store: str | Path, *, deep: bool = False, progress: VerifyProgress | None = None, on_part: OnPart | None = None
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
    progress : VerifyProgress, optional
        Counts what has been checked, while it is checked.
    on_part : callable, optional
        Called with the progress after each part.

    Yields
    ------
    Finding
        Errors and notes, in the order of the parts.

    Raises
    ------
    StoreError
        There is no mask store there, or the place cannot be reached.
    """
    opened, progress, ids = Store.open(store), progress or VerifyProgress(), Ids()
    with read_errors(opened.name):
        numbers = committed_numbers(opened.place)
        progress.of_parts = len(numbers)
        spec, found = check_root(opened.attributes)
        yield from found
        for number in numbers:
            yield from check_part(opened, number, spec, ids, deep, progress)
            progress.parts += 1
            progress.videos = len(ids.held)
            if on_part is not None:
                on_part(progress)
        yield from check_litter(opened.place)
        yield from check_index(opened)


def check_part(
    store: Store, number: int, spec: ExtractSpec | None, ids: Ids, deep: bool, progress: VerifyProgress
) -> Iterator[Finding]:
    """Check one part; without a spec, its arrays are left out."""
    record, found = read_record(store.place, number)
    progress.files += 1
    yield from found
    if record is None:
        return
    progress.frames += record.frames
    broken = list(check_rows(record))
    yield from broken
    yield from ids.check(record)
    yield from check_files(record, store.place, deep, progress)
    if spec is None:
        return
    wrong = list(check_arrays(record, store.arrays, spec))
    yield from wrong
    if deep and not broken and not wrong:  # rows that contradict each other say nothing of frames
        yield from check_frames(record, store.arrays, spec.layout)


def check_root(attributes: dict[str, Any]) -> tuple[ExtractSpec | None, list[Finding]]:
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
