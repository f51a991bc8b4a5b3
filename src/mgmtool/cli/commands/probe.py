"""``mgmtool probe``."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from mgmtool.cli.console import columns, compile_kernels, grid, json_line, narrow, notice, show
from mgmtool.cli.exits import DONE, SOME_FAILED, raise_on_sigterm
from mgmtool.cli.options import Inputs, Reading, Talk, Workers
from mgmtool.cli.records import as_command, option, record
from mgmtool.cli.words import counted, skipped_facts, skipped_words
from mgmtool.errors import one_line

if TYPE_CHECKING:
    from rich.table import Table

    from mgmtool.extraction.probing import CorpusTotals, Probe
    from mgmtool.video.peek import Peek

_COLUMNS = ("video", "stream", "frame", "length", "source", "notes")


@record("output")
class Output(Talk):
    """What is told of the files."""

    as_json: bool = option("--json", is_flag=True, help="Print one JSON object per file, and a summary, on stdout.")


@as_command
def command(inputs: Inputs, reading: Reading, workers: Workers, output: Output) -> int:
    """Report how extract would handle each file, from its first frames, and sum up by codec.

    INPUT is a file, a folder (searched recursively), a glob pattern, or - for a list of paths on stdin.

    Exit codes: 0 all files can be read, 1 fatal error, 2 wrong usage, 3 some files cannot be read.
    """
    from mgmtool.extraction.probing import CorpusTotals, probe
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.types import ExtractSpec

    raise_on_sigterm()
    engine, found = workers.build(), inputs.find()
    if found.skipped and not output.quiet:
        notice(skipped_words(found.skipped))
    # A scheme that ignores motion: the kernels of the sources are all that is needed.
    compile_kernels(Recipe.of(ExtractSpec(scheme="random")), output.quiet)
    totals, table = CorpusTotals(), grid() if narrow() else columns(*_COLUMNS)
    with (
        output.draw(len(found.videos)) as progress,
        closing(probe(found, engine, reading.decode_options())) as probes,
    ):
        for one in probes:
            totals.add(one)
            if output.as_json:
                progress.show(json_line({"event": "video", **one.to_json()}))
            else:
                _add_row(table, one)
            progress.advance(one.failure is not None, size=max(one.video.size, 0))
    if output.as_json:
        click.echo(json_line({"event": "summary", **totals.to_json(), "skipped": skipped_facts(found.skipped)}))
    else:
        _show_tables(table, totals)
    return SOME_FAILED if totals.failures else DONE


def _add_row(table: Table, one: Probe) -> None:
    """Add a row, or on a narrow terminal two lines, of which the first is the name alone."""
    from rich.padding import Padding
    from rich.text import Text

    seen = ("-",) * 3 if one.peek is None else _described(one, one.peek)
    notes = f"{one.failure}: {one.message}" if one.failure else ", ".join(one.peek.index_risk if one.peek else ())
    # As plain text, whatever is in it: no markup, no control characters.
    name, *facts = map(one_line, (one.video.id, *seen, one.source or "-", notes))
    if len(table.columns) == len(_COLUMNS):
        table.add_row(*map(Text, (name, *facts)))
        return
    table.add_row(Text(name, "bold"))
    table.add_row(Padding(Text(", ".join(fact for fact in facts if fact not in {"", "-"})), (0, 0, 0, 2)))


def _described(one: Probe, seen: Peek) -> list[str]:
    """Stream, frame and length of a file, in words."""
    info, header = seen.info, seen.header
    turned = f"turned {info.orientation.rotation}" if info.orientation.rotation else ""
    mirrored = "mirrored" if info.orientation.mirrored else ""
    aspect = "" if info.pixel_aspect == 1 else f"pixels {info.pixel_aspect.numerator}:{info.pixel_aspect.denominator}"
    stream = [info.codec, header.profile, "in", info.container.partition(",")[0]]
    frame = [f"{info.width}x{info.height}", header.pixel_format, turned, mirrored, aspect]
    length = [
        f"{one.frames} frames" if one.frames else "",
        "" if header.seconds is None else f"{header.seconds:.2f} s",
        "" if info.fps is None else f"{float(info.fps):.5g} fps",
    ]
    return [" ".join(filter(None, words)) or "-" for words in (stream, frame, length)]


def _show_tables(table: Table, totals: CorpusTotals) -> None:
    from rich.text import Text

    show(table)
    click.echo()
    codecs = columns("codec", "videos", "bytes", "hours", "frames", "source")
    for name, sums in sorted(totals.codecs.items()):
        kinds = ", ".join(f"{source} {count}" for source, count in sorted(sums.sources.items()))
        numbers = (f"{sums.videos:,}", f"{sums.bytes:,}", f"{sums.seconds / 3600:.2f}", f"{sums.frames:,}")
        codecs.add_row(*(Text(one_line(cell)) for cell in (name, *numbers, kinds)))
    show(codecs)
    if totals.failures:
        click.echo(f"{totals.failures.total()} cannot be read ({counted(totals.failures)})")
