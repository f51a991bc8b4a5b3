"""Real films from end to end: every frame has its row, broken files cost themselves only, phones may be held as one likes."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool import engines
from mgmtool.errors import FAILURE_CLASSES
from mgmtool.extraction import extract, extract_video
from mgmtool.store import Store, open_store
from mgmtool.types import ExtractSpec, FrameFlag, Outcome
from mgmtool.video.pictures import read_pictures

Array = NDArray[Any]

pytestmark = [pytest.mark.slow, pytest.mark.corpus]

AUDIO_ONLY = "edge/media/sample_audio_only.mp4"
HOSTILE = {
    "WrongFile.mp4": "open",
    "bitflips_1e-4.avi": None,
    "bitflips_mdat_1e-4.mp4": None,
    "decord_corrupted.mp4": None,
    "folder.mp4/inside.mp4": None,
    "names/spaces and (brackets) [1].mp4": None,
    "names/видео 動画 🎬.mp4": None,
    "same_stem/clip.MP4": None,
    "same_stem/clip.mp4": None,
    "text_renamed.mp4": "open",
    "truncated_50pct.avi": None,
    "truncated_50pct_moov_kept.mp4": None,
    "truncated_60pct_moov_lost.mp4": "open",
    "zero_bytes.mp4": "open",
}
"""What becomes of each file; None is done."""


def run(folder: Path, output: Path, spec: ExtractSpec, timeout: float) -> tuple[list[Outcome], Store]:
    engine = engines.build("local", {"workers": 2, "timeout": timeout})
    return list(extract([str(folder)], output, spec, engine)), open_store(output)


def manifest(corpus: Path, folder: str) -> dict[str, dict[str, str]]:
    """Rows of one folder, by path below it."""
    with (corpus / "manifest.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {row["path"].removeprefix(f"{folder}/"): row for row in rows if row["path"].startswith(f"{folder}/")}


@pytest.mark.parametrize("scheme", ["tube", "motion-guided"])
def test_every_frame_of_every_clip_has_a_row(scheme: str, corpus: Path, tmp_path: Path) -> None:
    expected = {name: int(row["n_frames"]) for name, row in manifest(corpus, "clips").items() if row["n_frames"]}
    outcomes, store = run(corpus / "clips", tmp_path / "m.zarr", ExtractSpec(scheme=scheme), 300)
    assert {outcome.video.id: outcome.failure for outcome in outcomes if not outcome.done} == {
        AUDIO_ONLY: "no_video_stream"
    }
    assert {name: len(store.volume(name)) for name in expected} == expected
    assert {outcome.video.id for outcome in outcomes} == {*expected, AUDIO_ONLY}
    backwards = [name for name in expected if (np.diff(store.volume(name).pts) <= 0).any()]
    assert backwards == []


@pytest.fixture(scope="module")
def hostile(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Outcome], Store]:
    """Broken, cut and oddly named files, extracted."""
    spec = ExtractSpec(source="codec")
    outcomes, store = run(corpus / "hostile", tmp_path_factory.mktemp("hostile") / "m.zarr", spec, 60)
    for outcome in outcomes:
        facts = outcome.facts
        done = f"{facts.num_frames} frames, {facts.corrupt_frames} corrupt, {facts.lost_packets} lost" if facts else ""
        print(f"{outcome.video.id:40} {outcome.failure or 'done':6} {outcome.message or done}")
    return outcomes, store


def test_every_broken_file_is_accounted_for(corpus: Path, hostile: tuple[list[Outcome], Store]) -> None:
    outcomes, store = hostile
    assert {outcome.video.id: outcome.failure for outcome in outcomes} == HOSTILE
    assert set(HOSTILE) == set(manifest(corpus, "hostile")) == set(store.index["id"].to_pylist())
    for outcome in outcomes:
        assert outcome.failure is None or outcome.failure in FAILURE_CLASSES
        assert (outcome.message is None) == outcome.done
        assert outcome.seconds < 60


def test_broken_files_keep_the_frames_that_decode(corpus: Path, hostile: tuple[list[Outcome], Store]) -> None:
    """The manifest says how many they are."""
    counted = {
        name: int(found[1])
        for name, row in manifest(corpus, "hostile").items()
        if (found := re.search(r"(\d+) frames, \d+ with MVs", row["note"]))
    }
    assert len(counted) == sum(failure is None for failure in HOSTILE.values())
    assert {name: len(hostile[1].volume(name)) for name in counted} == counted


def test_files_of_one_stem_stay_apart(hostile: tuple[list[Outcome], Store]) -> None:
    found = [outcome.video for outcome in hostile[0] if outcome.video.id.startswith("same_stem/")]
    assert [(video.id, Path(video.path).name) for video in found] == [
        ("same_stem/clip.MP4", "clip.MP4"),
        ("same_stem/clip.mp4", "clip.mp4"),
    ]
    rows = [hostile[1].row(video.id) for video in found]
    assert rows[0]["row_stop"] <= rows[1]["row_start"]
    assert [row["num_frames"] for row in rows] == [3, 3]


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ("truncated_50pct_moov_kept.mp4", "action/Ask-Anything/making_cake.mp4"),
        ("truncated_50pct.avi", "action/debian-pytorch-vision/v_SoccerJuggling_g23_c01.avi"),
    ],
)
def test_good_frames_of_a_cut_file_are_those_of_the_whole(cut: str, whole: str, corpus: Path) -> None:
    short, full = (
        extract_video(corpus / folder / name, ExtractSpec(source="codec"))
        for folder, name in (("hostile", cut), ("clips", whole))
    )
    good = len(list(takewhile(lambda flags: not flags & FrameFlag.CORRUPT, short.flags.tolist())))
    assert len(short) - 3 <= good
    same = list(takewhile(lambda pair: bool((pair[0] == pair[1]).all()), pictures_side_by_side(corpus, cut, whole)))
    assert len(same) >= len(short) - 3
    count = len(same) - 1
    assert short.pts[:count].tolist() == full.pts[:count].tolist()


def pictures_side_by_side(corpus: Path, cut: str, whole: str) -> list[tuple[Array, Array]]:
    readers = read_pictures(str(corpus / "hostile" / cut)), read_pictures(str(corpus / "clips" / whole))
    return [(one.rgb, other.rgb) for one, other in zip(*readers, strict=False)]


# A phone held upright.


def test_boxes_of_a_turned_film_are_those_of_the_same_film_upright(
    corpus: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    turned = corpus / "clips" / "rotated" / "PHP-FFMpeg" / "portrait.MOV"
    upright = tmp_path / "upright.mp4"
    encode_upright(turned, upright)
    spec = ExtractSpec(source="codec", ratio=0.25)
    one, other = extract_video(turned, spec), extract_video(upright, spec)
    assert len(one) == len(other)
    overlap = intersection_over_union(one.box, other.box)
    record_property("mean_iou", overlap.mean())
    print(f"portrait.MOV: mean IoU of boxes {overlap.mean():.3f}, least {overlap.min():.3f}")
    assert overlap.mean() >= 0.8


def encode_upright(source: Path, target: Path) -> None:
    with av.open(str(target), "w") as container:
        stream: Any = container.add_stream("libx264", rate=30, options={"crf": "12"})
        for picture in read_pictures(str(source)):
            if picture.index == 0:
                stream.height, stream.width = picture.rgb.shape[:2]
                stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture.rgb, format="rgb24")))
        container.mux(stream.encode(None))


def intersection_over_union(one: Array, other: Array) -> Array:
    """Overlap of boxes ``y0 x0 y1 x1``, row by row."""
    one, other = one.astype(np.int64), other.astype(np.int64)
    inner = np.maximum(np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2]), 0).prod(axis=1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)]
    return np.asarray(inner / (areas[0] + areas[1] - inner))


# Another reader.


def test_film_with_an_edit_list_has_the_frames_others_find(corpus: Path) -> None:
    path = corpus / "clips" / "edge" / "media" / "edit_list_positive_shift.mp4"
    volume = extract_video(path, ExtractSpec(source="codec"))
    with av.open(str(path)) as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert volume.pts.tolist() == times
    assert frames_of_torchcodec(path) == len(volume)


def frames_of_torchcodec(path: Path) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from torchcodec.decoders import VideoDecoder

            return len(VideoDecoder(str(path), seek_mode="exact"))
        except (ImportError, RuntimeError) as error:  # it needs FFmpeg's libraries, and says so only when they are used
            pytest.skip(f"compared with PyAV alone; torchcodec does not run here: {str(error).splitlines()[0]}")
