"""Folders that are written to: space, permission, locks."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mgmtool.doctor._check import Check
from mgmtool.doctor._machine import size
from mgmtool.files import can_lock


def output_folder(path: Path | None) -> Iterator[Check]:
    """Look at the folder in which a store shall lie: a file is made there, locked and removed."""
    folder = Path.cwd() if path is None else path.absolute()
    try:
        with tempfile.TemporaryDirectory(prefix=".mgmtool-doctor-", dir=folder) as inside:
            locks = can_lock(Path(inside))
        yield _space("output", folder)
    except OSError as error:
        yield Check(
            "places",
            "output",
            str(folder),
            "missing" if path is None else "broken",
            f"cannot be written: {error.strerror or error}",
        )
        return
    if locks:
        yield Check("places", "locks", "work", note="several drivers may write one store there")
    else:
        yield Check(
            "places", "locks", None, "missing", "no locks on this file system; give each driver its own --shard"
        )


def temporary_folder() -> Iterator[Check]:
    """Look at the folder for temporary files."""
    try:
        with tempfile.TemporaryFile():
            yield _space("temporary", Path(tempfile.gettempdir()))
    except OSError as error:
        yield Check("places", "temporary", None, "broken", f"set TMPDIR to a folder that can be written: {error}")


def kernel_cache() -> Iterator[Check]:
    """Say whether compiled kernels can be kept, and whether there are any."""
    from mgmtool.kernels.field import motion_field

    stats = getattr(motion_field, "stats", None)
    if stats is None:
        yield Check("places", "kernels", "not compiled", "missing", "NUMBA_DISABLE_JIT is set: everything is very slow")
        return
    folder = Path(stats.cache_path)
    kept = len(list(folder.glob(f"*.py{sys.version_info[0]}{sys.version_info[1]}.nbi")))
    value = f"{kept} compiled" if kept else "none compiled yet"
    if os.access(folder, os.W_OK):
        yield Check(
            "places", "kernels", value, note=str(folder) if kept else f"the first run compiles them into {folder}"
        )
    else:
        note = f"{folder} cannot be written: what is not in it is compiled in every run; set NUMBA_CACHE_DIR"
        yield Check("places", "kernels", value, "missing", note)


def _space(name: str, folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    little = free < 1e9
    note = f"{folder}" + (": little space" if little else "")
    return Check("places", name, f"{size(free)} free", "missing" if little else "ok", note)
