"""A list of videos to a manifest that says all that a scan of the disk would."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from typing import TextIO

from mgmtool.errors import UsageError
from mgmtool.types import VideoRef

FORMATS = ("csv", "jsonl")


def write_manifest(videos: Iterable[VideoRef], file: TextIO, form: str) -> int:
    """Write paths, sizes and times, with labels and further columns, and return the number of videos.

    Parameters
    ----------
    videos : iterable of VideoRef
        In the order in which they are written.
    file : text file
        Open for writing; names that are not Unicode need ``errors="surrogateescape"`` for csv.
    form : str
        ``csv`` or ``jsonl``.

    Raises
    ------
    UsageError
        The form is unknown, or is ``csv`` where a video has further columns.
    """
    if form not in FORMATS:
        raise UsageError(f"format is {form!r}; expected one of: {', '.join(FORMATS)}")
    return _write_csv(videos, file) if form == "csv" else _write_jsonl(videos, file)


def _write_csv(videos: Iterable[VideoRef], file: TextIO) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("path", "size_bytes", "mtime_ns", "label"))
    count = 0
    for video in videos:
        if video.extra is not None:
            raise UsageError(
                f"{video.id!r} has further columns, which differ from video to video; write jsonl, not csv"
            )
        writer.writerow((video.path, _known(video.size), _known(video.mtime_ns), video.label))
        count += 1
    return count


def _write_jsonl(videos: Iterable[VideoRef], file: TextIO) -> int:
    count = 0
    for video in videos:
        known = {"size_bytes": _known(video.size), "mtime_ns": _known(video.mtime_ns), "label": video.label}
        extra = {} if video.extra is None else json.loads(video.extra)
        row = {"path": video.path, **{name: value for name, value in known.items() if value is not None}, **extra}
        file.write(json.dumps(row) + "\n")
        count += 1
    return count


def _known(value: int) -> int | None:
    return None if value < 0 else value
