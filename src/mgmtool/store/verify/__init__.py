"""Whether a store is whole: its records, its files, its arrays, and with ``deep`` every byte and every frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mgmtool.storage import place
from mgmtool.store._errors import read_errors
from mgmtool.store.reader import Store
from mgmtool.store.records import committed_numbers
from mgmtool.store.verify.arrays import check_arrays, check_files
from mgmtool.store.verify.findings import Finding, VerifyProgress, note
from mgmtool.store.verify.frames import check_frames
from mgmtool.store.verify.history import RunHistory
from mgmtool.store.verify.litter import check_index, check_litter
from mgmtool.store.verify.missing import check_count, check_missing
from mgmtool.store.verify.records import CommitRecord, Ids, check_rows, read_record
from mgmtool.store.verify.root import RootCheck, find_attributes
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
    where, progress = place(store), progress or VerifyProgress()
    with read_errors(where.name):
        attributes, found = find_attributes(where)
        yield from found
        opened, numbers = Store(where, attributes), committed_numbers(where)
        opened.arrays.rooted = not found
        progress.of_parts = len(numbers)
        root = RootCheck(attributes)
        spec, found = root.alone()
        yield from found
        check = PartCheck(opened, spec, deep, progress)
        ids, unsealed = Ids(set(numbers)), 0
        for number in numbers:
            record, found = check.read(number)
            yield from found
            if record is not None:
                yield from root.check(record)
                yield from ids.check(record)
                ids.take(record)
                yield from check.content(record)
                unsealed += record.sealed is None and record.checksums is not None
            progress.parts += 1
            progress.videos = len(ids.held)
            if on_part is not None:
                on_part(progress)
        if unsealed and "records" not in attributes:
            yield note(
                "unchecked", f"{unsealed} records have no seal, as in early stores; a changed row is not always found"
            )
        yield from check_whole(opened, RunHistory.of(where))


def check_whole(store: Store, history: RunHistory) -> Iterator[Finding]:
    """Check what is of no single part: parts that are missing, litter, and the index."""
    missing = set[int | None]()
    for finding in check_missing(store.place, history):
        missing |= {finding.part} if finding.severity == "error" else set()
        yield finding
    yield from check_litter(store.place)
    for finding in check_index(store, history, missing):
        missing |= {finding.part} if finding.kind == "missing" else set()
        yield finding
    yield from check_count(store.place, history, len(missing))


@dataclass(frozen=True, slots=True)
class PartCheck:
    """How each part is checked.

    Attributes
    ----------
    store : Store
        The store.
    spec : ExtractSpec or None
        What it was made with; without it, arrays are left out.
    deep : bool
        Whether every byte is read.
    progress : VerifyProgress
        Counts what has been checked.
    """

    store: Store
    spec: ExtractSpec | None
    deep: bool
    progress: VerifyProgress

    def read(self, number: int) -> tuple[CommitRecord | None, list[Finding]]:
        """Read a commit record and check it by itself, but for its rows; None where it cannot be used."""
        record, found = read_record(self.store.place, number, "records" in self.store.attributes)
        self.progress.files += 1
        self.progress.frames += 0 if record is None else record.frames
        return record, found

    def content(self, record: CommitRecord) -> Iterator[Finding]:
        """Check the rows of a record, and the files and arrays of its part."""
        broken = list(check_rows(record))
        yield from broken
        yield from check_files(record, self.store.place, self.deep, self.progress)
        if self.spec is None:
            return
        wrong = list(check_arrays(record, self.store.arrays, self.spec))
        yield from wrong
        if self.deep and not broken and not wrong:  # rows that contradict each other say nothing of frames
            yield from check_frames(record, self.store.arrays, self.spec.layout)
