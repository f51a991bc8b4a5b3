"""Means over clips, sequences and seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mgmtool.evaluation.run import EvaluateSpec, Problem, SequenceResult
from mgmtool.types import Float64

NUMBERS = ("recall", "lift", "gain", "tiou", "hit")


@dataclass(frozen=True, slots=True)
class ContenderScores:
    """One contender at one size of the box.

    Attributes
    ----------
    label : str
        The contender.
    box : str
        ``HxW`` in tokens.
    mean, deviation : dict
        recall, lift, gain, tiou and hit: mean over sequences and seeds, and standard deviation of the seeds' means.
    sequences : dict
        The same means for each sequence by name.
    seconds : float or None
        CPU seconds per frame, decoding included; None for the oracle.
    """

    label: str
    box: str
    mean: dict[str, float]
    deviation: dict[str, float]
    sequences: dict[str, dict[str, float]]
    seconds: float | None

    @classmethod
    def of(cls, results: Sequence[SequenceResult], spec: EvaluateSpec, label: str, number: int) -> ContenderScores:
        """Take the means of a contender over sequences and seeds, for the box of a number."""
        values = np.array(
            [
                [clip_means(results, k, spec, label, number, seed) for seed in range(spec.seeds)]
                for k in range(len(results))
            ]
        )
        by_seed, by_sequence = values.mean(axis=0), values.mean(axis=1)
        seconds = [result.seconds[label] for result in results if label in result.seconds]
        return cls(
            label=label,
            box="x".join(map(str, spec.boxes[number])),
            mean=_named(by_seed.mean(axis=0)),
            deviation=_named(by_seed.std(axis=0)),
            sequences={result.sequence.name: _named(v) for result, v in zip(results, by_sequence, strict=True)},
            seconds=float(np.mean(seconds)) if seconds else None,
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole comparison.

    Attributes
    ----------
    rows : list of ContenderScores
        Box by box, contender by contender.
    motion : dict
        For each motion source and sequence, object / background motion: raw and compensated.
    """

    rows: list[ContenderScores]
    motion: dict[str, dict[str, tuple[float, float]]]


def summarise(results: Sequence[SequenceResult], spec: EvaluateSpec) -> Summary:
    """Take the means over sequences and seeds.

    Parameters
    ----------
    results : sequence of SequenceResult
        At least one.
    spec : EvaluateSpec
        What they were made with.
    """
    rows = [
        ContenderScores.of(results, spec, contender.label, number)
        for number in range(len(spec.boxes))
        for contender in spec.contenders
    ]
    origins = list(dict.fromkeys(source for result in results for source in result.ratios))
    motion = {o: {r.sequence.name: r.ratios[o] for r in results if o in r.ratios} for o in origins}
    return Summary(rows, motion)


def to_json(summary: Summary, spec: EvaluateSpec, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return a comparison as plain values, None where a number is not known.

    Parameters
    ----------
    summary : Summary
        The means.
    spec : EvaluateSpec
        What they were made with.
    problems : sequence of Problem
        The sequences that could not be used.
    """
    facts = {
        "grid": str(spec.grid),
        "seeds": spec.seeds,
        "clips": spec.clips,
        "rows": [asdict(row) for row in summary.rows],
        "motion": {
            source: {name: {"raw": raw, "compensated": compensated} for name, (raw, compensated) in ratios.items()}
            for source, ratios in summary.motion.items()
        },
        "problems": [{"sequence": p.sequence.name, "message": p.message} for p in problems],
    }
    plain: dict[str, Any] = _finite(facts)
    return plain


def _finite(value: Any) -> Any:
    """Replace the numbers that JSON does not have by None, at any depth."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _named(values: Float64) -> dict[str, float]:
    return dict(zip(NUMBERS, values.tolist(), strict=True))


def clip_means(
    results: Sequence[SequenceResult], k: int, spec: EvaluateSpec, label: str, number: int, seed: int
) -> list[float]:
    """Return the means over the clips of one sequence and seed, in the order of :data:`NUMBERS`."""
    cell = results[k].cells[label, number, seed]
    recall, tiou, hit = (float(np.mean([getattr(s, name) for s in cell.scores])) for name in ("recall", "tiou", "hit"))
    rows, cols = spec.boxes[number]
    ratio = rows * cols / (spec.grid.rows * spec.grid.cols)
    # Recall is linear in the truth divided by its sum, so the mean over all other clips is the recall on their mean.
    others = [result.truth[seed] for i, result in enumerate(results) if i != k]
    elsewhere = float((cell.hidden * np.mean(others, axis=0)).sum()) if others else float("nan")
    return [recall, recall / ratio, recall - elsewhere, tiou, hit]
