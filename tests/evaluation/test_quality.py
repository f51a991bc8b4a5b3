"""Real films with masks made by hand: the floors below which a change has made the masks worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from mgmtool import evaluation
from mgmtool.evaluation import EvaluateSpec, Row, SequenceResult

pytestmark = [pytest.mark.slow, pytest.mark.corpus]

FILMS = ("car-shadow", "dog", "drift-chicane", "motocross-jump", "scooter-black")
PLAIN = "motion-guided:border_motion=false,appearance=false"


def rows_of(corpus: Path, schemes: list[str], sources: list[str]) -> dict[str, Row]:
    """Rows of the table over the five films, by label; box 7x7, three seeds."""
    sequences = evaluation.find_sequences([corpus / "groundtruth" / film for film in FILMS])
    spec = EvaluateSpec(evaluation.contenders(schemes, sources))
    results = list(evaluation.evaluate_sequences(sequences, spec))
    usable = [result for result in results if isinstance(result, SequenceResult)]
    assert [result.sequence.name for result in usable] == list(FILMS)
    return {row.label: row for row in evaluation.summarise(usable, spec).rows}


@pytest.fixture(scope="module")
def rows(corpus: Path) -> dict[str, Row]:
    return rows_of(corpus, ["motion-guided", PLAIN, "motion-literal"], ["codec"])


def test_motion_guided_stays_as_good_as_it_was(rows: dict[str, Row]) -> None:
    found = rows["motion-guided"].mean
    assert found["recall"] >= 0.79
    assert found["gain"] >= 0.44
    assert found["tiou"] >= 0.82


def test_motion_alone_stays_as_good_as_it_was(rows: dict[str, Row]) -> None:
    assert rows[PLAIN].mean["recall"] >= 0.76


def test_the_wording_of_the_paper_is_far_behind(rows: dict[str, Row]) -> None:
    assert rows["motion-literal"].mean["recall"] <= 0.40


def test_the_oracle_is_the_most_a_box_can_do(rows: dict[str, Row]) -> None:
    best = rows["oracle"]
    for row in rows.values():
        assert all(row.sequences[film]["recall"] <= best.sequences[film]["recall"] + 1e-6 for film in FILMS)


def test_optical_flow_is_as_good_as_the_vectors_of_the_codec(corpus: Path, rows: dict[str, Row]) -> None:
    pytest.importorskip("cv2")
    flow = rows_of(corpus, ["motion-guided"], ["flow"])["motion-guided"].mean["recall"]
    assert flow == pytest.approx(rows["motion-guided"].mean["recall"], abs=0.02)
