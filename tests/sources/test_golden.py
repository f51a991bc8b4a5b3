"""Real films: every motion vector against those another tool recorded, and the number of frames of every clip."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool.kernels.field import VECTOR
from mgmtool.video.container import open_video
from mgmtool.video.counts import FrameCounts
from mgmtool.video.decoding import numbered_frames
from mgmtool.video.reader import read_video

Array = NDArray[Any]

pytestmark = [pytest.mark.slow, pytest.mark.corpus]

FRAMES = 337


@pytest.mark.parametrize("name", ["h264", "mpeg4_part2"])
def test_every_vector_equals_the_recorded_one(name: str, corpus: Path) -> None:
    golden = np.load(corpus / "golden" / f"{name}.npz")
    columns = [str(column) for column in golden["columns"]]
    assert set(columns) == set(VECTOR.names or ()) - {"flags"}
    ends = np.cumsum(golden["counts"])
    expected = np.split(golden["mvs"], ends[:-1])
    with read_video(str(corpus / "clips" / "action" / "mv-extractor" / f"vid_{name}.mp4")) as video:
        seen = 0
        for index, frame in enumerate(video.frames):
            assert_same(index, columns, frame.vectors(VECTOR), expected[index])
            seen += 1
    assert seen == len(expected) == FRAMES
    assert ends[-1] > 1_000_000


def assert_same(index: int, columns: list[str], found: Array | None, expected: Array) -> None:
    vectors = np.zeros(0, VECTOR) if found is None else found
    assert len(vectors) == len(expected), f"frame {index}"
    for k, column in enumerate(columns):
        np.testing.assert_array_equal(vectors[column], expected[:, k], err_msg=f"frame {index}, {column}")


def test_the_recording_has_the_usual_kinds_of_frames(corpus: Path) -> None:
    golden = np.load(corpus / "golden" / "h264.npz")
    path = corpus / "clips" / "action" / "mv-extractor" / "vid_h264.mp4"
    with open_video(str(path)) as (container, stream):
        frames = numbered_frames(container, stream, FrameCounts(), {})
        kinds = [av.video.frame.PictureType(frame.pict_type).name for _, frame in frames]
    assert kinds == golden["frame_types"].tolist()


def test_every_clip_has_the_frames_the_manifest_counts(corpus: Path) -> None:
    """One test for all clips: their names are not known where there is no corpus."""
    with (corpus / "manifest.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    expected = {
        row["path"]: int(row["n_frames"]) for row in rows if row["path"].startswith("clips/") and row["n_frames"]
    }
    assert len(expected) > 20
    assert {name: frames_of(corpus / name) for name in expected} == expected


def frames_of(path: Path) -> int:
    with read_video(str(path)) as video:
        for _ in video.frames:
            pass
        return video.counts.frames
