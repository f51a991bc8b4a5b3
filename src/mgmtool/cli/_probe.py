"""What ``mgmtool probe`` does between its options and the library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import click
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mgmtool import sources
from mgmtool.cli._compile import compile_kernels
from mgmtool.cli._exit import DONE, SOME_FAILED, can_draw, raise_on_sigterm
from mgmtool.cli._inputs import find_videos
from mgmtool.cli._tables import json_line, narrow, show
from mgmtool.cli.options import ENGINE, INPUTS, READING, make_engine, make_reading
from mgmtool.errors import one_line
from mgmtool.extraction.probing import CorpusTotals, Probe, probe
from mgmtool.types import ExtractSpec
from mgmtool.video.peek import Peek

_COLUMNS = ("video", "stream", "picture", "length", "source", "notes")


@dataclass(frozen=True)
class Request:
    """The options of one call, as click gives them."""

    inputs: tuple[str, ...]
    stream: int | None
    strict: bool
    max_pixels: int
    max_frames: int
    nul: bool
    root: str | None
    manifest: tuple[str, ...]
    path_column: str | None
    limit: int | None
    engine: str
    engine_option: tuple[tuple[str, str], ...]
    workers: str
    timeout: float | None
    retries: int | None
    worker_memory: str | None
    ray_address: str | None
    as_json: bool
    quiet: bool


def run(request: Request) -> int:
    """Look at every file, print, and return the exit code."""
    raise_on_sigterm()
    reading = make_reading(**{name: getattr(request, name) for name in READING})
    engine = make_engine(**{name: getattr(request, name) for name in ENGINE})
    where = {name: getattr(request, name) for name in INPUTS}
    found = find_videos(request.inputs, sources.VIDEO_EXTENSIONS, **where)
    # A scheme that does not look at motion: the kernels of the sources are all that is needed.
    compile_kernels(ExtractSpec(scheme="random"), request.quiet)
    totals, table = CorpusTotals(), Table.grid() if narrow() else _table(*_COLUMNS)
    with closing(probe(found, engine, reading)) as probes:
        for one in _watched(probes, len(found.videos), request.quiet):
            totals.add(one)
            if request.as_json:
                click.echo(json_line(_event(one)))
            else:
                _add(table, one)
    _report(request, totals, table)
    return SOME_FAILED if totals.failures else DONE


def _watched(probes: Iterator[Probe], total: int, quiet: bool) -> Iterator[Probe]:
    """Draw a bar on a terminal."""
    from tqdm import tqdm

    bar: Any = tqdm(probes, total=total, unit="video", disable=quiet or not can_draw(), leave=False, file=sys.stderr)
    return iter(bar)


def _report(request: Request, totals: CorpusTotals, table: Table) -> None:
    if request.as_json:
        click.echo(json_line(_summary(totals)))
        return
    show(table)
    click.echo()
    show(_codec_table(totals))
    if totals.failures:
        classes = ", ".join(f"{count} {name}" for name, count in totals.failures.most_common())
        click.echo(f"{totals.failures.total()} cannot be read ({classes})")


def _table(*names: str) -> Table:
    """Columns that fold: on a narrow terminal nothing is cut off."""
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def _cell(text: str) -> Text:
    """Plain text, whatever is in it: no markup, no control characters."""
    return Text(one_line(text))


def _add(table: Table, one: Probe) -> None:
    """Add a row, or on a narrow terminal two lines, of which the first is the name alone."""
    name, *facts = map(one_line, _row(one))
    if len(table.columns) == len(_COLUMNS):
        table.add_row(*map(Text, (name, *facts)))
        return
    table.add_row(Text(name, "bold"))
    table.add_row(Padding(Text(", ".join(fact for fact in facts if fact not in {"", "-"})), (0, 0, 0, 2)))


def _row(one: Probe) -> tuple[str, ...]:
    notes = f"{one.failure}: {one.message}" if one.failure else ", ".join(one.peek.index_risk if one.peek else ())
    seen = ("-",) * 3 if one.peek is None else _shown(one, one.peek)
    return (one.video.id, *seen, one.source or "-", notes)


def _shown(one: Probe, seen: Peek) -> tuple[str, str, str]:
    """Stream, picture and length of a file, in words."""
    info, header = seen.info, seen.header
    stream = [info.codec, header.profile, "in", info.container.partition(",")[0]]
    turned = f"turned {info.orientation.rotation}" if info.orientation.rotation else ""
    mirrored = "mirrored" if info.orientation.mirrored else ""
    aspect = "" if info.pixel_aspect == 1 else f"pixels {info.pixel_aspect.numerator}:{info.pixel_aspect.denominator}"
    picture = [f"{info.width}x{info.height}", header.pixel_format, turned, mirrored, aspect]
    length = [
        f"{one.frames} frames" if one.frames else "",
        "" if header.seconds is None else f"{header.seconds:.2f} s",
        "" if info.fps is None else f"{float(info.fps):.5g} fps",
    ]
    return _words(stream), _words(picture), _words(length)


def _words(parts: list[str] | list[str | None]) -> str:
    return " ".join(filter(None, parts)) or "-"


def _codec_table(totals: CorpusTotals) -> Table:
    table = _table("codec", "videos", "bytes", "hours", "frames", "source")
    for name, sums in sorted(totals.codecs.items()):
        kinds = ", ".join(f"{source} {count}" for source, count in sorted(sums.sources.items()))
        numbers = (f"{sums.videos:,}", f"{sums.bytes:,}", f"{sums.seconds / 3600:.2f}", f"{sums.frames:,}")
        table.add_row(*map(_cell, (name, *numbers, kinds)))
    return table


def _event(one: Probe) -> dict[str, Any]:
    return {
        "event": "video",
        "id": one.video.id,
        "status": "failed" if one.failure else "readable",
        "failure": one.failure,
        "message": one.message,
        "size_bytes": one.video.size,
        **_facts(one.peek),
        "vectors": one.vectors,
        "source": one.source,
        "source_reason": one.source_reason,
    }


def _facts(seen: Peek | None) -> dict[str, Any]:
    if seen is None:
        return dict.fromkeys(_FACTS)
    info, header = seen.info, seen.header
    return {
        "container": info.container,
        "codec": info.codec,
        "profile": header.profile,
        "height": info.height,
        "width": info.width,
        "rotation": info.orientation.rotation,
        "mirrored": info.orientation.mirrored,
        "pixel_aspect": [info.pixel_aspect.numerator, info.pixel_aspect.denominator],
        "pixel_format": header.pixel_format,
        "fps": None if info.fps is None else float(info.fps),
        "header_frames": info.header_frames,
        "duration_seconds": header.seconds,
        "index_risk": list(seen.index_risk),
    }


_FACTS = (
    *("container", "codec", "profile", "height", "width", "rotation", "mirrored", "pixel_aspect", "pixel_format"),
    *("fps", "header_frames", "duration_seconds", "index_risk"),
)


def _summary(totals: CorpusTotals) -> dict[str, Any]:
    codecs = {
        name: {
            "videos": sums.videos,
            "bytes": sums.bytes,
            "hours": round(sums.seconds / 3600, 4),
            "frames": sums.frames,
            "sources": dict(sums.sources),
        }
        for name, sums in sorted(totals.codecs.items())
    }
    readable = sum(sums.videos for sums in totals.codecs.values())
    failures = dict(totals.failures)
    return {
        "event": "summary",
        "readable": readable,
        "failed": totals.failures.total(),
        "failures": failures,
        "codecs": codecs,
    }
