"""What ``mgmtool list`` does between its options and the library."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mgmtool import corpus, sources
from mgmtool.cli._inputs import find_videos
from mgmtool.files import written_whole


def run(inputs: tuple[str, ...], output: str | None, form: str | None, where: Mapping[str, Any]) -> None:
    """Write the list to a file, which appears once it is whole, or to stdout."""
    found = find_videos(inputs, sources.VIDEO_EXTENSIONS, **where)
    if output is None:
        sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        corpus.write_manifest(found.videos, sys.stdout, form or "jsonl")
        return
    form = form or ("csv" if output.lower().endswith(".csv") else "jsonl")
    with (
        written_whole(Path(output)) as partial,
        partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        count = corpus.write_manifest(found.videos, file, form)
    size = sum(max(video.size, 0) for video in found.videos)
    click.echo(f"{output}: {count} videos, {size / 1e9:.3f} GB, below {found.root}", err=True)
