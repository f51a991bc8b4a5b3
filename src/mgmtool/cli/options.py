"""Options as records that make what the library takes: those of ``extract``, many of which other commands share.

An option that only one other command has is declared in the file of that command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mgmtool.cli import completion
from mgmtool.cli.parameters import GridType, KeyValueType, PlaceType
from mgmtool.cli.records import argument, option, record
from mgmtool.cli.words import shown

if TYPE_CHECKING:
    from mgmtool.cli.console import Progress
    from mgmtool.corpus import Corpus, Entry
    from mgmtool.engines import Engine
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.types import DecodeOptions, ExtractSpec, PatchGrid

_FROM_1 = click.IntRange(1, 2**31 - 1)


@record("inputs")
class Inputs:
    """The videos to work on."""

    inputs: tuple[str, ...] = argument(nargs=-1, metavar="INPUT...", shell_complete=completion.files)
    manifest: tuple[str, ...] = option(
        "--manifest",
        type=click.Path(),
        metavar="FILE",
        multiple=True,
        help="File that lists videos: .txt, .csv, .tsv, .jsonl or .parquet; may be repeated.",
    )
    root: str | None = option(
        "--root",
        type=click.Path(file_okay=False),
        metavar="PLACE",
        help="Folder or URL that video ids are relative to.",
    )
    limit: int | None = option(
        "--limit", type=click.IntRange(1), metavar="N", help="Take only the first N videos of the ordered list."
    )
    path_column: str | None = option(
        "--path-column", metavar="NAME", last=True, help="Column of the manifest that holds paths."
    )
    allow_protocol: tuple[str, ...] = option(
        "--allow-protocol",
        metavar="NAME",
        multiple=True,
        last=True,
        help="Protocol that URLs in a list may have, such as s3; may be repeated.  [default: those of INPUT, --manifest, --root]",
    )
    nul: bool = option("-0", is_flag=True, last=True, help="Paths on stdin (INPUT -) end with NUL instead of newline.")

    def find(self, extensions: Sequence[str] | None = None) -> Corpus:
        """Find the videos named by arguments, by manifests, and on stdin if an argument is ``-``.

        Parameters
        ----------
        extensions : sequence of str, optional
            File name endings of videos in folders; by default those that any source can read.

        Raises
        ------
        InputError, UsageError
        """
        from mgmtool import corpus, sources
        from mgmtool.errors import UsageError
        from mgmtool.storage import is_url, protocols

        if not self.inputs and not self.manifest:
            raise UsageError(
                "no INPUT given; expected files, folders, glob patterns, or - for a list on stdin; or --manifest FILE"
            )
        if self.nul and "-" not in self.inputs:
            raise UsageError("-0 is for a list on stdin, but no INPUT is -")
        if self.path_column is not None and not self.manifest:
            raise UsageError(f"--path-column is {self.path_column!r}, but no --manifest is given")
        known, root = extensions or sources.VIDEO_EXTENSIONS, self.root
        lists: list[Iterable[str | Entry]] = [self.stdin_paths()] if "-" in self.inputs else []
        lists += [corpus.read_manifest(path, known, root=root, path_column=self.path_column) for path in self.manifest]
        named = [name for name in self.inputs if name != "-"]
        allowed = {name.removesuffix("://").lower() for name in self.allow_protocol}
        allowed.update(*(protocols(name) for name in self.manifest if is_url(name)))
        listed = chain.from_iterable(lists)
        return corpus.scan(named, known, listed=listed, root=root, limit=self.limit, allowed=allowed)

    def stdin_paths(self) -> list[str]:
        """Read paths from stdin as raw bytes; empty lines are skipped."""
        raw = sys.stdin.buffer.read().split(b"\0" if self.nul else b"\n")
        lines = raw if self.nul else [line.rstrip(b"\r") for line in raw]
        return [os.fsdecode(line) for line in lines if line]


@record("inputs")
class Reading:
    """Which stream of a file is read, and within which limits."""

    stream: int | None = option(
        "--stream",
        metavar="N",
        last=True,
        type=click.IntRange(0),
        help="Index of the video stream among all streams, from 0.  [default: the first stream that is not cover art]",
    )
    strict: bool = option(
        "--strict", is_flag=True, section="failures", help="Fail videos that have corrupt frames or lost packets."
    )
    max_pixels: int = option(
        "--max-pixels",
        metavar="N",
        last=True,
        type=_FROM_1,
        default=2**27,
        section="failures",
        help="Fail videos whose frames exceed this many pixels.",
    )
    max_frames: int = option(
        "--max-frames",
        metavar="N",
        last=True,
        type=_FROM_1,
        default=10_000_000,
        section="failures",
        help="Fail videos with more frames than this.",
    )

    def decode_options(self) -> DecodeOptions:
        """Return how files are to be decoded."""
        from mgmtool.types import DecodeOptions

        return DecodeOptions(
            stream=self.stream, strict=self.strict, max_pixels=self.max_pixels, max_frames=self.max_frames
        )


@record("masks")
class Masks(Reading):
    """What decides the masks of a video."""

    scheme: str = option(
        "--scheme",
        metavar="NAME",
        default="motion-guided",
        shell_complete=completion.plugin_names("mgmtool.masking"),
        help="Mask scheme; see mgmtool schemes.",
    )
    scheme_option: tuple[tuple[str, str], ...] = option(
        "--scheme-option", type=KeyValueType(), multiple=True, help="Option of the scheme; may be repeated."
    )
    ratio: float = option(
        "--ratio", metavar="SHARE", type=click.FloatRange(0, 1), default=0.75, help="Share of the patches to hide."
    )
    grid: PatchGrid = option("--grid", type=GridType(), default="14x14", help="Patches over the whole frame.")
    source: str = option(
        "--source",
        metavar="NAME",
        default="auto",
        shell_complete=completion.plugin_names("mgmtool.sources"),
        help="Motion source; see mgmtool sources.",
    )
    source_option: tuple[tuple[str, str], ...] = option(
        "--source-option", type=KeyValueType(), multiple=True, help="Option of the source; may be repeated."
    )
    seed: int = option("--seed", metavar="N", type=int, default=0, help="Seed of everything random.")

    def recipe(self, **more: Any) -> Recipe:
        """Return what these options ask for: the spec with its scheme and source, built once.

        Options of plug-ins are checked and brought to their types, so that ``c=8`` and ``c=8.0`` are the same spec.

        Parameters
        ----------
        **more
            Further fields of :class:`~mgmtool.types.ExtractSpec`.

        Raises
        ------
        UsageError
            An unknown scheme, source or option, or a value that does not fit.
        """
        from mgmtool.extraction.recipe import Recipe

        return Recipe.of(self.spec(**more)).normalised()

    def spec(self, **more: Any) -> ExtractSpec:
        """Return the spec as it was asked for; nothing of it is checked."""
        from mgmtool.types import ExtractSpec

        return ExtractSpec(
            scheme=self.scheme,
            scheme_options=dict(self.scheme_option),
            source=self.source,
            source_options=dict(self.source_option),
            grid=self.grid,
            ratio=self.ratio,
            seed=self.seed,
            reading=self.decode_options(),
            **more,
        )


@record("running")
class Workers:
    """Who does the work."""

    workers: str = option(
        "--workers", metavar="N|auto", default="auto", help="Processes of the local engine, or of each Ray task."
    )
    engine: str = option(
        "--engine",
        metavar="NAME",
        default="local",
        shell_complete=completion.plugin_names("mgmtool.engines"),
        help="How videos are processed: local (processes), ray (a cluster), inline, or an installed engine.",
    )
    engine_option: tuple[tuple[str, str], ...] = option(
        "--engine-option", type=KeyValueType(), multiple=True, last=True, help="Option of the engine; may be repeated."
    )
    ray_address: str | None = option(
        "--ray-address",
        metavar="ADDRESS",
        last=True,
        help="Ray cluster: host:port, auto, or local.  [default: $RAY_ADDRESS, a running cluster, or a new one here]",
    )
    timeout: float | None = option(
        "--timeout",
        metavar="SECONDS",
        type=float,
        section="failures",
        help="Seconds a video may take on the local engine.  [default: 300]",
    )
    retries: int | None = option(
        "--retries",
        metavar="N",
        type=int,
        section="failures",
        help="Retries for a video whose worker died.  [default: 1]",
    )
    worker_memory: str | None = option(
        "--worker-memory",
        metavar="SIZE",
        last=True,
        section="failures",
        help="Memory a worker may use: auto, none, or a size such as 4GB.  [default: auto]",
    )

    def build(self) -> Engine:
        """Return the engine; an option that it does not have is an error."""
        from mgmtool import engines

        flags: dict[str, Any] = {
            "timeout": self.timeout,
            "workers": None if self.workers == "auto" else self.workers,
            "retries": self.retries,
            "worker_memory": self.worker_memory,
            "address": self.ray_address,
        }
        return engines.build(
            self.engine, merge_options("engine", self.engine_option, flags, {"address": "ray-address"})
        )


def merge_options(
    kind: str, pairs: Sequence[tuple[str, str]], flags: Mapping[str, Any], spelling: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Put the options of a plug-in together: those given as ``KEY=VALUE``, and those that have a flag of their own.

    Parameters
    ----------
    kind : str
        ``"engine"`` or ``"format"``.
    pairs : sequence of (str, str)
        Values of ``--engine-option`` or ``--format-option``.
    flags : mapping
        Option to the value of its flag; None where the flag was not given.
    spelling : mapping, optional
        Option to the name of its flag, where they differ.

    Raises
    ------
    UsageError
        An option was given both ways.
    """
    from mgmtool.errors import UsageError

    given = {name: value for name, value in flags.items() if value is not None}
    for name, text in {key.replace("-", "_"): value for key, value in pairs}.items():
        if name in given:
            flag = (spelling or {}).get(name, name.replace("_", "-"))
            raise UsageError(f"--{flag} and --{kind}-option {name}={text} are the same option; expected one of them")
        given[name] = text
    return given


@record("output")
class Talk:
    """What a long command tells while it works; the same in all of them."""

    progress: Literal["auto", "bar", "plain", "none"] = option(
        "--progress",
        type=click.Choice(["auto", "bar", "plain", "none"]),
        default="auto",
        last=True,
        help="auto draws a bar on a terminal and prints a line every 30 s elsewhere.",
    )
    quiet: bool = option("-q", "--quiet", is_flag=True, last=True, help="Print only errors on stderr.")

    def draw(self, total: int | None, size: int | None = None, unit: str = "video") -> Progress:
        """Begin to draw progress on stderr; see :func:`mgmtool.cli.console.make_progress`."""
        from mgmtool.cli.console import make_progress

        return make_progress(self.progress, total, self.quiet, size, unit)


@record("output")
class Json:
    """How a command answers that has one answer."""

    as_json: bool = option("--json", is_flag=True, help="Print JSON on stdout.")


@record("output")
class Replace:
    """What happens to a file that is there already; the same for every command that writes one."""

    overwrite: bool = option("--overwrite", is_flag=True, help="Replace a file that exists.")

    def check_new(self, path: str | Path | None) -> None:
        """Refuse to replace a file without being told to, before any work is done.

        Raises
        ------
        OutputError
        """
        from mgmtool.errors import OutputError

        if path is not None and not self.overwrite and os.path.lexists(path):
            raise OutputError(f"output {shown(path)} already exists; use --overwrite to replace it")


# --- extract ------------------------------------------------------------------------------------------------------------


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
