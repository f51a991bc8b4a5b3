"""``mgmtool evaluate``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mgmtool.cli import completion
from mgmtool.cli.console import columns, compile_kernels, failed, json_line, show
from mgmtool.cli.exits import DONE, FATAL, SOME_FAILED, fail
from mgmtool.cli.options import Json, Replace, Talk
from mgmtool.cli.parameters import GridType
from mgmtool.cli.records import argument, as_command, option, record
from mgmtool.errors import UsageError, one_line

if TYPE_CHECKING:
    from rich.table import Table

    from mgmtool.evaluation import ContenderScores, EvaluateSpec, Problem, SequenceResult, Summary
    from mgmtool.types import PatchGrid

_SCORES = {"recall": ("recall", 3), "lift": ("lift", 2), "gain": ("gain", 3), "tIoU": ("tiou", 3), "hit": ("hit", 3)}
"""Columns of the tables: the name of each, the score in it, and its digits."""


@record("inputs")
class Clips:
    """The ground truth, and the clips that are drawn from it."""

    groundtruth: tuple[str, ...] = argument(
        nargs=-1, required=True, metavar="GROUNDTRUTH...", shell_complete=completion.files
    )
    clips: int = option("--clips", metavar="N", type=click.IntRange(1), default=20, help="Clips per sequence and seed.")
    seeds: int = option(
        "--seeds", metavar="N", type=click.IntRange(1), default=3, help="Number of times clips are drawn."
    )


@record("masks")
class Compared:
    """What is compared."""

    scheme: tuple[str, ...] = option(
        "--scheme",
        multiple=True,
        metavar="NAME[:KEY=VALUE,...]",
        shell_complete=completion.plugin_names("mgmtool.masking"),
        help="Mask scheme to compare; may be repeated.  [default: motion-guided, motion-guided without each kind of "
        "evidence, motion-literal, simulated-motion, tube]",
    )
    source: tuple[str, ...] = option(
        "--source",
        multiple=True,
        default=["auto"],
        metavar="NAME[:KEY=VALUE,...]",
        shell_complete=completion.plugin_names("mgmtool.sources"),
        help="Motion source; may be repeated: schemes that use motion are compared on each.",
    )
    box: tuple[PatchGrid, ...] = option(
        "--box", type=GridType(), multiple=True, default=["7x7"], help="Size of the box in tokens; may be repeated."
    )
    grid: PatchGrid = option("--grid", type=GridType(), default="14x14", help="Tokens over the crop.")

    def spec(self, clips: Clips) -> EvaluateSpec:
        """Return the comparison these options ask for."""
        from mgmtool import evaluation

        for box in self.box:
            if box.rows > self.grid.rows or box.cols > self.grid.cols:
                raise UsageError(f"box is {box}; expected at most the grid, {self.grid}")
        return evaluation.EvaluateSpec(
            contenders=evaluation.contenders(self.scheme or evaluation.default_contenders(), self.source),
            boxes=tuple((box.rows, box.cols) for box in dict.fromkeys(self.box)),
            seeds=clips.seeds,
            clips=clips.clips,
            grid=self.grid,
        )


@record("output")
class Output(Talk, Json, Replace):
    """What is told of the comparison."""

    plot: Path | None = option(
        "--plot", type=click.Path(path_type=Path), help="Draw recall per sequence: .png, .svg or .pdf."
    )
    verbose: bool = option("-v", "--verbose", is_flag=True, help="Also show each sequence by itself.")


@as_command
def command(clips: Clips, compared: Compared, output: Output) -> int:
    """Compare masks with ground truth: how much of the moving object a scheme hides in the crops of a training loader.

    GROUNDTRUTH is a folder of sequences, at any depth: each a video (video.*) with masks/*.png (not 0 = object), gt/gt.txt
    (MOT boxes) or a *.json file (COCO boxes). Random tokens, the centre box and the best possible box (oracle) are always
    compared.

    Exit codes: 0 all sequences were used, 1 none could be used, 2 wrong usage, 3 some sequences could not be used.
    """
    from mgmtool import evaluation
    from mgmtool.evaluation.plot import check_plot, draw
    from mgmtool.video.container import silence_ffmpeg

    silence_ffmpeg()
    spec = compared.spec(clips)
    if output.plot is not None:
        check_plot(output.plot)
        output.check_new(output.plot)
    sequences = evaluation.find_sequences(clips.groundtruth)
    for contender in spec.contenders:
        if isinstance(contender, evaluation.Contender) and contender.volumes:
            compile_kernels(contender.recipe, output.quiet)
    results: list[SequenceResult] = []
    problems: list[Problem] = []
    with output.draw(len(sequences), unit="sequence") as progress:
        for outcome in evaluation.evaluate_sequences(sequences, spec):
            if isinstance(outcome, evaluation.Problem):
                problems.append(outcome)
                progress.say(failed(outcome.sequence.name, outcome.message))
            else:
                results.append(outcome)
            progress.advance(isinstance(outcome, evaluation.Problem))
    if not results:
        return fail(f"none of {len(sequences)} sequences could be used", FATAL)
    summary = evaluation.summarise(results, spec)
    if output.as_json:
        click.echo(json_line(evaluation.to_json(summary, spec, problems)))
    else:
        _show_summary(summary, output.verbose)
    if output.plot is not None:
        draw(summary, output.plot)
    return SOME_FAILED if problems else DONE


def _show_summary(summary: Summary, verbose: bool) -> None:
    for box in dict.fromkeys(row.box for row in summary.rows):
        rows = [row for row in summary.rows if row.box == box]
        show(_scheme_table(box, rows))
        if verbose:
            show(_sequence_table(rows))
    for source, ratios in summary.motion.items():
        click.echo(f"object / background motion, {source}: {_ratio_words(list(ratios.values()))}")
        if verbose:
            for name, pair in ratios.items():
                click.echo(f"  {one_line(name)}: {_ratio_words([pair])}")


def _ratio_words(pairs: Sequence[tuple[float, float]]) -> str:
    """Word the means of pairs of ratios, raw and compensated; unknown ones are left out."""
    known = [[value for value in values if not math.isnan(value)] for values in zip(*pairs, strict=True)]
    raw, compensated = (_number(sum(values) / len(values) if values else math.nan, 2) for values in known)
    return f"raw {raw}, camera motion taken out {compensated}"


def _scheme_table(box: str, rows: list[ContenderScores]) -> Table:
    from rich.markup import escape

    count, numbers = len(rows[0].sequences), ("recall", "sd", "lift", "gain", "tIoU", "hit", "CPU ms/frame")
    title = f"box {box}, {count} sequence{'s' * (count != 1)}"
    table = columns("scheme", *numbers, right=numbers, title=title, indent=True)
    for row in rows:
        recall, *others = (_number(row.mean[score], digits) for score, digits in _SCORES.values())
        cost = "-" if row.seconds is None else f"{row.seconds * 1e3:.2f}"
        table.add_row(escape(row.label), recall, _number(row.deviation["recall"], 3), *others, cost)
    return table


def _sequence_table(rows: list[ContenderScores]) -> Table:
    from rich.markup import escape

    table = columns("sequence", "scheme", *_SCORES, right=tuple(_SCORES), indent=True)
    for name in rows[0].sequences:
        for row in rows:
            numbers = (_number(row.sequences[name][score], digits) for score, digits in _SCORES.values())
            table.add_row(escape(one_line(name)), escape(row.label), *numbers)
    return table


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"
