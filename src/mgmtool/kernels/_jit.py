"""The one place that says how kernels are compiled, and where their machine code is kept."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numba.core.config

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES = hashlib.sha256(
    b"\0".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_CURE = "set NUMBA_CACHE_DIR to a folder that can be written"
_CONFIG: Any = numba.core.config
_KERNELS: list[Any] = []
_notices: list[str] = []


def kernel(function: F) -> F:
    """Compile a function on first call and keep the machine code on disk.

    No fast-math, so the order of additions is the order written and two runs give the same bytes. No ``parallel``: one process
    per core is faster here, and a thread pool does not survive a fork.

    Machine code on disk is used as long as nothing in this folder changes. Numba alone looks at the file of the kernel itself,
    and would keep the old code of callees in other files.
    """
    compiled = _kept_on_disk(function)
    # No public setting adds to Numba's stamp of the source. Where these attributes are missing, its own stamp is used.
    file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if file is not None and hasattr(file, "_source_stamp"):
        file._source_stamp = (file._source_stamp, _SOURCES)
    _KERNELS.append(compiled)
    return cast("F", compiled)


def compilations() -> int:
    """Count the kernels that this process has had to compile so far, or is compiling now, because none was on disk."""
    return sum(sum(one.stats.cache_misses.values()) for one in _KERNELS if hasattr(one, "stats"))


def cache_problem() -> str | None:
    """Say in one line, with the cure, why machine code is not kept where it should be; None where it is."""
    wanted, kept = _CONFIG.CACHE_DIR, _folder()
    if not _notices and wanted and kept is not None and not kept.absolute().is_relative_to(Path(wanted).absolute()):
        _notices.append(f"NUMBA_CACHE_DIR is {wanted!r}, which cannot be written; compiled kernels are kept in {kept}")
    return _notices[0] if _notices else None


def _folder() -> Path | None:
    """Return the folder in which machine code is kept; None if it is not."""
    path = next((one.stats.cache_path for one in _KERNELS if hasattr(one, "stats")), None)
    return None if path is None else Path(path)


def _kept_on_disk(function: Callable[..., Any]) -> Any:
    """Compile with a cache: Numba's own, else one among the temporary files, else none."""
    try:
        return numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError as error:  # neither the folder of the code nor that of the user can be written
        if "cannot cache function" not in str(error):
            raise
    why = "compiled kernels cannot be kept: neither the folder of the code nor that of the user can be written"
    try:
        # Processes that are started from here find the folder in their environment.
        _CONFIG.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] = folder = str(_temporary())
        compiled = numba.njit(cache=True, **_OPTIONS)(function)
        _notices[:] = [f"{why}; they go to {folder}; {_CURE}"]
    except (OSError, RuntimeError):
        compiled = numba.njit(**_OPTIONS)(function)
        _notices[:] = [f"{why}, nor that of temporary files: every process compiles them again; {_CURE}"]
    return compiled


def _temporary() -> Path:
    """Return a folder among the temporary files that nobody else can write: machine code is run as it is."""
    if not hasattr(os, "getuid"):
        return Path(tempfile.mkdtemp(prefix="mgmtool-kernels-"))
    folder = Path(tempfile.gettempdir(), f"mgmtool-kernels-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    ours = status.st_uid == os.getuid() and not status.st_mode & 0o077 and not folder.is_symlink()
    return folder if ours else Path(tempfile.mkdtemp(prefix="mgmtool-kernels-"))
