"""Masks against ground truth on several encodes of the same frames: one Markdown table, a column an encode.

Takes a folder of sequences with ``frames/*.jpg`` and ``masks/*.png`` (default: ``groundtruth`` of $MGMTOOL_CORPUS), encodes
them as ``encodes.py`` does, and prints mean recall at 7x7 as ``mgmtool evaluate`` computes it.

    python benchmarks/quality.py [GROUNDTRUTH] [--kind x264 ...] [--only NAME ...] [--scheme NAME:KEY=VALUE ...] [--box 7x7]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from encodes import KINDS, make_encodes

from mgmtool.evaluation import (
    EvaluateSpec,
    Problem,
    contenders,
    default_contenders,
    evaluate_sequences,
    find_sequences,
    summarise,
)
from mgmtool.evaluation.summary import ContenderScores
from mgmtool.extraction.stream import warm_up
from mgmtool.types import ExtractSpec, PatchGrid


def rows_of(folder: Path, only: list[str], spec: EvaluateSpec) -> list[ContenderScores]:
    """Evaluate the sequences of one folder that have masks."""
    found = [s for s in find_sequences([folder]) if s.truth.is_dir() and (not only or s.name in only)]
    results = []
    for outcome in evaluate_sequences(found, spec):
        if isinstance(outcome, Problem):
            raise SystemExit(f"{outcome.sequence.name}: {outcome.message}")
        results.append(outcome)
    return summarise(results, spec).rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    corpus = Path(os.environ.get("MGMTOOL_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
    parser.add_argument("groundtruth", type=Path, nargs="?", default=corpus / "groundtruth")
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--scheme", action="append")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--box", type=PatchGrid.parse, default=PatchGrid(7, 7))
    given = parser.parse_args()
    box = (given.box.rows, given.box.cols)
    chosen = contenders(given.scheme or default_contenders(), ["codec"])
    spec = EvaluateSpec(chosen, boxes=(box,), seeds=given.seeds)
    warm_up(ExtractSpec())
    kinds = given.kind or list(KINDS)
    table: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for kind in kinds:
            make_encodes(given.groundtruth, Path(scratch), kind)
            for row in rows_of(Path(scratch) / kind, given.only, spec):
                table.setdefault(row.label, []).append(f"{row.mean['recall']:.3f}")
    print(f"| scheme | {' | '.join(kinds)} |\n|{'---|' * (len(kinds) + 1)}")
    for label, values in table.items():
        print(f"| {label} | {' | '.join(values)} |")


if __name__ == "__main__":
    main()
