"""Kernels compiled before a command works, and what is said of it."""

from __future__ import annotations

import gc
import pickle
import threading
from typing import TYPE_CHECKING

from mgmtool.cli.console import notice
from mgmtool.errors import OutputError

if TYPE_CHECKING:
    from mgmtool.extraction.recipe import Recipe

_NOTICE_SECONDS, _PULSE_SECONDS = 1.5, 5.0
"""Seconds until the first look whether anything is being compiled, and between later ones."""


def compile_kernels(recipe: Recipe, quiet: bool = False) -> None:
    """Compile or load the kernels that a recipe needs.

    Unless ``quiet`` is set, stderr says so if compiling takes long (loading is not spoken of), and where compiled kernels cannot
    be kept.

    Raises
    ------
    OutputError
        The folder of compiled kernels cannot be used.
    """
    from mgmtool.extraction.stream import warm_up
    from mgmtool.kernels import cache_problem, compilations

    before, over = compilations(), threading.Event()

    def tell() -> None:
        seconds = _NOTICE_SECONDS
        while not over.wait(seconds):
            if compilations() > before:
                notice("compiling kernels; this happens once, later runs load them")
                return
            seconds = _PULSE_SECONDS

    if not quiet:
        threading.Thread(target=tell, name="mgmtool-compiling", daemon=True).start()
        if (problem := cache_problem()) is not None:
            notice(problem)
    try:
        warm_up(recipe)
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise OutputError(
            f"the folder of compiled kernels cannot be used: {error or type(error).__name__}; mgmtool doctor says where it is: "
            "empty it, or set NUMBA_CACHE_DIR to another one"
        ) from None
    finally:
        over.set()
    gc.freeze()  # what is loaded by now stays: full collections need not walk it again and again
