"""What ``mgmtool evaluate`` does between its options and the library."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from mgmtool import evaluation
from mgmtool.cli._compile import compile_kernels
from mgmtool.cli._exit import DONE, FATAL, SOME_FAILED, can_draw, fail, wants_color
from mgmtool.cli._tables import json_line, show
from mgmtool.errors import UsageError, one_line
from mgmtool.evaluation import Contender, ContenderScores, EvaluateSpec, Problem, Sequence, SequenceResult, Summary
from mgmtool.evaluation.plot import check_plot, draw
from mgmtool.types import PatchGrid
from mgmtool.video.container import silence_ffmpeg

_COLUMNS = {"recall": 3, "lift": 2, "gain": 3, "tiou": 3, "hit": 3}


@dataclass(frozen=True)
class Request:
    """The options of one call, as click gives them."""

    groundtruth: tuple[str, ...]
    scheme: tuple[str, ...]
    source: tuple[str, ...]
    box: tuple[PatchGrid, ...]
    grid: PatchGrid
    seeds: int
    clips: int
    plot: Path | None
    as_json: bool
    verbose: bool
    quiet: bool

    def spec(self) -> EvaluateSpec:
        """Return the comparison these options ask for."""
        for box in self.box:
            if box.rows > self.grid.rows or box.cols > self.grid.cols:
                raise UsageError(f"box is {box}; expected at most the grid, {self.grid}")
        schemes = self.scheme or evaluation.default_contenders()
        return EvaluateSpec(
            contenders=evaluation.contenders(schemes, self.source),
            boxes=tuple((box.rows, box.cols) for box in dict.fromkeys(self.box)),
            seeds=self.seeds,
            clips=self.clips,
            grid=self.grid,
        )


def run(request: Request) -> int:
    """Compare, print, draw, and return the exit code."""
    silence_ffmpeg()
    spec = request.spec()
    if request.plot is not None:
        check_plot(request.plot)
    sequences = evaluation.find_sequences(request.groundtruth)
    for contender in spec.contenders:
        if isinstance(contender, Contender) and contender.volumes:
            compile_kernels(contender.recipe, request.quiet)
    results: list[SequenceResult] = []
    problems: list[Problem] = []
    for outcome in _watched(sequences, spec, request.quiet):
        if isinstance(outcome, Problem):
            problems.append(outcome)
            _say(outcome)
        else:
            results.append(outcome)
    if not results:
        return fail(f"none of {len(sequences)} sequences could be used", FATAL)
    summary = evaluation.summarise(results, spec)
    _print(request, summary, problems)
    if request.plot is not None:
        draw(summary, request.plot)
    return SOME_FAILED if problems else DONE


def _watched(sequences: list[Sequence], spec: EvaluateSpec, quiet: bool) -> Iterator[SequenceResult | Problem]:
    """Draw a bar on a terminal while the sequences are compared."""
    from tqdm import tqdm

    outcomes = evaluation.evaluate_sequences(sequences, spec)
    bar: Any = tqdm(outcomes, total=len(sequences), unit="sequence", disable=quiet or not can_draw(), leave=False)
    return iter(bar)


def _say(problem: Problem) -> None:
    from tqdm import tqdm

    kind = click.style("failed", fg="red")
    with tqdm.external_write_mode(file=sys.stderr):  # above the bar, if there is one
        click.echo(f"{kind} {one_line(problem.sequence.name)}: {problem.message}", err=True, color=wants_color())


def _print(request: Request, summary: Summary, problems: list[Problem]) -> None:
    if request.as_json:
        click.echo(json_line(_plain(_facts(request, summary, problems))))
        return
    for box in dict.fromkeys(row.box for row in summary.rows):
        rows = [row for row in summary.rows if row.box == box]
        show(_table(box, rows))
        if request.verbose:
            show(_sequence_table(rows))
    for source, ratios in summary.motion.items():
        means = (_mean([pair[k] for pair in ratios.values()]) for k in (0, 1))
        click.echo(f"object / background motion, {source}: {_ratios(*means)}")
        if request.verbose:
            for name, pair in ratios.items():
                click.echo(f"  {one_line(name)}: {_ratios(*pair)}")


def _ratios(raw: float, compensated: float) -> str:
    return f"raw {_number(raw, 2)}, camera motion taken out {_number(compensated, 2)}"


def _table(box: str, rows: list[ContenderScores]) -> Table:
    count = len(rows[0].sequences)
    title = f"box {box}, {count} sequence{'s' * (count != 1)}"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("scheme")
    for name in ("recall", "sd", "lift", "gain", "tIoU", "hit", "CPU ms/frame"):
        table.add_column(name, justify="right")
    for row in rows:
        recall, *others = (_number(row.mean[name], digits) for name, digits in _COLUMNS.items())
        cost = "-" if row.seconds is None else f"{row.seconds * 1e3:.2f}"
        table.add_row(escape(row.label), recall, _number(row.deviation["recall"], 3), *others, cost)
    return table


def _sequence_table(rows: list[ContenderScores]) -> Table:
    table = Table(box=None)
    table.add_column("sequence")
    table.add_column("scheme")
    for name in ("recall", "lift", "gain", "tIoU", "hit"):
        table.add_column(name, justify="right")
    for name in rows[0].sequences:
        for row in rows:
            numbers = (_number(row.sequences[name][key], digits) for key, digits in _COLUMNS.items())
            table.add_row(escape(one_line(name)), escape(row.label), *numbers)
    return table


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _facts(request: Request, summary: Summary, problems: list[Problem]) -> dict[str, Any]:
    return {
        "grid": str(request.grid),
        "seeds": request.seeds,
        "clips": request.clips,
        "rows": [asdict(row) for row in summary.rows],
        "motion": {
            source: {name: {"raw": raw, "compensated": compensated} for name, (raw, compensated) in ratios.items()}
            for source, ratios in summary.motion.items()
        },
        "problems": [{"sequence": p.sequence.name, "message": p.message} for p in problems],
    }


def _plain(value: Any) -> Any:
    """Replace what JSON has no word for."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
