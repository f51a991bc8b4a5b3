"""What INPUT and ``--manifest`` stand for, in every command that takes a corpus."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from mgmtool import corpus
from mgmtool.corpus import Corpus, Entry
from mgmtool.errors import UsageError


def find_videos(
    inputs: Sequence[str],
    extensions: Sequence[str],
    *,
    nul: bool,
    root: str | None,
    manifest: Sequence[str],
    path_column: str | None,
    limit: int | None,
) -> Corpus:
    """Find the videos that are named by arguments, by manifests, and by a list on stdin where an argument is ``-``.

    Raises
    ------
    InputError, UsageError
    """
    if not inputs and not manifest:
        raise UsageError(
            "no INPUT given; expected files, folders, glob patterns, or - for a list on stdin; or --manifest FILE"
        )
    if nul and "-" not in inputs:
        raise UsageError("-0 is for a list on stdin, but no INPUT is -")
    if path_column is not None and not manifest:
        raise UsageError(f"--path-column is {path_column!r}, but there is no --manifest to have it")
    lists: list[Iterable[str | Entry]] = [_stdin_paths(nul)] if "-" in inputs else []
    lists += [corpus.read_manifest(path, extensions, root=root, path_column=path_column) for path in manifest]
    listed = (item for one in lists for item in one)
    return corpus.scan([name for name in inputs if name != "-"], extensions, listed=listed, root=root, limit=limit)


def _stdin_paths(nul: bool) -> Iterator[str]:
    """Paths from stdin, as the bytes they are; empty lines are skipped."""
    raw = sys.stdin.buffer.read().split(b"\0" if nul else b"\n")
    lines = raw if nul else [line.rstrip(b"\r") for line in raw]
    return (os.fsdecode(line) for line in lines if line)
