"""Manifests with columns: csv, JSON lines, and what they have in common with Parquet."""

from __future__ import annotations

import csv
import functools
import gzip
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from mgmtool.corpus.entry import Entry
from mgmtool.errors import InputError, UsageError
from mgmtool.storage import absolute, storable

PATHS = ("path", "video_path", "video", "filename", "file", "filepath", "name")
"""Columns that hold paths; the first that is there does."""

LABELS = ("label", "class", "labels", "target")
"""Columns that hold labels; the first that is there does."""

SIZE, MTIME = "size_bytes", "mtime_ns"
_DELIMITERS = ",\t;"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column means what."""

    names: tuple[str, ...]
    path: str
    label: str | None
    extra: tuple[str, ...]


@functools.lru_cache(64)
def choose(names: tuple[str, ...], path_column: str | None) -> Columns | None:
    """Give the columns their meaning; None where none holds paths."""
    path = _first(names, PATHS if path_column is None else (path_column,))
    if path is None:
        return None
    label = _first([name for name in names if name != path], LABELS)
    return Columns(names, path, label, tuple(name for name in names if name not in {path, label, SIZE, MTIME}))


def refuse_twins(columns: Columns, manifest: str) -> Columns:
    """Return the columns, unless two have the same name.

    Raises
    ------
    InputError
    """
    twin = next((name for number, name in enumerate(columns.names) if name in columns.names[:number]), None)
    if twin is not None:
        raise InputError(f"manifest {manifest!r} has the column {twin!r} twice")
    return columns


def _first(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Return the column that is wanted first, in any case if not as it is written."""
    lower = {name.lower(): name for name in reversed(names)}
    return next((want if want in names else lower[want.lower()] for want in wanted if want.lower() in lower), None)


def no_column(manifest: str, names: Sequence[str], path_column: str | None) -> UsageError:
    """Return the error for a manifest without its column of paths."""
    found = ", ".join(map(repr, names)) or "none"
    if path_column is not None:
        return UsageError(f"manifest {manifest!r} has no column {path_column!r}; its columns are {found}")
    return UsageError(
        f"manifest {manifest!r} has no column of paths; its columns are {found}; expected one of {', '.join(PATHS)}, "
        "or --path-column NAME"
    )


def entry(record: Mapping[str, Any], columns: Columns, base: str) -> Entry:
    """Turn a row into its entry.

    Raises
    ------
    ValueError
        It has no path, or its size or time is no integer.
    """
    extra = json_text({name: record[name] for name in columns.extra}) if columns.extra else None
    label = text(record[columns.label]) if columns.label else None
    path = place(record[columns.path], base)
    return Entry(path, label, extra, _integer(record.get(SIZE), SIZE), _integer(record.get(MTIME), MTIME))


def place(path: Any, base: str) -> str:
    """Return a path as it is given to its absolute form."""
    if not isinstance(path, str) or not path.strip():
        raise ValueError(f"the path is {path!r}; expected the name of a file")
    if "\0" in path:
        raise ValueError(f"the path is {path!r}, with a NUL in it; expected a file name in UTF-8")
    return absolute(path, base)


def text(value: Any) -> str | None:
    """Return a label as text; None where it is empty."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    # Labels are few and videos many: equal ones share their memory.
    return sys.intern(storable(value) if isinstance(value, str) else json_text(value))


def json_text(value: Any) -> str:
    """Write JSON that depends on nothing but the value: no spaces, keys in their order; numbers JSON has not are null."""
    try:
        written = _dump(value)
    except ValueError:
        written = _dump(_finite(value))
    return storable(written)


_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str).encode


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _integer(value: Any, name: str) -> int:
    """Return a size or time; -1 where there is none."""
    written = "" if value is None else str(value).strip().lower()
    if written in {"", "nan"}:
        return -1
    number = _exact(written)
    if number is None or number >= 2**63:
        raise ValueError(f"{name} is {value!r}; expected an integer, or nothing")
    return max(number, -1)


def _exact(written: str) -> int | None:
    """Read an integer, also as tools write it that hold numbers as floats: ``1200.0``."""
    try:
        return int(written)
    except ValueError:
        pass
    try:
        number = float(written)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def open_text(path: str, newline: str) -> IO[str]:
    """Open a text file, gzipped or not; a byte order mark is dropped, and names that are no UTF-8 stay the bytes they are."""
    opener = gzip.open if path.lower().endswith(".gz") else open
    return opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline=newline)


def lines(path: str) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers."""
    with open_text(path, "\n") as file:
        for number, line in enumerate(file, 1):
            stripped = line.rstrip(" \t\r\n")
            if stripped:
                yield number, stripped


def first_line(path: str) -> str:
    """Return the first line that is not blank.

    Raises
    ------
    InputError
        There is none, or it is no text.
    """
    line = next((line for _, line in lines(path)), None)
    if line is None:
        raise InputError(f"manifest {path!r} lists no video")
    if "\0" in line:
        raise InputError(f"manifest {path!r}, line 1: {line[:40]!r} has a NUL in it; expected UTF-8 text")
    return line


def fields(line: str, delimiter: str = ",") -> Iterator[list[str]]:
    """Split one line as csv."""
    return ([name.strip() for name in row] for row in csv.reader([line], delimiter=delimiter))


def header(line: str, path_column: str | None, path: str) -> tuple[Columns, str] | None:
    """Return the columns that a first line names, and what stands between them; None if it names no paths.

    Raises
    ------
    InputError
        Two columns have the same name.
    """
    for delimiter in _DELIMITERS:
        columns = choose(tuple(next(fields(line, delimiter))), path_column)
        if columns is not None:
            return refuse_twins(columns, path), delimiter
    return None


def csv_rows(path: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows below the header, with the numbers of their last lines.

    Raises
    ------
    InputError
        It is no csv.
    """
    with open_text(path, "") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            below = False
            for row in reader:
                if below and row:
                    yield reader.line_num, row
                below = below or bool(row)
        except csv.Error as error:
            raise InputError(f"manifest {path!r}, line {reader.line_num}: {error}") from None


def csv_entry(row: list[str], columns: Columns, base: str) -> Entry:
    """Turn a row of csv into its entry."""
    if len(row) != len(columns.names):
        raise ValueError(f"{len(row)} fields; expected {len(columns.names)}, as the header has")
    return entry(dict(zip(columns.names, row, strict=True)), columns, base)


def json_entry(line: str, base: str, path_column: str | None) -> Entry:
    """Turn a line of JSON into its entry: an object, or a path."""
    try:
        record = json.loads(line)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON ({error}); expected an object or a path in quotes") from None
    if isinstance(record, str):
        return Entry(place(record, base))
    if not isinstance(record, dict):
        raise ValueError(f"JSON of {line[:40]!r}; expected an object or a path in quotes")
    columns = choose(tuple(record), path_column)
    if columns is None:
        wanted = path_column or ", ".join(PATHS)
        raise ValueError(f"no path; the keys are {', '.join(map(repr, record)) or 'none'}; expected {wanted}")
    return entry(record, columns, base)
