"""Make a damaged store one that the same ``extract`` command makes whole: what cannot be trusted is dropped, nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mgmtool.errors import StoreBusyError, StoreError
from mgmtool.storage import Place, place
from mgmtool.store._errors import read_errors, write_errors
from mgmtool.store.layout import ROOT_FILE, RUNS, part_name
from mgmtool.store.reader import Store
from mgmtool.store.records import committed_numbers, record_file
from mgmtool.store.root import root_content
from mgmtool.store.upkeep import gather
from mgmtool.store.verify import PartCheck, check_whole
from mgmtool.store.verify.findings import Finding, VerifyProgress
from mgmtool.store.verify.history import FOLDER, RunHistory
from mgmtool.store.verify.missing import lost_parts
from mgmtool.store.verify.records import Ids
from mgmtool.store.verify.root import RootCheck, differing, find_attributes, recorded_attributes

OnPart = Callable[[VerifyProgress], None]

_WHOLE = RUNS + (1 << 20)
"""The lock of a run without shards."""


@dataclass(slots=True)
class Repair:
    """What was wrong with a store, and what was done about it.

    Attributes
    ----------
    findings : list of Finding
        The errors that :func:`mgmtool.store.verify` finds, and whatever concerns the index.
    root : bool
        Whether the root is rebuilt from the records.
    dropped : list of int
        Parts whose record and arrays are removed, so that they are to be done again.
    missing : list of int
        Parts of which nothing is left but that they were there.
    lost : int
        Parts that runs committed and of which nothing is known.
    index : bool
        Whether ``index.parquet`` is rebuilt.
    kept : int
        Parts that stay as they are.
    """

    findings: list[Finding] = field(default_factory=list)
    root: bool = False
    dropped: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    lost: int = 0
    index: bool = False
    kept: int = 0

    @property
    def wrong(self) -> bool:
        """Whether the store is not as it should be; an index that is merely stale is nothing wrong."""
        return any(finding.severity == "error" for finding in self.findings)


def repair(
    store: str | Path,
    *,
    dry_run: bool = False,
    progress: VerifyProgress | None = None,
    on_part: OnPart | None = None,
) -> Repair:
    """Drop what cannot be trusted in a store, so that the extraction that made it makes it whole again.

    A part with an error in its record, its files or its arrays is removed, record first. A root that is lost, damaged or edited
    is rebuilt from what the records repeat of it. ``index.parquet`` is rebuilt. Whatever is sound stays as it is, byte by
    byte, and nothing at all is written where nothing is wrong. Every byte of the store is read.

    Parameters
    ----------
    store : path or URL
        Where it is; a place whose folders can be listed.
    dry_run : bool
        Only say what would be done.
    progress : VerifyProgress, optional
        Counts what has been checked, while it is checked.
    on_part : callable, optional
        Called with the progress after each part.

    Raises
    ------
    StoreBusyError
        A run holds the store.
    StoreError
        There is no mask store there, or nothing that can be trusted says what it was made with.
    StoreWriteError
        It cannot be written.
    """
    where = place(store)
    with read_errors(where.name):
        find_attributes(where)  # where there is no store, there is none to hold
    with read_errors(where.name), _alone(where, dry_run):
        found, attributes = _examine(where, progress or VerifyProgress(), on_part or (lambda _: None))
        if not dry_run and (found.wrong or found.index):
            with write_errors(where.name):
                _act(where, found, attributes)
    return found


@contextlib.contextmanager
def _alone(place: Place, dry_run: bool) -> Iterator[None]:
    """Hold a store as a run does."""
    busy = StoreBusyError(f"a run is writing {place.name}; it cannot be repaired before that run has ended")
    if place.held(0, 0):
        raise busy
    if dry_run:
        yield
        return
    if not place.lock(_WHOLE):
        raise busy
    try:
        yield
    finally:
        place.unlock(_WHOLE)


def _examine(where: Place, progress: VerifyProgress, on_part: OnPart) -> tuple[Repair, dict[str, Any]]:
    """Find out what is wrong and what is to be done about it; return the attributes, too, that the root should have."""
    attributes, found = find_attributes(where)
    trusted = recorded_attributes(where, attributes) or attributes
    result = Repair(findings=list(found), root=bool(found))
    root = RootCheck(trusted)
    spec, wrong = root.alone()
    if spec is None:
        raise StoreError(f"{where.name} cannot be repaired: {wrong[-1].message}, and no record says what it was")
    for path, expected, value in differing(trusted, attributes):
        text = f"attribute {path} is {value!r}; the records say {expected!r}"
        result.findings.append(Finding("attributes", "error", text, file=ROOT_FILE))
        result.root = True
    numbers = committed_numbers(where)
    progress.of_parts = len(numbers)
    opened, ids = Store(where, trusted), Ids(set(numbers))
    opened.arrays.rooted = not found
    check = PartCheck(opened, spec, True, progress)
    for number in numbers:
        errors = _part_errors(check, root, ids, number)
        result.findings += errors
        if errors:
            result.dropped.append(number)
            ids.there.discard(number)
        progress.parts += 1
        progress.videos = len(ids.held)
        on_part(progress)
    result.kept = len(numbers) - len(result.dropped)
    _examine_whole(opened, result)
    return result, trusted


def _part_errors(check: PartCheck, root: RootCheck, ids: Ids, number: int) -> list[Finding]:
    """Return what is wrong with a part, and take in its ids if nothing is."""
    record, found = check.read(number)
    if record is not None:
        own = RootCheck(root.attributes)  # for a record of another store, all of it is told
        found += [*own.check(record), *check.content(record)]
        found += [] if any(finding.severity == "error" for finding in found) else ids.check(record)
    errors = [finding for finding in found if finding.severity == "error"]
    if record is not None and not errors:
        ids.take(record)
    return errors


def _examine_whole(store: Store, result: Repair) -> None:
    """Look for parts that are missing, and at the index."""
    folders, history, told = set(store.place.names()), RunHistory.of(store.place), set[int]()
    for finding in check_whole(store, replace(history, going_on=False)):
        if finding.kind == "missing" and finding.severity == "error":
            if finding.part is None:
                result.lost = lost_parts(store.place, history, len(told))
            else:
                told.add(finding.part)
                (result.dropped if part_name(finding.part) in folders else result.missing).append(finding.part)
        if finding.severity == "error" or finding.kind == "index":
            result.findings.append(finding)
            result.index |= finding.kind == "index"
    result.index |= bool(result.dropped or result.missing or result.lost)


def _act(where: Place, found: Repair, attributes: dict[str, Any]) -> None:
    """Do what was found to be necessary; first it is noted, so that whatever interrupts this, it can be done again."""
    if found.dropped or found.missing or found.lost:
        _note(where, {"dropped": sorted({*found.dropped, *found.missing}), "lost": found.lost})
    if found.root:
        where.write(ROOT_FILE, root_content(attributes))
    for number in found.dropped:
        if not where.lock(number):
            raise StoreBusyError(f"a run is writing part {number} of {where.name}; it cannot be dropped")
        try:
            where.delete([record_file(number)])
            where.remove(part_name(number))
        finally:
            where.unlock(number)
    if found.index:
        gather(where)


def _note(where: Place, facts: dict[str, Any]) -> None:
    """Leave a record of the repair among those of the runs."""
    now, host = datetime.now(UTC), socket.gethostname()
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "_" for c in host) or "host"
    stamp = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    content = {"status": "repaired", "started": stamp, "ended": stamp, "host": host, "pid": os.getpid(), **facts}
    name = f"{FOLDER}/{now:%Y%m%dT%H%M%SZ}-{safe}-{os.getpid()}-repair.json"
    where.write(name, (json.dumps(content, indent=1) + "\n").encode())
