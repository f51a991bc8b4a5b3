"""The one place that says how kernels are compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES = hashlib.sha256(
    b"\0".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))
).hexdigest()


def kernel(function: F) -> F:
    """Compile a function on first call and keep the machine code on disk.

    No fast-math, so the order of additions is the order written and two runs give the same bytes. No ``parallel``: one process
    per core is faster here, and a thread pool does not survive a fork.

    Machine code on disk is used as long as nothing in this folder changes. Numba alone looks at the file of the kernel itself,
    and would keep the old code of callees in other files.
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    # No public setting adds to Numba's stamp of the source. Where these attributes are missing, its own stamp is used.
    file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if file is not None and hasattr(file, "_source_stamp"):
        file._source_stamp = (file._source_stamp, _SOURCES)
    return cast("F", compiled)
