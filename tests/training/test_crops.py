"""Crops: drawn from a seed, always inside the picture, and as the recipes they are named after draw them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgmtool import crops
from mgmtool.crops import CropParameters, CropPolicy
from mgmtool.errors import UsageError
from mgmtool.evaluation.crops import draw_clips
from mgmtool.masking import draws
from mgmtool.types import Crop, TokenLayout

sides = st.integers(1, 900)


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        (("dog", 60, 128, 192, 0), [(27, 12, 72, 112, 96), (18, 0, 48, 84, 96), (14, 0, 32, 128, 128)]),
        (("bear", 82, 480, 854, 7), [(42, 0, 186, 480, 480), (3, 30, 492, 420, 360), (39, 45, 93, 420, 480)]),
        (("tall", 31, 333, 201, 3), [(0, 66, 0, 201, 175), (0, 200, 0, 132, 150), (0, 0, 12, 175, 175)]),
    ],
)
def test_evaluate_draws_the_clips_it_always_drew(film: tuple[Any, ...], expected: list[tuple[int, ...]]) -> None:
    *what, seed = film
    clips = draw_clips(*what, TokenLayout(14, 14, 49, 7, 7), seed, 3)
    found = [(clip.frames[0], clip.crop) for clip in clips]
    assert found == [(start, Crop(*crop)) for start, *crop in expected]


@given(st.sampled_from(crops.KINDS), sides, sides, st.integers(-5, 2**64))
def test_crops_lie_inside_the_picture_and_are_those_of_their_seed(
    kind: str, height: int, width: int, seed: int
) -> None:
    policy = CropPolicy(kind, scale=(0.05, 1.0))
    drawn = policy.draw(height, width, seed)
    assert 0 <= drawn.top < drawn.top + drawn.height <= height
    assert 0 <= drawn.left < drawn.left + drawn.width <= width
    assert drawn == policy.draw(height, width, seed)
    assert drawn.crop == (drawn.top, drawn.left, drawn.height, drawn.width)
    assert all(type(number) is int for number in drawn.crop)
    assert type(drawn.hflip) is bool


def test_draws_stay_what_they_are() -> None:
    found = {kind: CropPolicy(kind).draw(240, 320, 5) for kind in crops.KINDS}
    assert found == PINNED


PINNED = {
    "multi-scale": CropParameters(0, 108, 240, 210, False),
    "random-resized": CropParameters(1, 66, 202, 254, False),
    "centre": CropParameters(0, 40, 240, 240, False),
}


def group_multi_scale(height: int, width: int) -> set[tuple[int, int, int, int]]:
    """Every (top, left, height, width) of VideoMAE's GroupMultiScaleCrop, in the order of its code."""
    found = set()
    lengths = [int(min(height, width) * scale) for scale in (1, 0.875, 0.75, 0.66)]
    for (i, high), (j, wide) in itertools.product(enumerate(lengths), repeat=2):
        if abs(i - j) > 1:
            continue
        w, h = (width - wide) // 4, (height - high) // 4
        corners = [(0, 0), (4 * w, 0), (0, 4 * h), (4 * w, 4 * h), (2 * w, 2 * h)]
        edges = [(0, 2 * h), (4 * w, 2 * h), (2 * w, 4 * h), (2 * w, 0)]
        quarters = [(w, h), (3 * w, h), (w, 3 * h), (3 * w, 3 * h)]
        found |= {(top, left, high, wide) for left, top in corners + edges + quarters}
    return found


@pytest.mark.parametrize("size", [(240, 320), (320, 240), (99, 101), (7, 7)])
def test_multi_scale_crops_are_those_of_videomae(size: tuple[int, int]) -> None:
    policy = CropPolicy("multi-scale")
    found = {policy.draw(*size, seed).crop for seed in range(3000)}
    assert found == group_multi_scale(*size)


def test_sides_and_offsets_are_equally_likely() -> None:
    policy = CropPolicy("multi-scale")
    shapes = [policy.draw(400, 400, seed).crop[2:] for seed in range(4000)]
    counts = [shapes.count(shape) for shape in sorted(set(shapes))]
    assert len(counts) == 10
    assert min(counts) > 320
    assert max(counts) < 480


def random_resized(rng: np.random.Generator, height: int, width: int, scale: Any, aspect: Any) -> tuple[int, ...]:
    """RandomResizedCrop.get_params of torchvision, with another source of random numbers."""
    for _ in range(10):
        area = height * width * rng.uniform(*scale)
        ratio = math.exp(rng.uniform(math.log(aspect[0]), math.log(aspect[1])))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w
    w, h = width, height
    if width / height < min(aspect):
        h = round(w / min(aspect))
    elif width / height > max(aspect):
        w = round(h * max(aspect))
    return (height - h) // 2, (width - w) // 2, h, w


@pytest.mark.parametrize("size", [(240, 320), (360, 200), (100, 400)])
@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.5, 1.0)])
def test_random_resized_crops_are_spread_like_those_of_torchvision(
    size: tuple[int, int], scale: tuple[float, float]
) -> None:
    aspect, rng, count = (3 / 4, 4 / 3), np.random.default_rng(0), 4000
    policy = CropPolicy("random-resized", scale=scale, aspect=aspect)
    ours = np.array([policy.draw(*size, seed).crop for seed in range(count)], float)
    theirs = np.array([random_resized(rng, *size, scale, aspect) for _ in range(count)], float)
    for number in range(4):
        one, other = np.sort(ours[:, number]), np.sort(theirs[:, number])
        # Largest distance of the two distributions (Kolmogorov-Smirnov); 0.043 is its 99.9 % point for so many.
        points = np.union1d(one, other)
        apart = np.searchsorted(one, points, "right") - np.searchsorted(other, points, "right")
        assert np.abs(apart).max() / count < 0.043
    shares = ours[:, 2] * ours[:, 3] / (size[0] * size[1])
    assert shares.max() <= 1.0
    assert shares.min() > scale[0] * 0.9 or size == (
        100,
        400,
    )  # that one cannot hold most of them, and takes the middle


def test_a_rectangle_that_never_fits_is_the_largest_one_in_the_middle() -> None:
    keys = draws(3, 0, 10, 4)
    assert crops.random_resized(100, 400, keys, (0.9, 1.0), (3 / 4, 4 / 3)) == Crop(0, 133, 100, 133)
    assert crops.random_resized(400, 100, keys, (0.9, 1.0), (3 / 4, 4 / 3)) == Crop(133, 0, 133, 100)


def test_centre_is_the_largest_square_in_the_middle() -> None:
    assert crops.centre(100, 161) == Crop(0, 30, 100, 100)
    assert crops.centre(161, 100) == Crop(30, 0, 100, 100)
    assert crops.centre(3, 3) == Crop(0, 0, 3, 3)


def test_mirroring_is_as_likely_as_asked() -> None:
    def share(hflip: float) -> float:
        return float(np.mean([CropPolicy(hflip=hflip).draw(50, 60, seed).hflip for seed in range(2000)]))

    assert share(0.0) == 0.0
    assert share(1.0) == 1.0
    assert abs(share(0.5) - 0.5) < 0.04
    assert abs(share(0.1) - 0.1) < 0.03


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "center"}, "crop is 'center'; expected one of multi-scale, random-resized, centre"),
        ({"hflip": 1.5}, "hflip is 1.5; expected 0 to 1"),
        ({"scale": (0.0, 1.0)}, r"scale is \(0.0, 1.0\); expected two shares"),
        ({"scale": (0.9, 0.5)}, "scale is"),
        ({"scale": (0.5, 1.2)}, "scale is"),
        ({"aspect": (0.0, 1.0)}, r"aspect is \(0.0, 1.0\); expected two ratios"),
        ({"aspect": (2.0, 1.0)}, "aspect is"),
        ({"hflip": math.nan}, "hflip is nan"),
        ({"aspect": (1.0, math.inf)}, "aspect is"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CropPolicy(**options)


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(UsageError, match="frame is 0 x 5; expected at least one pixel"):
        CropPolicy().draw(0, 5, 1)
