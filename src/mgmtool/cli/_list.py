"""What ``mgmtool list`` does between its options and the library."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from mgmtool import corpus, sources
from mgmtool.cli._inputs import find_videos
from mgmtool.errors import OutputError


def run(inputs: tuple[str, ...], output: str | None, form: str | None, where: Mapping[str, Any]) -> None:
    """Write the list to a file, which appears once it is whole, or to stdout."""
    found = find_videos(inputs, sources.VIDEO_EXTENSIONS, **where)
    if output is None:
        sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        corpus.write_manifest(found.videos, sys.stdout, form or "jsonl")
        return
    count = _write(found.videos, Path(output), form or ("csv" if output.lower().endswith(".csv") else "jsonl"))
    size = sum(max(video.size, 0) for video in found.videos)
    click.echo(f"{output}: {count} videos, {size / 1e9:.3f} GB, below {found.root}", err=True)


def _write(videos: tuple[Any, ...], target: Path, form: str) -> int:
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            count = corpus.write_manifest(videos, file, form)
        aside.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)
    return count
