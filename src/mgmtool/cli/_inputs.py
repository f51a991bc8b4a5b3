"""What INPUT stands for, in every command that takes a corpus."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from mgmtool import corpus
from mgmtool.corpus import Corpus
from mgmtool.errors import UsageError


def find_videos(inputs: Sequence[str], extensions: Sequence[str], nul: bool, root: str | None) -> Corpus:
    """Find the videos that are named by arguments, and by a list on stdin where one of them is ``-``.

    Raises
    ------
    InputError, UsageError
    """
    if not inputs:
        raise UsageError("no INPUT given; expected files, folders, glob patterns, or - for a list on stdin")
    if nul and "-" not in inputs:
        raise UsageError("-0 is for a list on stdin, but no INPUT is -")
    listed = _stdin_paths(nul) if "-" in inputs else []
    return corpus.scan([name for name in inputs if name != "-"], extensions, listed=listed, root=root)


def _stdin_paths(nul: bool) -> list[str]:
    """Paths from stdin, as the bytes they are; empty lines are skipped."""
    raw = sys.stdin.buffer.read().split(b"\0" if nul else b"\n")
    lines = raw if nul else [line.rstrip(b"\r") for line in raw]
    return [os.fsdecode(line) for line in lines if line]
