"""Load and compile what workers need, once, in the process they are forked from, which imports this module by its name.

A worker then gives the first result of a tiny clip after 0.06 s instead of 0.45 s, so many workers start at once and replacing
one costs next to nothing. Nothing here may start a thread of ours: threads do not survive a fork.
"""

from __future__ import annotations

import gc
from contextlib import suppress

import mgmtool.extraction.worker  # noqa: F401  with all that it imports
from mgmtool.extraction.stream import warm_up
from mgmtool.types import ExtractSpec

# An error would end the fork server without a word; where it matters, a worker meets it again, and can say so.
with suppress(Exception):
    warm_up(ExtractSpec())

# What is loaded stays: without this each full collection would walk it all, and copy the pages that workers share.
gc.freeze()
