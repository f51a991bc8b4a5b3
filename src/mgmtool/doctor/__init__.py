"""Whether mgmtool can work here, and which of its features cannot: libraries, codecs, CPUs, memory, disks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from mgmtool.doctor._check import Check
from mgmtool.doctor._libraries import extras, versions
from mgmtool.doctor._machine import codecs, machine
from mgmtool.doctor._places import kernel_cache, output_folder, temporary_folder
from mgmtool.errors import one_line

__all__ = ["Check", "checks"]


def checks(path: Path | None = None) -> Iterator[Check]:
    """Look at everything, which takes about a second; what goes wrong in a check is its result.

    Parameters
    ----------
    path : Path, optional
        Folder in which a mask store shall lie. Without it, the current folder is looked at, and not being able to write there
        counts as missing, not as broken.

    Yields
    ------
    Check
        Group by group.
    """
    groups: dict[str, tuple[Callable[[], Iterator[Check]], ...]] = {
        "versions": (versions,),
        "codecs": (codecs,),
        "machine": (machine,),
        "places": (partial(output_folder, path), temporary_folder, kernel_cache),
        "extras": (extras,),
    }
    for group, looks in groups.items():
        for look in looks:
            try:
                yield from look()
            except Exception as error:  # noqa: BLE001  a library that is half installed fails in its own way; that is the news
                yield Check(group, "check", None, "broken", one_line(f"{type(error).__name__}: {error}"))
