"""Numbers and facts as people read them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mgmtool.errors import one_line

_ENDINGS = 12
"""Most endings of skipped files that are named."""


def duration(seconds: float) -> str:
    """Write a time in its two largest units: ``3 d 4 h``, ``2 h 05 min``, ``7 min 10 s``, ``12 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole // 60 % 60:02} min"
    return f"{whole // 86400} d {whole // 3600 % 24} h"


def three_digits(value: float) -> str:
    """Write a number with three significant digits, or as a whole number from 100 on."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:.3g}"


def in_bytes(size: float) -> str:
    """Write a size with a unit."""
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 999.5 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{three_digits(size)} {unit}"


def shown(place: str | os.PathLike[str]) -> str:
    """Write a path or URL as one line that is harmless on a terminal, without what may be a secret."""
    from mgmtool.storage import public

    return one_line(public(place))


def counted(counts: Mapping[str, int]) -> str:
    """Write counts by name, the most frequent first: ``3 open, 1 timeout``."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))


def skipped_words(counts: Mapping[str, int]) -> str:
    """Say how many files of the folders are not taken for videos: ``skipped 12 files by ending: 7 .jpg, 5 .txt``."""
    files = sum(counts.values())
    return f"skipped {files} file{'s' * (files != 1)} by ending: {one_line(counted(skipped_facts(counts)))}"


def skipped_facts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the most frequent endings, and the others as one: numbered files may each have an ending of their own."""
    most = dict(sorted(counts.items(), key=lambda item: -item[1])[:_ENDINGS])
    others = sum(counts.values()) - sum(most.values())
    return {**most, "others": others} if others else most


def plain_words(value: Any) -> str:
    """Write a fact in one line: nested ones with commas between, a dash for none."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain_words(item)}" for key, item in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(map(plain_words, value)) or "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else one_line(str(value))
