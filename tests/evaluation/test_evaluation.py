"""Masks against ground truth: from clips and object masks to the numbers of the table."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import av.codec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from mgmtool import evaluation
from mgmtool.errors import GroundTruthError, InputError, UsageError
from mgmtool.evaluation import Contender, EvaluateSpec, Problem, Sequence, SequenceResult
from mgmtool.evaluation.contenders import ORACLE
from mgmtool.evaluation.crops import draw_clips
from mgmtool.evaluation.motion import motion_ratios
from mgmtool.evaluation.run import Cell
from mgmtool.evaluation.scores import ClipScore, motion_ratio, oracle, score
from mgmtool.evaluation.truth import cell_shares, shares_between, summed_area, token_shares
from mgmtool.extraction.stream import whole_video
from mgmtool.types import ClipRequest, Crop, ExtractSpec, TokenLayout, TokenMask
from support import groundtruth
from support.moving import ref

Array = NDArray[Any]

LAYOUT = TokenLayout(14, 14, 49, 7, 7)


# Clips.

sizes = st.tuples(st.integers(31, 90), st.integers(16, 400), st.integers(16, 400))


def clips_of(name: str = "dog", size: tuple[int, int, int] = (60, 128, 192), seed: int = 0, count: int = 20) -> Any:
    return list(draw_clips(name, *size, LAYOUT, seed, count))


@given(size=sizes, seed=st.integers(0, 9))
def test_clips_are_16_frames_at_stride_2_inside_the_film(size: tuple[int, int, int], seed: int) -> None:
    for clip in clips_of(size=size, seed=seed):
        assert (len(clip.frames), clip.tubelet, clip.layout, clip.hflip) == (16, 2, LAYOUT, False)
        assert set(np.diff(clip.frames)) == {2}
        assert clip.frames[0] >= 0
        assert clip.frames[-1] < size[0]


@given(size=sizes, seed=st.integers(0, 9))
def test_crops_have_the_sides_and_offsets_of_videomae(size: tuple[int, int, int], seed: int) -> None:
    _, height, width = size
    short = min(height, width)
    sides = [int(short * scale) for scale in (1, 0.875, 0.75, 0.66)]
    for clip in clips_of(size=size, seed=seed):
        crop = clip.crop
        assert crop.top >= 0
        assert crop.left >= 0
        assert crop.top + crop.height <= height
        assert crop.left + crop.width <= width
        steps = [(i, j) for i in range(4) for j in range(4) if (sides[i], sides[j]) == (crop.height, crop.width)]
        assert any(abs(i - j) <= 1 for i, j in steps)
        h, w = (height - crop.height) // 4, (width - crop.width) // 4
        upper_left_to_lower_right = [(0, 0), (0, 4 * w), (4 * h, 0), (4 * h, 4 * w), (2 * h, 2 * w)]
        middles = [(2 * h, 0), (2 * h, 4 * w), (4 * h, 2 * w), (0, 2 * w)]
        quarters = [(h, w), (h, 3 * w), (3 * h, w), (3 * h, 3 * w)]
        assert (crop.top, crop.left) in upper_left_to_lower_right + middles + quarters


@pytest.mark.parametrize("size", [(90, 240, 426), (90, 426, 240)], ids=["landscape", "portrait"])
def test_every_side_offset_and_start_is_drawn(size: tuple[int, int, int]) -> None:
    clips = clips_of(size=size, count=4000)
    assert len({(clip.crop.height, clip.crop.width) for clip in clips}) == 10
    places = {
        (4 * clip.crop.top / (size[1] - clip.crop.height or 1), 4 * clip.crop.left / (size[2] - clip.crop.width or 1))
        for clip in clips
        if clip.crop.height == clip.crop.width == 180
    }
    assert len({(round(y), round(x)) for y, x in places}) == 13
    assert {clip.frames[0] for clip in clips} == set(range(60))
    assert len({clip.seed for clip in clips}) == 4000


def test_clips_depend_on_film_and_seed_and_on_nothing_else() -> None:
    assert clips_of() == clips_of()
    assert clips_of(seed=1) != clips_of()
    assert clips_of("cat") != clips_of()
    assert clips_of(count=30)[:20] == clips_of()
    other = TokenLayout(14, 14, 25, 5, 5)
    assert [replace(clip, layout=LAYOUT) for clip in draw_clips("dog", 60, 128, 192, other, 0, 20)] == clips_of()


def test_a_film_of_just_one_clip_and_one_that_is_too_short() -> None:
    assert {clip.frames[0] for clip in clips_of(size=(31, 64, 64))} == {0}
    with pytest.raises(GroundTruthError) as caught:
        clips_of(size=(30, 64, 64))
    assert str(caught.value) == "30 frames; expected 31 or more, for 16 at stride 2"


# Truth.


def pixel_shares(objects: list[Array], clip: ClipRequest) -> Array:
    """Share of object in every token: every pixel is cut by the lines of the tokens, one by one."""
    crop, rows, cols = clip.crop, clip.layout.rows, clip.layout.cols
    assert crop is not None
    shares = np.zeros((len(clip.frames) // clip.tubelet, rows, cols))
    high, wide = crop.height / rows, crop.width / cols

    def overlap(pixel: int, first: float, side: float) -> float:
        return max(0.0, min(pixel + 1, first + side) - max(pixel, first))

    for position, frame in enumerate(clip.frames):
        for y, x in np.argwhere(objects[frame]).tolist():
            for row, col in np.ndindex(rows, cols):
                part = overlap(y, crop.top + row * high, high) * overlap(x, crop.left + col * wide, wide)
                shares[position // clip.tubelet, row, col] += part / (high * wide * clip.tubelet)
    return shares


@given(
    seed=st.integers(0, 999),
    layout=st.sampled_from([TokenLayout(3, 4, 2, 1, 2), TokenLayout(2, 2, 1, 1, 1), TokenLayout(5, 7, 4, 2, 2)]),
    sides=st.tuples(st.integers(1, 11), st.integers(1, 13)),
    tubelet=st.integers(1, 2),
)
def test_shares_are_those_of_the_pixels(seed: int, layout: TokenLayout, sides: tuple[int, int], tubelet: int) -> None:
    rng = np.random.default_rng(seed)
    objects = [rng.random((11, 13)) < 0.3 for _ in range(5)]
    top, left = rng.integers(0, 12 - sides[0]), rng.integers(0, 14 - sides[1])
    frames = tuple(rng.integers(0, 5, 2 * tubelet).tolist())  # any order, repeats
    clip = ClipRequest(frames, layout, Crop(int(top), int(left), *sides), tubelet=tubelet)
    (found,), shown = token_shares(iter(objects), [clip])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, pixel_shares(objects, clip), atol=1e-6)
    assert shown == sum(bool(mask.any()) for mask in objects)


def test_a_clip_without_crop_sees_the_whole_frame() -> None:
    objects = [np.eye(6, 8, dtype=np.bool_)] * 2
    whole = ClipRequest((0, 1), TokenLayout(3, 4, 1, 1, 1))
    (found, same), _ = token_shares(objects, [whole, replace(whole, crop=Crop(0, 0, 6, 8))])
    np.testing.assert_array_equal(found, same)
    np.testing.assert_allclose(found[0], np.diag([0.5, 0.5, 0.5, 0])[:3])


def test_frames_without_object_are_counted_apart() -> None:
    nothing, something = np.zeros((4, 4), np.bool_), np.eye(4, dtype=np.bool_)
    assert token_shares([nothing, something, nothing], [])[1] == 1


@given(seed=st.integers(0, 99), cell=st.sampled_from([1, 4, 5, 16]))
def test_cells_are_cut_by_the_picture(seed: int, cell: int) -> None:
    inside = np.random.default_rng(seed).random((10, 13)) < 0.4
    found = cell_shares(inside, cell)
    assert found.shape == (-(-10 // cell), -(-13 // cell))
    for row, col in np.ndindex(*found.shape):
        square = inside[row * cell : (row + 1) * cell, col * cell : (col + 1) * cell]
        assert found[row, col] == pytest.approx(square.mean(), abs=1e-6)


def test_shares_between_lines_inside_a_pixel() -> None:
    inside = np.array([[1, 0], [0, 1]], np.bool_)
    sums = summed_area(inside)
    assert sums.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 2]]
    lines = np.array([0.25, 0.75, 1.5, 2.0])
    found = shares_between(sums, lines, lines)
    third = 0.25 * 0.25 + 0.5 * 0.5  # from 0.75 to 1.5: a quarter of the first pixel, half of the second
    expected = [[1, 1 / 3, 0], [1 / 3, third / 0.75**2, 2 / 3], [0, 2 / 3, 1]]
    np.testing.assert_allclose(found, expected, atol=1e-12)


# Scores.


def box_mask(*corners: tuple[int, int], layout: TokenLayout = LAYOUT) -> TokenMask:
    """A box of the layout in every tubelet."""
    mask = np.zeros((len(corners), layout.rows, layout.cols), np.bool_)
    box = np.array([(y, x, y + layout.box_rows, x + layout.box_cols) for y, x in corners], np.int16)
    for frame, (y0, x0, y1, x1) in zip(mask, box.tolist(), strict=True):
        frame[y0:y1, x0:x1] = True
    return TokenMask(mask, box, np.zeros(len(corners), np.bool_))


def square_share(*corners: tuple[int, int], side: int = 4) -> Array:
    share = np.zeros((len(corners), 14, 14), np.float32)
    for frame, (y, x) in zip(share, corners, strict=True):
        frame[y : y + side, x : x + side] = 1
    return share


@pytest.mark.parametrize(
    ("corners", "share", "expected"),
    [
        pytest.param([(0, 0), (0, 0)], square_share((2, 2), (2, 2)), ClipScore(1, 1, 1), id="on-it"),
        pytest.param([(0, 0), (0, 0)], square_share((9, 9), (9, 9)), ClipScore(0, 1, 0), id="beside-it"),
        pytest.param([(0, 0), (7, 7)], square_share((2, 2), (2, 2)), ClipScore(0.5, 0, 0.5), id="jumps-away"),
        pytest.param([(0, 0), (0, 1)], square_share((5, 5), (0, 0)), ClipScore((4 + 12) / 32, 42 / 56, 0), id="partly"),
        pytest.param([(0, 0)], square_share((3, 3), side=1), ClipScore(1, 1, 1), id="centre-token"),
        pytest.param([(0, 0)], 0.5 * square_share((3, 3), side=1), ClipScore(1, 1, 0), id="half-a-token-is-no-hit"),
        pytest.param([(0, 0)] * 2, square_share((2, 2), (14, 14)), ClipScore(1, 1, 1), id="gone-in-one-tubelet"),
    ],
)
def test_scores_by_hand(corners: list[tuple[int, int]], share: Array, expected: ClipScore) -> None:
    found = score(box_mask(*corners), share)
    assert (found.recall, found.tiou, found.hit) == pytest.approx((expected.recall, expected.tiou, expected.hit))


def test_a_mask_without_box_has_no_hit() -> None:
    mask = np.zeros((2, 14, 14), np.bool_)
    mask[:, ::2, ::2] = True
    found = score(TokenMask(mask, np.zeros((2, 4), np.int16), np.zeros(2, np.bool_)), square_share((0, 0), (0, 0)))
    assert (found.recall, found.tiou) == (0.25, 1)
    assert math.isnan(found.hit)


def test_only_tubelets_with_a_box_count_for_the_hit() -> None:
    masked = box_mask((0, 0), (0, 0))
    masked.box[1] = 0
    share = square_share((2, 2), (2, 2))
    share[1] = 0
    share[1, 0, 0] = 1
    assert score(masked, share).hit == 1


layouts = st.sampled_from([TokenLayout(5, 6, 6, 2, 3), TokenLayout(4, 4, 16, 4, 4), TokenLayout(6, 3, 1, 1, 1)])


@given(seed=st.integers(0, 999), layout=layouts, share_of_zeros=st.sampled_from([0.0, 0.5, 0.95]))
def test_no_box_beats_the_oracle(seed: int, layout: TokenLayout, share_of_zeros: float) -> None:
    rng = np.random.default_rng(seed)
    share = rng.random((3, layout.rows, layout.cols)).astype(np.float32)
    share[rng.random(share.shape) < share_of_zeros] = 0
    best = oracle(share, layout)
    assert (best.mask.sum(axis=(1, 2)) == layout.masked).all()
    for frame, mask, (y0, x0, y1, x1) in zip(share.astype(float), best.mask, best.box.tolist(), strict=True):
        assert mask[y0:y1, x0:x1].all()
        worth = [
            frame[y : y + layout.box_rows, x : x + layout.box_cols].sum()
            for y in range(layout.rows - layout.box_rows + 1)
            for x in range(layout.cols - layout.box_cols + 1)
        ]
        assert frame[mask].sum() >= max(worth) - 1e-9


def test_the_ratio_of_motion_by_hand() -> None:
    length = np.array([[3, 1], [2, 9]], np.float32)
    coverage = np.array([[1, 1], [0.5, 0]], np.float32)
    share = np.array([[1, 0], [0.5, 1]], np.float32)
    # Object: 3 with weight 1, 2 with weight 1/4. Background: 1 with weight 1, 2 with weight 1/4. The rest is not covered.
    assert motion_ratio(length, coverage, share) == pytest.approx((3.5 / 1.25) / (1.5 / 1.25))


def test_a_still_background_counts_as_a_hundredth_of_a_pixel() -> None:
    ones, share = np.ones((1, 2), np.float32), np.array([[1, 0]], np.float32)
    assert motion_ratio(np.array([[2, 0]], np.float32), ones, share) == pytest.approx(200)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_ratio_needs_object_and_background(share: float) -> None:
    ones = np.ones((2, 2), np.float32)
    assert math.isnan(motion_ratio(ones, ones, share * ones))
    assert math.isnan(motion_ratio(ones, 0 * ones, 0.5 * ones))


# Means.


def spec_of(*labels: str, seeds: int = 1, boxes: tuple[tuple[int, int], ...] = ((7, 7),)) -> EvaluateSpec:
    return EvaluateSpec([Contender(label, None) for label in labels], boxes, seeds)


def result_of(name: str, masks: list[list[TokenMask]], shares: list[list[Array]], label: str = "a") -> SequenceResult:
    """Masks and shares of the clips of each seed."""
    result = SequenceResult(Sequence(name, Path(name), Path(name)))
    for seed, (hidden, known) in enumerate(zip(masks, shares, strict=True)):
        scores = [score(mask, share) for mask, share in zip(hidden, known, strict=True)]
        result.cells[label, 0, seed] = Cell(scores, np.mean([mask.mask for mask in hidden], axis=0))
        result.truth.append(np.mean([share / share.sum(dtype=np.float64) for share in known], axis=0))
    return result


@given(seed=st.integers(0, 999), films=st.integers(2, 5), y=st.integers(0, 7), x=st.integers(0, 7))
def test_a_fixed_box_gains_nothing(seed: int, films: int, y: int, x: int) -> None:
    rng = np.random.default_rng(seed)
    results = []
    for number in range(films):
        clips = int(rng.integers(1, 6))
        shares = [rng.random((8, 14, 14)).astype(np.float32) ** 8 for _ in range(clips)]
        results.append(result_of(str(number), [[box_mask(*[(y, x)] * 8)] * clips], [shares]))
    (row,) = evaluation.summarise(results, spec_of("a")).rows
    assert row.mean["gain"] == pytest.approx(0, abs=1e-9)


def test_gain_is_recall_less_recall_on_the_clips_of_others() -> None:
    rng = np.random.default_rng(0)
    shares = [[rng.random((2, 14, 14)).astype(np.float32) for _ in range(count)] for count in (2, 3, 1)]
    masks = [[box_mask(*rng.integers(0, 8, (2, 2)).tolist()) for _ in clips] for clips in shares]
    results = [result_of(str(k), [masks[k]], [shares[k]]) for k in range(3)]
    (row,) = evaluation.summarise(results, spec_of("a")).rows
    for k in range(3):
        own = np.mean([score(mask, share).recall for mask, share in zip(masks[k], shares[k], strict=True)])
        cross = [
            np.mean([score(mask, share).recall for mask in masks[k] for share in shares[other]])
            for other in range(3)
            if other != k
        ]
        assert row.sequences[str(k)]["gain"] == pytest.approx(own - np.mean(cross), abs=1e-6)


def test_means_are_of_clips_then_sequences_then_seeds() -> None:
    on, off = (box_mask(*[corner] * 2) for corner in ((0, 0), (7, 7)))
    share = square_share((1, 1), (1, 1))
    first = result_of("first", [[on, on, off], [on]], [[share] * 3, [share]])
    second = result_of("second", [[off], [on, off]], [[share], [share] * 2])
    first.seconds["a"], second.seconds["a"] = 0.25, 0.75
    (row,) = evaluation.summarise([first, second], spec_of("a", seeds=2)).rows
    assert (row.label, row.box, row.seconds) == ("a", "7x7", 0.5)
    assert row.sequences["first"]["recall"] == pytest.approx((2 / 3 + 1) / 2)
    assert row.sequences["second"]["recall"] == pytest.approx((0 + 1 / 2) / 2)
    by_seed = ((2 / 3 + 0) / 2, (1 + 1 / 2) / 2)
    assert row.mean["recall"] == pytest.approx(sum(by_seed) / 2)
    assert row.deviation["recall"] == pytest.approx(abs(by_seed[0] - by_seed[1]) / 2)
    assert row.mean["lift"] == pytest.approx(4 * row.mean["recall"])
    assert row.mean["tiou"] == 1
    assert row.deviation["tiou"] == 0


def test_one_sequence_alone_has_no_gain() -> None:
    (row,) = evaluation.summarise([result_of("a", [[box_mask((0, 0))]], [[square_share((0, 0))]])], spec_of("a")).rows
    assert math.isnan(row.mean["gain"])
    assert row.mean["recall"] == 1
    assert row.seconds is None


def test_a_row_for_every_box_and_contender() -> None:
    spec = spec_of("a", "b", boxes=((7, 7), (5, 3)))
    result = result_of("one", [[box_mask((0, 0))]], [[square_share((0, 0))]])
    for label in "ab":
        for number in range(2):
            result.cells[label, number, 0] = result.cells["a", 0, 0]
    result.ratios["codec"] = (2.0, 3.0)
    summary = evaluation.summarise([result], spec)
    assert [(row.box, row.label) for row in summary.rows] == [("7x7", "a"), ("7x7", "b"), ("5x3", "a"), ("5x3", "b")]
    assert [row.mean["lift"] for row in summary.rows[1:3]] == pytest.approx([196 / 49, 196 / 15])
    assert summary.motion == {"codec": {"one": (2.0, 3.0)}}
    assert [(box.masked, box.box_rows, box.box_cols) for box in spec.layouts()] == [(49, 7, 7), (15, 5, 3)]


# Contenders.


def labels(found: list[Contender]) -> list[str]:
    return [contender.label for contender in found]


def test_the_default_is_every_kind_of_evidence_and_the_baselines() -> None:
    found = evaluation.contenders(evaluation.default_contenders(), ["codec"])
    assert labels(found) == [
        "motion-guided",
        "motion-guided:picture_check=false",
        "motion-guided:border_motion=false",
        "motion-guided:appearance=false",
        "motion-guided:border_motion=false,appearance=false",
        "motion-literal",
        "simulated-motion",
        "tube",
        "random",
        "centre-box",
        "oracle",
    ]
    assert {contender.source for contender in found} == {"codec", ""}


def test_options_come_to_their_types() -> None:
    first, *_ = evaluation.contenders(["motion-guided: border-motion = no , pool=3,smoothness=1"], ["codec:cell=8"])
    assert first.spec is not None
    assert first.spec.scheme_options == {"border_motion": False, "pool": 3, "smoothness": 1.0}
    assert isinstance(first.spec.scheme_options["smoothness"], float)
    assert (first.spec.source, first.spec.source_options) == ("codec", {"cell": 8})
    assert first.source == "codec:cell=8"


def test_sources_multiply_only_what_looks_at_motion() -> None:
    found = evaluation.contenders(["motion-guided", "tube", "tube"], ["codec", "recorded", "codec", "codec:cell=8"])
    assert labels(found) == [
        "motion-guided",
        "motion-guided @ recorded",
        "motion-guided @ codec:cell=8",
        "tube",
        "random",
        "centre-box",
        ORACLE,
    ]
    assert [contender.moves for contender in found] == [True] * 3 + [False] * 4


def test_baselines_that_are_named_are_there_once() -> None:
    assert labels(evaluation.contenders(["random", "random"], ["codec"])) == ["random", "centre-box", "oracle"]


@pytest.mark.parametrize(
    ("schemes", "motion", "message"),
    [
        (["motion-guide"], ["codec"], "unknown scheme 'motion-guide'"),
        (["tube"], ["codek"], "unknown source 'codek'"),
        (["tube"], ["codec", "codek"], "unknown source 'codek'"),
        (["tube"], [], "no motion source"),
        (["motion-guided:poool=1"], ["codec"], "motion-guided has no option 'poool'"),
        (["motion-guided:pool=x"], ["codec"], "motion-guided option pool is 'x'; expected a whole number"),
        (["motion-guided:pool=99"], ["codec"], "motion-guided option pool is 99"),
        (["motion-guided:pool"], ["codec"], "'pool'; expected NAME or NAME:KEY=VALUE"),
        (["motion-guided:"], ["codec"], "''; expected NAME or NAME:KEY=VALUE"),
        (["motion-guided:pool=1,"], ["codec"], "''; expected NAME or NAME:KEY=VALUE"),
        (["tube"], ["codec:cell=7"], "codec option cell is 7"),
        ([""], ["codec"], "unknown scheme ''"),
    ],
)
def test_what_is_not_known_is_named(schemes: list[str], motion: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        evaluation.contenders(schemes, motion)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


# Sequences.


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_sequences_are_found_at_any_depth(tmp_path: Path) -> None:
    for folder in ("b", "a/deep/er", "c"):
        touch(tmp_path / folder / "video.mp4", tmp_path / folder / "masks" / "0.png")
    touch(tmp_path / "no-film" / "masks" / "0.png", tmp_path / "no-truth" / "video.mp4")
    found = evaluation.find_sequences([tmp_path])
    assert [sequence.name for sequence in found] == ["a/deep/er", "b", "c"]
    assert found[1] == Sequence("b", tmp_path / "b" / "video.mp4", tmp_path / "b" / "masks")


@pytest.mark.parametrize(
    ("files", "film", "truth"),
    [
        pytest.param(["a.mp4", "video.MKV", "masks/0.png"], "video.MKV", "masks", id="video-is-preferred"),
        pytest.param(["clip.webm", "masks/0.png", "notes.txt"], "clip.webm", "masks", id="a-lone-film"),
        pytest.param([".video.mp4", "clip.webm", "masks/0.png"], "clip.webm", "masks", id="hidden-films-are-none"),
        pytest.param(["clip.mp4", "gt/gt.txt"], "clip.mp4", "gt/gt.txt", id="mot"),
        pytest.param(["clip.mp4", "tracks.json"], "clip.mp4", "tracks.json", id="coco"),
        pytest.param(["clip.mp4", "masks/0.png", "gt/gt.txt", "a.json"], "clip.mp4", "masks", id="masks-first"),
        pytest.param(["clip.mp4", "gt/gt.txt", "a.json"], "clip.mp4", "gt/gt.txt", id="then-mot"),
        pytest.param(["clip.mp4", "masks", "a.json"], "clip.mp4", "a.json", id="masks-that-are-no-folder"),
    ],
)
def test_film_and_truth_of_a_folder(files: list[str], film: str, truth: str, tmp_path: Path) -> None:
    touch(*(tmp_path / "dog" / file for file in files))
    expected = Sequence("dog", tmp_path / "dog" / film, tmp_path / "dog" / truth)
    assert evaluation.find_sequences([tmp_path / "dog"]) == [expected]


@pytest.mark.parametrize(
    "files",
    [["a.mp4", "b.mp4", "masks/0.png"], ["masks/0.png"], ["a.mp4"], [".git/a.mp4", ".git/masks/0.png"], ["a.txt"]],
    ids=["two-films", "no-film", "no-truth", "hidden", "neither"],
)
def test_no_sequence_is_an_error(files: list[str], tmp_path: Path) -> None:
    touch(*(tmp_path / file for file in files))
    with pytest.raises(InputError, match=r"no sequence in .*; expected folders with video"):
        evaluation.find_sequences([tmp_path])


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    touch(tmp_path / "file")
    for path in (tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(InputError, match=f"no folder at {path}"):
            evaluation.find_sequences([path])


def test_a_folder_is_named_even_where_its_path_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "dog" / "video.mp4", tmp_path / "dog" / "masks" / "0.png")
    monkeypatch.chdir(tmp_path / "dog")
    assert [sequence.name for sequence in evaluation.find_sequences(["."])] == ["dog"]


def test_sequences_found_twice_count_once_and_namesakes_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a/dog", "b/dog"):
        touch(tmp_path / folder / "video.mp4", tmp_path / folder / "masks" / "0.png")
    found = evaluation.find_sequences([tmp_path / "a", tmp_path / "b", tmp_path / "a" / "dog", tmp_path / "b"])
    assert [sequence.name for sequence in found] == ["dog", str(tmp_path / "b" / "dog")]
    assert [sequence.video.parent.parent.name for sequence in found] == ["a", "b"]


def test_masks_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = ["f9.png", "f10.png", "f010.png", "f100.png", "g2.png", "._f9.png"]
    for number, name in enumerate(names[:-1]):
        Image.fromarray(np.arange(5, dtype=np.uint8)[None] == number).convert("L").save(tmp_path / name)
    touch(tmp_path / names[-1], tmp_path / "notes.txt")
    frames = list(Sequence("dog", tmp_path, tmp_path).object_frames(5, 1, 5))
    assert [int(frame.argmax()) for frame in frames] == [0, 2, 1, 3, 4]  # f010 stands before f10, as names do


INSIDE = np.array([[0, 1, 0], [1, 1, 0]], np.bool_)


def palette(values: Array) -> Image.Image:
    picture = Image.new("P", (3, 2))
    picture.putdata(values.astype(int).ravel().tolist())
    picture.putpalette([200, 200, 200, 0, 0, 0])  # what the colours look like does not count
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(Image.fromarray(INSIDE.astype(np.uint8)), id="L-of-ones"),
        pytest.param(Image.fromarray(INSIDE.astype(np.uint8) * 255), id="L"),
        pytest.param(Image.fromarray(INSIDE), id="one-bit"),
        pytest.param(palette(INSIDE), id="palette"),
        pytest.param(Image.fromarray(INSIDE.astype(np.uint16) * 256), id="16-bit"),
        pytest.param(Image.fromarray(np.stack([0 * INSIDE, 0 * INSIDE, 9 * INSIDE], 2).astype(np.uint8)), id="RGB"),
        pytest.param(
            Image.fromarray(np.stack([INSIDE, 0 * INSIDE, 0 * INSIDE, 0 * INSIDE + 255], 2).astype(np.uint8)), id="RGBA"
        ),
        pytest.param(
            Image.merge("LA", [Image.fromarray(INSIDE.astype(np.uint8)), Image.new("L", (3, 2), 255)]), id="LA"
        ),
    ],
)
def test_masks_of_any_kind_are_read(picture: Image.Image, tmp_path: Path) -> None:
    picture.save(tmp_path / "0.png")
    (found,) = Sequence("dog", tmp_path, tmp_path).object_frames(1, 2, 3)
    assert found.dtype == np.bool_
    np.testing.assert_array_equal(found, INSIDE)


def test_boxes_are_filled_and_cut_by_the_picture(tmp_path: Path) -> None:
    file = tmp_path / "gt.txt"
    file.write_text("1,1,-2,-2,4.4,3.6,1\n3,1,6,3,9,9,1\n3,2,0.4,0.6,1,1,1\n")
    frames = list(Sequence("dog", tmp_path, file).object_frames(3, 5, 8))
    expected = np.zeros((3, 5, 8), np.bool_)
    expected[0, :2, :2] = expected[2, 3:, 6:] = expected[2, 1:2, 0:1] = True
    np.testing.assert_array_equal(frames, expected)


def test_a_file_of_several_films_is_read_for_the_one_of_this_name(tmp_path: Path) -> None:
    videos = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    images = [{"id": k, "video_id": k, "file_name": f"{k}.jpg"} for k in (1, 2)]
    annotations = [{"image_id": k, "bbox": [k, k, 2, 1]} for k in (1, 2)]
    file = tmp_path / "coco.json"
    file.write_text(json.dumps({"videos": videos, "images": images, "annotations": annotations}))
    (found,) = Sequence("animals/dog", tmp_path, file).object_frames(1, 5, 8)
    assert np.argwhere(found).tolist() == [[2, 2], [2, 3]]


# From files to numbers.


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films with masks, and one of them with boxes in two formats."""
    top = tmp_path_factory.mktemp("films")
    groundtruth.write_sequence(top / "left")
    groundtruth.write_sequence(top / "right", groundtruth.path_of(start=(70, 10), step=(-1, 3)), seed=1)
    return top


@pytest.fixture(scope="module")
def compared(films: Path) -> dict[str, evaluation.Row]:
    spec = EvaluateSpec(evaluation.contenders(["motion-guided", "motion-literal", "tube"], ["codec"]), clips=10)
    results = list(evaluation.evaluate_sequences(evaluation.find_sequences([films]), spec))
    assert [result.sequence.name for result in results if isinstance(result, SequenceResult)] == ["left", "right"]
    for result in results:
        assert isinstance(result, SequenceResult)
        raw, compensated = result.ratios["codec"]
        assert compensated > raw > 0.5
    return {
        row.label: row for row in evaluation.summarise([r for r in results if isinstance(r, SequenceResult)], spec).rows
    }


def test_motion_guided_finds_the_square(compared: dict[str, evaluation.Row]) -> None:
    recall = {label: row.mean["recall"] for label, row in compared.items()}
    assert recall["motion-guided"] > 0.7
    assert recall["motion-guided"] > recall["motion-literal"]
    assert recall["oracle"] == max(recall.values())
    assert recall["oracle"] <= 1
    assert 0.15 < recall["random"] < 0.35
    assert compared["motion-guided"].mean["gain"] > 0.3
    assert compared["motion-guided"].mean["hit"] > 0.5
    assert compared["motion-guided"].mean["tiou"] > 0.7


def test_what_holds_for_any_comparison(compared: dict[str, evaluation.Row]) -> None:
    for label, row in compared.items():
        assert row.mean["lift"] == pytest.approx(4 * row.mean["recall"])
        assert set(row.sequences) == {"left", "right"}
        assert (row.seconds is None) == (label == "oracle")
        assert row.seconds is None or row.seconds > 0
        assert math.isnan(row.mean["hit"]) == (label in {"random", "tube"})
        assert all(0 <= value < 0.2 for value in row.deviation.values() if not math.isnan(value))
    assert compared["centre-box"].mean["gain"] == pytest.approx(0, abs=1e-9)
    assert compared["tube"].mean["tiou"] == compared["centre-box"].mean["tiou"] == 1


def quick(folder: Path, *schemes: str, **more: Any) -> list[SequenceResult | Problem]:
    spec = EvaluateSpec(evaluation.contenders(schemes, ["codec"]), **({"seeds": 1, "clips": 4} | more))
    return list(evaluation.evaluate_sequences(evaluation.find_sequences([folder]), spec))


def test_equal_calls_give_equal_numbers(films: Path) -> None:
    first, second = (
        evaluation.summarise([r for r in quick(films, "motion-guided") if isinstance(r, SequenceResult)], spec)
        for spec in [EvaluateSpec(evaluation.contenders(["motion-guided"], ["codec"]), seeds=1, clips=4)] * 2
    )
    assert [row.mean["recall"] for row in first.rows] == [row.mean["recall"] for row in second.rows]
    assert first.motion == second.motion


def coco_of(path: list[tuple[int, int]]) -> dict[str, Any]:
    side = groundtruth.SIDE
    images = [{"id": t, "file_name": f"{t:05}.jpg"} for t in range(len(path))]
    annotations = [{"image_id": t, "track_id": 1, "bbox": [x, y, side, side]} for t, (y, x) in enumerate(path)]
    return {"images": images, "annotations": annotations}


def test_masks_and_boxes_of_the_same_square_give_the_same_numbers(films: Path, tmp_path: Path) -> None:
    """The draws follow the name of the sequence, so each kind of truth has a folder of its own."""
    path = groundtruth.path_of()
    tops = [tmp_path / kind for kind in ("masks", "mot", "coco")]
    for top in tops:
        (top / "left").mkdir(parents=True)
        shutil.copy(films / "left" / "video.mp4", top / "left")
    shutil.copytree(films / "left" / "masks", tops[0] / "left" / "masks")
    groundtruth.write_mot(tops[1] / "left" / "gt" / "gt.txt", path)
    (tops[2] / "left" / "boxes.json").write_text(json.dumps(coco_of(path)))
    found = [quick(top, "tube")[0] for top in tops]
    truths = [result.truth[0] for result in found if isinstance(result, SequenceResult)]
    assert len(truths) == 3
    np.testing.assert_array_equal(truths[0], truths[1])
    np.testing.assert_array_equal(truths[0], truths[2])


def test_a_box_on_the_known_object_is_near_the_oracle(films: Path, tmp_path: Path) -> None:
    folder = tmp_path / "left"
    shutil.copytree(films / "left", folder)
    groundtruth.write_mot(folder / "gt" / "gt.txt", groundtruth.path_of())
    (result,) = quick(folder, "boxes:tracks_file={folder}/gt/gt.txt")
    assert isinstance(result, SequenceResult)
    recall = {label: np.mean([s.recall for s in cell.scores]) for (label, _, _), cell in result.cells.items()}
    assert recall["boxes:tracks_file={folder}/gt/gt.txt"] > recall["oracle"] - 0.05


def test_sources_that_differ_in_options_have_ratios_of_their_own(films: Path) -> None:
    spec = EvaluateSpec(evaluation.contenders(["motion-literal"], ["codec", "codec:cell=32"]), seeds=1, clips=2)
    first, *_ = evaluation.evaluate_sequences(evaluation.find_sequences([films]), spec)
    assert isinstance(first, SequenceResult)
    assert set(first.ratios) == {"codec", "codec:cell=32"}
    assert first.ratios["codec"] != first.ratios["codec:cell=32"]


def test_the_ratio_is_not_there_without_an_object(films: Path, tmp_path: Path) -> None:
    film = films / "left" / "video.mp4"
    _, facts = whole_video(ref(film), ExtractSpec("tube"))
    empty = tmp_path / "gt.txt"
    empty.touch()
    found = motion_ratios(Sequence("left", film, empty), ExtractSpec(), facts)
    assert all(math.isnan(value) for value in found)


# Problems.


def keep_masks(folder: Path, count: int) -> None:
    for path in sorted((folder / "masks").glob("*.png"))[count:]:
        path.unlink()


def rewrite(folder: Path, masks: list[Array]) -> None:
    keep_masks(folder, 0)
    groundtruth.write_masks(folder / "masks", masks)


def without_vectors(folder: Path, codec: str, **options: str) -> None:
    if codec not in av.codec.codecs_available:
        pytest.skip(f"FFmpeg came without {codec}")
    (folder / "video.mp4").unlink()
    groundtruth.write_film(folder / "video.mkv", groundtruth.path_of(), codec=codec, **options)


def boxes_instead(folder: Path, rows: str) -> None:
    shutil.rmtree(folder / "masks")
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text(rows)


def black(size: tuple[int, int] = (groundtruth.HEIGHT, groundtruth.WIDTH)) -> list[Array]:
    return [np.zeros(size, np.bool_) for _ in range(groundtruth.FRAMES)]


def one_dot(side: int, corner: tuple[int, int] = (60, 90)) -> list[Array]:
    masks = black()
    for mask in masks:
        mask[corner[0] : corner[0] + side, corner[1] : corner[1] + side] = True
    return masks


PROBLEMS = [
    pytest.param(
        lambda folder: keep_masks(folder, 39), "{masks}: 39 pictures for 40 frames; expected one for each", id="count"
    ),
    pytest.param(
        lambda folder: keep_masks(folder, 0), "{masks}: no *.png; expected one picture for each of 40 frames", id="none"
    ),
    pytest.param(
        lambda folder: rewrite(folder, black((64, 96))),
        "{masks}/00000.png: a picture of 64 x 96 pixels; expected 128 x 192 like the film",
        id="size",
    ),
    pytest.param(
        lambda folder: rewrite(folder, black()),
        "{masks}: empty ground truth; expected an object in at least one frame",
        id="black",
    ),
    pytest.param(
        lambda folder: rewrite(folder, one_dot(3)),
        "{masks}: at most 1.125 tokens of object in the 4 clips of seed 0; expected 8 or more in at least one",
        id="too-small",
    ),
    pytest.param(
        lambda folder: (folder / "masks" / "00007.png").write_bytes(b"no picture"),
        "{masks}/00007.png: cannot be read as a picture: cannot identify image file",
        id="no-picture",
    ),
    pytest.param(
        lambda folder: (folder / "masks" / "00007.png").write_bytes((folder / "masks" / "00007.png").read_bytes()[:60]),
        "{masks}/00007.png: cannot be read as a picture: ",
        id="cut-picture",
    ),
    pytest.param(
        lambda folder: without_vectors(folder, "libvpx-vp9", deadline="realtime", **{"cpu-used": "8"}),
        "{folder}/video.mkv: vp9: no motion vectors in 33 frames",
        id="vp9",
    ),
    pytest.param(
        lambda folder: without_vectors(folder, "mpeg4", g="1"),
        "{folder}/video.mkv: mpeg4: no motion vectors in 40 frames, 0 of them predicted",
        id="all-key-frames",
    ),
    pytest.param(
        lambda folder: (folder / "video.mp4").write_bytes(b"no film"),
        "{folder}/video.mp4: cannot be opened as a video: ",
        id="no-film",
    ),
    pytest.param(
        lambda folder: groundtruth.write_film(folder / "video.mp4", groundtruth.path_of(20)),
        "{folder}/video.mp4: 20 frames; expected 31 or more, for 16 at stride 2",
        id="short-film",
    ),
    pytest.param(
        lambda folder: boxes_instead(folder, "1,1,20,20,40,40,1\n41,1,20,20,40,40,1\n"),
        "{folder}/gt/gt.txt: a box on frame 40, counted from 0; expected 0 to 39 like the film",
        id="boxes-beyond-the-film",
    ),
    pytest.param(
        lambda folder: boxes_instead(folder, ""),
        "{folder}/gt/gt.txt: empty ground truth; expected an object in at least one frame",
        id="no-boxes",
    ),
    pytest.param(
        lambda folder: boxes_instead(folder, "1,1,20,20,40,-5,1\n"),
        "{folder}/gt/gt.txt, line 1: height is -5",
        id="bad-box",
    ),
]


@pytest.mark.parametrize(("spoil", "message"), PROBLEMS)
def test_one_bad_sequence_is_named_and_the_other_counts(
    spoil: Callable[[Path], object], message: str, films: Path, tmp_path: Path
) -> None:
    top = tmp_path / "films"
    shutil.copytree(films, top)
    spoil(top / "left")
    bad, good = quick(top, "motion-literal")
    assert isinstance(bad, Problem)
    assert bad.sequence.name == "left"
    assert bad.message.startswith(message.format(folder=top / "left", masks=top / "left" / "masks"))
    assert "\n" not in bad.message
    assert isinstance(good, SequenceResult)
    assert good.sequence.name == "right"


def test_a_missing_file_of_tracks_is_a_problem_that_names_it(films: Path) -> None:
    first, second = quick(films, "boxes")
    assert isinstance(first, Problem)
    assert isinstance(second, Problem)
    assert first.message.startswith(f"cannot read {films / 'left' / 'video.txt'}: ")


def test_clips_with_too_little_object_are_dropped(films: Path, tmp_path: Path) -> None:
    shutil.copytree(films / "left", tmp_path / "left")
    dot = one_dot(12, (0, 0))  # in the crops at the top left only
    rewrite(tmp_path / "left", dot)
    (result,) = quick(tmp_path, clips=30)
    assert isinstance(result, SequenceResult)
    shares, _ = token_shares(dot, clips_of("left", (40, groundtruth.HEIGHT, groundtruth.WIDTH), count=30))
    useful = sum(float(share.sum()) >= 8 for share in shares)
    assert 0 < useful < 30
    assert len(result.cells["random", 0, 0].scores) == useful
