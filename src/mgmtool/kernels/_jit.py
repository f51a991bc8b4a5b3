"""The one place that says how kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function on first call and keep the machine code on disk.

    No fast-math, so the order of additions is the order written and two runs give the same bytes. No ``parallel``: one process
    per core is faster here, and a thread pool does not survive a fork.
    """
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
