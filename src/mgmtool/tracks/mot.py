"""MOT text: a box a line."""

from __future__ import annotations

from dataclasses import replace

from mgmtool.tracks.rows import ObjectBox, failure, number, sides, whole

_COLUMNS = ("frame", "id", "bb_left", "bb_top", "bb_width", "bb_height", "conf")


def read_mot(file: str, text: str) -> list[ObjectBox]:
    """Read all rows; ids are None where they do not tell objects apart."""
    lines = ((f"{file}, line {n}", line) for n, line in enumerate(text.split("\n"), 1) if line.strip())
    rows = [row for where, line in lines if (row := _row(where, line)) is not None]
    ids = [row.track for row in rows if row.track is not None]
    if max(ids, default=0) <= 0:
        return [replace(row, track=None) for row in rows]
    return [replace(row, track=None) if row.track is not None and row.track < 0 else row for row in rows]


def _row(where: str, line: str) -> ObjectBox | None:
    fields = line.split(",") if "," in line else line.split()
    if len(fields) < 6:
        raise failure(where, "the row", line.strip(), f"{','.join(_COLUMNS[:6])}[,conf[,...]]")
    values = [read_value(field) for field in fields[: len(_COLUMNS)]]
    frame, track = whole(where, "frame", values[0], 1), whole(where, "id", values[1])
    numbers = [number(where, name, value) for name, value in zip(_COLUMNS[2:], values[2:], strict=False)]
    if numbers[4:] == [0.0]:
        return None
    return ObjectBox(frame - 1, track, sides(where, numbers[:4]), where)


def read_value(field: str) -> float | str:
    """Return the number that a field spells, or the field."""
    for kind in (int, float):
        try:
            return kind(field)
        except ValueError:
            continue
    return field.strip()
