"""Commit records: what they hold by themselves, and what they say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from mgmtool.errors import FAILURE_CLASSES, one_line
from mgmtool.storage import Place
from mgmtool.store.checksums import Checksum, load, seal_holds
from mgmtool.store.index import SCHEMA, recorded_root
from mgmtool.store.records import parquet_table, record_file
from mgmtool.store.verify.findings import Finding, error, note

LATER = {"fingerprint", "label", "extra", "supersedes"}
"""Columns that early stores of version 1 do not have."""

_SEEN = ("id", "part", "status", "failure", "num_frames", "row_start", "row_stop", "height", "width", "supersedes")


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """What the commit record of a part says, as far as it is checked.

    Attributes
    ----------
    number : int
        Of the part.
    file : str
        Relative to the store.
    rows : list of dict
        The columns of its rows that are checked.
    checksums : dict or None
        Of the files of the part; None in records of early stores.
    root : dict or None
        The attributes of the store as the record repeats them; None where it does not, or cannot be trusted.
    sealed : bool or None
        Whether its seal holds; None where it has none.
    """

    number: int
    file: str
    rows: list[dict[str, Any]]
    checksums: dict[str, Checksum] | None
    root: dict[str, Any] | None = None
    sealed: bool | None = None

    @property
    def frames(self) -> int:
        """Rows that the arrays of the part should have."""
        return max((row["row_stop"] for row in self.rows), default=0)

    def done(self) -> list[dict[str, Any]]:
        """Rows of the videos that have masks."""
        return [row for row in self.rows if row["status"] == "done"]


def read_record(place: Place, number: int, must_be_sealed: bool) -> tuple[CommitRecord | None, list[Finding]]:
    """Read a commit record; None where it cannot be used."""
    file = record_file(number)
    try:
        content = place.read(file)
        table = parquet_table(content)
        checksums, root = load(table.schema.metadata), recorded_root(table.schema.metadata)
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as problem:
        return None, [error("record", f"the commit record cannot be read: {one_line(str(problem))}", number, file=file)]
    sealed = seal_holds(content)
    found = [] if sealed else list(check_seal(sealed, must_be_sealed or root is not None, number, file))
    columns = list(check_schema(table.schema, number, file))
    found += columns
    if any(finding.severity == "error" for finding in columns):
        return None, found
    if checksums is None:
        found.append(
            note("unchecked", "the record has no checksums, as in early stores; files are not compared", number)
        )
    rows = table.select([name for name in _SEEN if name in table.schema.names]).to_pylist()
    return CommitRecord(number, file, rows, checksums, root if sealed else None, sealed), found


def check_seal(sealed: bool | None, expected: bool, number: int, file: str) -> Iterator[Finding]:
    """Say what is wrong with the seal of a record, if anything is."""
    if sealed is False:
        text = "the seal is broken: a byte of the record differs from what was written; expected none to change"
        yield error("record", text, number, file=file)
    elif sealed is None and expected:
        yield error(
            "record", "the record has no seal: it was rewritten by another program; expected one", number, file=file
        )


def check_schema(schema: pa.Schema, number: int, file: str) -> Iterator[Finding]:
    """Compare the columns of a record with the documented ones; their order does not matter."""
    for expected in SCHEMA:
        if expected.name in schema.names:
            kind = str(schema.field(expected.name).type).replace("element: ", "item: ")
            if kind != str(expected.type).replace("element: ", "item: "):
                text = f"column {expected.name} is of type {kind}; expected {expected.type}"
                yield error("record", text, number, file=file)
        elif expected.name not in LATER:
            yield error(
                "record", f"the record has no column {expected.name}; expected {expected.type}", number, file=file
            )
    for name in sorted(set(schema.names) - set(SCHEMA.names)):
        yield note("record", f"the record has a column {name} that this mgmtool does not know", number, file=file)


def check_rows(record: CommitRecord) -> Iterator[Finding]:
    """Check the rows of a record by themselves."""
    before, ids = 0, set[str]()
    for row in record.rows:
        for words in row_problems(row, record.number, before):
            yield error("row", words, record.number, file=record.file, video=row["id"])
        if row["id"] in ids:
            yield error("id", "the id has two rows in this part; expected one", record.number, video=row["id"])
        ids.add(row["id"])
        before = row["row_stop"]


def row_problems(row: Mapping[str, Any], number: int, before: int) -> Iterator[str]:
    """Say what is wrong with an index row of a part, whose rows should start at ``before``."""
    start, stop = row["row_start"], row["row_stop"]
    frames = stop - start
    if row["part"] != number:
        yield f"the column part is {row['part']}; expected {number}, as the file is named"
    if start != before or frames < 0:
        yield f"rows are {start}:{stop}; expected them to start at {before}, where the row before ends"
    if row["status"] == "done":
        if row["num_frames"] != frames or frames < 1:
            yield f"num_frames is {row['num_frames']} for {frames} rows; expected the same number, 1 or more"
        if row["failure"] is not None:
            yield f"failure is {row['failure']!r} for a video that is done; expected null"
        if min(row["height"] or 0, row["width"] or 0) < 1:
            yield f"displayed size is {row['height']}x{row['width']}; expected 1x1 or more"
    elif row["status"] == "failed":
        if frames:
            yield f"a failed video has {frames} rows; expected none"
        if row["failure"] not in FAILURE_CLASSES:
            yield f"failure is {row['failure']!r}; expected one of: {', '.join(FAILURE_CLASSES)}"
    else:
        yield f"status is {row['status']!r}; expected 'done' or 'failed'"


@dataclass(slots=True)
class Ids:
    """Which part counts for each id, over the records read so far, in order.

    Attributes
    ----------
    there : set of int
        Parts that have a record.
    held : dict
        Part whose row counts, by id.
    """

    there: set[int]
    held: dict[str, int] = field(default_factory=dict)

    def check(self, record: CommitRecord) -> Iterator[Finding]:
        """Compare the next record with those before: an id is new, or says which row it supersedes."""
        for row in record.rows:
            older, claimed = self.held.get(row["id"]), row.get("supersedes")
            lost = older is None and claimed is not None and claimed < record.number and claimed not in self.there
            if older != claimed and not lost:  # what is lost is told of elsewhere
                if claimed is None:
                    words = f"part {older} has a row for this id, too, which is not superseded; expected one row that counts"
                elif older is None:
                    words = f"supersedes is {claimed}, but no part before has a row for this id; expected null"
                else:
                    words = f"supersedes is {claimed}, but the row that counted until here is in part {older}"
                yield error("id", words, record.number, file=record.file, video=row["id"])

    def take(self, record: CommitRecord) -> None:
        """Let the rows of a record count."""
        self.held.update((row["id"], record.number) for row in record.rows)
