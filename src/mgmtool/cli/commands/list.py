"""``mgmtool list``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgmtool.cli.console import notice
from mgmtool.cli.options import Inputs, Replace
from mgmtool.cli.records import as_command, option, record
from mgmtool.cli.words import skipped_words
from mgmtool.errors import OutputError

if TYPE_CHECKING:
    from mgmtool.corpus import Corpus


@record("output")
class Manifest(Replace):
    """The manifest to write."""

    output: str | None = option(
        "-o", "--output", type=click.Path(dir_okay=False), help="File to write.  [default: stdout]"
    )
    form: str | None = option(
        "--format",
        type=click.Choice(["csv", "jsonl"]),
        help="Format of the manifest.  [default: by the suffix of OUTPUT, else jsonl]",
    )


@as_command
def command(inputs: Inputs, manifest: Manifest) -> None:
    """List the videos that extract would take, as a manifest with their sizes and times.

    List a corpus once, and have every driver of a large run read the list: extract --manifest does not look at a file whose
    size the manifest gives.

    Exit codes: 0 the list is written, 1 no video was found, 2 wrong usage.
    """
    from mgmtool import corpus

    manifest.check_new(manifest.output)
    found, output = inputs.find(), manifest.output
    if found.skipped:
        notice(skipped_words(found.skipped))
    if output is None:
        sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        corpus.write_manifest(found.videos, sys.stdout, manifest.form or "jsonl")
        return
    count = _save(found, Path(output), manifest.form or ("csv" if output.lower().endswith(".csv") else "jsonl"))
    size = sum(max(video.size, 0) for video in found.videos)
    click.echo(f"{output}: {count} videos, {size / 1e9:.3f} GB, below {found.root}", err=True)


def _save(found: Corpus, target: Path, form: str) -> int:
    """Write the list to a file, which appears once it is complete."""
    from mgmtool import corpus

    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            count = corpus.write_manifest(found.videos, file, form)
        aside.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)
    return count
