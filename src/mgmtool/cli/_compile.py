"""The first run compiles; it says so instead of looking hung."""

from __future__ import annotations

import gc
import threading

import click

from mgmtool.extraction.recipe import Recipe
from mgmtool.extraction.stream import warm_up
from mgmtool.types import ExtractSpec

_NOTICE_SECONDS = 1.5
_NOTICE = "compiling kernels; this happens once, later runs load them"


def compile_kernels(spec: ExtractSpec | Recipe, quiet: bool = False) -> None:
    """Compile or load what a spec needs, and say on stderr what takes so long, unless it does not or ``quiet`` is set."""
    timer = threading.Timer(_NOTICE_SECONDS, click.echo, args=[_NOTICE], kwargs={"err": True})
    timer.daemon = True
    if not quiet:
        timer.start()
    try:
        warm_up(spec)
    finally:
        timer.cancel()
    gc.freeze()  # what is loaded by now stays: full collections need not walk it again and again
