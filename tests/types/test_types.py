"""Orientation against brute force, grids, token layouts and the specification's way to JSON and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mgmtool.types import (
    Box,
    DecodeOptions,
    ExtractSpec,
    MaskVolume,
    Orientation,
    Outcome,
    PatchGrid,
    TokenLayout,
    VideoRef,
)
from support.moving import MATRICES

Array = NDArray[Any]
Matrix = tuple[int, int, int, int]

ONE = 1 << 16

every_matrix = pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES.keys())


def orientation(matrix: Matrix) -> Orientation:
    a, b, c, d = (ONE * value for value in matrix)
    return Orientation.from_display_matrix(np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32))


def shown_at(matrix: Matrix, p: float, q: float) -> tuple[float, float]:
    """FFmpeg's libavutil/display.h: the point (p, q) is shown at (x, y)."""
    a, b, c, d = matrix
    return a * p + c * q, b * p + d * q


def shown(matrix: Matrix, coded: Array) -> Array:
    """Move every pixel on its own, then push the picture back to where pixels count from (0, 0)."""
    places = {(q, p): shown_at(matrix, p, q) for q, p in np.ndindex(*coded.shape[:2])}
    left, top = (min(place[k] for place in places.values()) for k in (0, 1))
    right, bottom = (max(place[k] for place in places.values()) for k in (0, 1))
    picture = np.zeros((int(bottom - top) + 1, int(right - left) + 1, *coded.shape[2:]), coded.dtype)
    for (q, p), (x, y) in places.items():
        picture[int(y - top), int(x - left)] = coded[q, p]
    return picture


@every_matrix
def test_pictures_turn_as_the_matrix_says(matrix: Matrix) -> None:
    coded = np.arange(3 * 5).reshape(3, 5)
    turned = orientation(matrix).picture(coded)
    np.testing.assert_array_equal(turned, shown(matrix, coded))
    assert orientation(matrix).shape(3, 5) == turned.shape


@every_matrix
def test_pictures_in_colour_turn_too(matrix: Matrix) -> None:
    coded = np.arange(2 * 4 * 3).reshape(2, 4, 3)
    np.testing.assert_array_equal(orientation(matrix).picture(coded), shown(matrix, coded))


@every_matrix
def test_vectors_turn_in_place_and_direction(matrix: Matrix) -> None:
    coded = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    directions = np.array([[shown_at(matrix, dx, dy)[::-1] for dy, dx in row] for row in coded], np.float32)
    turned = orientation(matrix).vectors(coded)
    np.testing.assert_array_equal(turned, shown(matrix, directions))
    assert turned.dtype == np.float32
    assert turned.flags.c_contiguous


@every_matrix
def test_a_mirror_image_is_a_negative_determinant(matrix: Matrix) -> None:
    a, b, c, d = matrix
    assert orientation(matrix).mirrored == (a * d - b * c < 0)


@every_matrix
def test_the_rotation_follows_a_mirroring_from_left_to_right(matrix: Matrix) -> None:
    mirror = MATRICES["mirrored"] if orientation(matrix).mirrored else MATRICES["upright"]
    turn = {0: "upright", 90: "turned-90", 180: "turned-180", 270: "turned-270"}[orientation(matrix).rotation]
    coded = np.arange(3 * 5).reshape(3, 5)
    np.testing.assert_array_equal(shown(MATRICES[turn], shown(mirror, coded)), shown(matrix, coded))


def test_the_eight_orientations_differ() -> None:
    assert len({orientation(matrix) for matrix in MATRICES.values()}) == 8
    assert orientation(MATRICES["upright"]) == Orientation()


def test_a_clockwise_quarter_turn_takes_the_left_column_up() -> None:
    coded = np.array([[1, 2, 3], [4, 5, 6]])
    turned = orientation(MATRICES["turned-90"])
    np.testing.assert_array_equal(turned.picture(coded), [[4, 1], [5, 2], [6, 3]])
    assert turned.rotation == 90


@pytest.mark.parametrize("degrees", [-40, -10, 10, 40])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_crooked_matrices_are_rounded_to_a_right_angle(degrees: float, scale: float) -> None:
    for quarter, name in enumerate(("upright", "turned-90", "turned-180", "turned-270")):
        angle = np.deg2rad(90 * quarter + degrees)
        cos, sin = (round(ONE * scale * f(angle)) for f in (np.cos, np.sin))
        matrix = np.array([cos, sin, 0, -sin, cos, 0, 0, 0, 1 << 30], np.int32)
        assert Orientation.from_display_matrix(matrix) == orientation(MATRICES[name])


@pytest.mark.parametrize(
    "numbers", [pytest.param((0, 0, 0, 0), id="zero"), pytest.param((-(2**31),) * 4, id="largest")]
)
def test_odd_matrices_do_no_harm(numbers: Matrix) -> None:
    a, b, c, d = numbers
    turned = Orientation.from_display_matrix(np.array([a, b, 0, c, d, 0, 0, 0, 0], np.int32))
    assert turned.picture(np.zeros((2, 3))).size == 6


@pytest.mark.parametrize(
    ("text", "grid"),
    [
        pytest.param("14x14", PatchGrid(14, 14), id="square"),
        pytest.param("7x9", PatchGrid(7, 9), id="rows-first"),
        pytest.param("1X256", PatchGrid(1, 256), id="capital-and-extremes"),
        pytest.param("016x16", PatchGrid(16, 16), id="leading-zero"),
    ],
)
def test_grids_are_read(text: str, grid: PatchGrid) -> None:
    assert PatchGrid.parse(text) == grid
    assert PatchGrid.parse(str(grid)) == grid


BAD_GRIDS = [
    "",
    "x",
    "14",
    "14x",
    "x14",
    "14x14x14",
    "14,14",
    "14 x 14",
    "-1x3",
    "1.5x2",
    "0x5",
    "5x0",
    "257x1",
    "1x257",
    "axb",
    "²x2",
    "1_0x4",
    "+1x1",
    "14x14\n",
]


@pytest.mark.parametrize("text", [*BAD_GRIDS, pytest.param("9" * 5000 + "x1", id="digits")])
def test_bad_grids_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="grid is"):
        PatchGrid.parse(text)


@pytest.mark.parametrize(
    ("grid", "ratio", "expected"),
    [
        pytest.param("14x14", 0.75, (147, 12, 12), id="usual"),
        pytest.param("14x14", 0.25, (49, 7, 7), id="quarter"),
        pytest.param("16x16", 0.9, (230, 15, 15), id="high"),
        pytest.param("7x9", 0.5, (32, 5, 6), id="oblong"),
        pytest.param("14x14", 0.0, (0, 1, 1), id="nothing"),
        pytest.param("14x14", 1.0, (196, 14, 14), id="everything"),
        pytest.param("1x1", 0.4, (0, 1, 1), id="one-token"),
        pytest.param("1x9", 0.25, (2, 1, 4), id="one-row"),
    ],
)
def test_layouts_count_tokens(grid: str, ratio: float, expected: tuple[int, int, int]) -> None:
    layout = TokenLayout.of(PatchGrid.parse(grid), ratio)
    assert (layout.masked, layout.box_rows, layout.box_cols) == expected
    assert f"{layout.rows}x{layout.cols}" == grid


@pytest.mark.parametrize("ratio", [-0.01, 1.01, float("nan"), float("inf")])
def test_ratios_are_shares(ratio: float) -> None:
    with pytest.raises(ValueError, match="ratio is"):
        TokenLayout.of(PatchGrid(14, 14), ratio)


def test_boxes_in_pixels() -> None:
    layout = TokenLayout.of(PatchGrid(14, 14), 0.25)
    assert layout.box(0, 0, 140, 280) == Box(0, 0, 70, 140)
    assert layout.box(7, 7, 140, 280) == Box(70, 140, 140, 280)
    assert layout.box(1, 1, 100, 100) == Box(7, 7, 57, 57)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (100, 37), (1080, 1920)])
def test_boxes_stay_inside_the_picture(size: tuple[int, int]) -> None:
    layout = TokenLayout.of(PatchGrid(14, 14), 0.5)
    for y, x in np.ndindex(15 - layout.box_rows, 15 - layout.box_cols):
        box = layout.box(y, x, *size)
        assert 0 <= box.y0 <= box.y1 <= size[0]
        assert 0 <= box.x0 <= box.x1 <= size[1]


@pytest.mark.parametrize(
    ("box", "area"), [(Box(1, 2, 4, 7), 15), (Box(0, 0, 0, 0), 0), (Box(4, 0, 1, 5), 0), (Box(4, 5, 1, 0), 0)]
)
def test_areas(box: Box, area: int) -> None:
    assert box.area == area


def spec() -> ExtractSpec:
    return ExtractSpec(
        scheme="simulated-motion",
        scheme_options={"step": 2},
        source_options={"cell": 8},
        grid=PatchGrid(7, 9),
        ratio=0.4,
        seed=2**63,
        energy=False,
        energy_grid=PatchGrid(4, 5),
        part_videos=3,
        part_bytes=5,
        reading=DecodeOptions(3, True, 4, 5, 6),
    )


@pytest.mark.parametrize("given", [ExtractSpec(), spec()], ids=["defaults", "nothing-default"])
def test_specs_survive_json(given: ExtractSpec) -> None:
    assert ExtractSpec.from_json(json.loads(json.dumps(given.to_json()))) == given


def test_specs_know_their_layout() -> None:
    assert spec().layout == TokenLayout.of(PatchGrid(7, 9), 0.4)


def test_unknown_fields_of_a_spec_are_refused() -> None:
    with pytest.raises(TypeError, match="taste"):
        ExtractSpec.from_json(ExtractSpec().to_json() | {"taste": "sweet"})


def test_volumes_name_their_arrays() -> None:
    mask, box = np.zeros((3, 2, 2), np.bool_), np.zeros((3, 4), np.int16)
    volume = MaskVolume(mask, box, np.arange(3), np.zeros(3, np.uint8))
    assert len(volume) == 3
    assert list(volume.arrays()) == ["mask", "box", "pts", "flags"]
    assert volume.arrays()["mask"] is mask


def test_outcomes_are_done_or_failed() -> None:
    assert Outcome(VideoRef("a", "a")).done
    assert not Outcome(VideoRef("a", "a"), failure="open", message="no").done
