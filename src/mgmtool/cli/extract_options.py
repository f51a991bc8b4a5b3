"""Options that ``extract`` alone has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgmtool.cli.options import Masks, Talk, Workers
from mgmtool.cli.parameters import GridType, PlaceType
from mgmtool.cli.records import option, record

if TYPE_CHECKING:
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.types import PatchGrid


@record("masks")
class StoreMasks(Masks):
    """What decides the content of a mask store."""

    energy: bool = option(
        "--energy/--no-energy", default=True, help="Store motion energy, for masks in training crops."
    )
    energy_grid: PatchGrid = option(
        "--energy-grid", type=GridType(), default="16x16", help="Grid of the stored energy."
    )
    part_videos: int = option(
        "--part-videos",
        metavar="N",
        last=True,
        type=click.IntRange(1),
        default=256,
        section="running",
        help="Maximum number of videos in a part of the store.",
    )

    def store_recipe(self) -> Recipe:
        """Return what makes the store; see :meth:`recipe`."""
        return self.recipe(energy=self.energy, energy_grid=self.energy_grid, part_videos=self.part_videos)


@record("running")
class Running(Workers):
    """How a run works, beyond its engine."""

    shard: str | None = option(
        "--shard",
        metavar="I/N",
        help="Process every N-th part, starting at the I-th, from 0.  [default: set by Slurm or Kubernetes, else all]",
    )
    dry_run: bool = option(
        "--dry-run", is_flag=True, help="Write nothing; report what would be done and roughly how long it would take."
    )
    scratch: str | None = option(
        "--scratch",
        last=True,
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, writable=True),
        help="Folder for copies of remote videos and other temporary files.  [default: the system's]",
    )


@record("failures")
class Failures:
    """What happens to videos that failed or have changed."""

    retry_failed: bool = option("--retry-failed", is_flag=True, help="Retry videos that failed in earlier runs.")
    refresh: bool = option("--refresh", is_flag=True, help="Extract videos again whose files have changed.")
    max_failures: int | None = option(
        "--max-failures",
        metavar="N",
        type=click.IntRange(0),
        help="Stop with exit code 4 once more videos than this have failed.",
    )
    fingerprint: str = option(
        "--fingerprint",
        last=True,
        type=click.Choice(["stat", "content"]),
        default="stat",
        help="How to detect changed files: by size and modification time, or by a hash of their bytes.",
    )


@record("output")
class Output(Talk):
    """The store to write, and what is told of it."""

    output: str | Path = option(
        "-o",
        "--output",
        type=PlaceType(),
        required=True,
        metavar="PATH",
        help="Mask store to create or resume; a path or a URL.",
    )
    overwrite: bool = option(
        "--overwrite", is_flag=True, help="Remove the mask store at OUTPUT first; asks on a terminal."
    )
    yes: bool = option("-y", "--yes", is_flag=True, help="Answer yes to every question.")
    as_json: bool = option(
        "--json",
        is_flag=True,
        help="Print one JSON event per video and per part, and a summary, on stdout.",
    )
    verbose: bool = option("-v", "--verbose", is_flag=True, help="Name every video on stderr.")
    log_file: Path | None = option(
        "--log-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Append one line per event to this file, with UTC time and level.",
    )
    profile: bool = option(
        "--profile", is_flag=True, last=True, help="Report at the end where the time went, stage by stage."
    )
