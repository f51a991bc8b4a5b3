"""What is drawn, where, and what is left alone."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgmtool.drawing import (
    Caption,
    Layers,
    Panels,
    Strip,
    arrows_of,
    caption,
    contact_sheet,
    fitted,
    overlay,
    plan_sheet,
    plan_strips,
    resize,
    strip_sheet,
)
from mgmtool.drawing.overlay import patch_edges
from mgmtool.drawing.style import BRIGHT, DARK, INK, PAPER
from mgmtool.types import FrameFlag

NOTHING = {"mask": False, "box": False, "energy": False, "arrows": False}


def only(*names: str) -> Layers:
    return Layers(**{**NOTHING, **dict.fromkeys(names, True)})


def picture(height: int = 70, width: int = 98, value: int = 200) -> Any:
    return np.full((height, width, 3), value, np.uint8)


@given(st.integers(1, 40), st.integers(1, 90), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32))
def test_exactly_the_hidden_patches_are_dimmed(height: int, width: int, rows: int, cols: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((rows, cols)) < 0.5
    drawn = overlay(picture(height, width), mask=mask, layers=only("mask"))
    for row, col in itertools.product(range(rows), range(cols)):
        patch = drawn[
            round(row * height / rows) : round((row + 1) * height / rows),
            round(col * width / cols) : round((col + 1) * width / cols),
        ]
        assert (patch < 130).all() if mask[row, col] else (patch == 200).all()


def test_a_hidden_patch_still_shows_what_it_hides() -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    drawn = overlay(noisy, mask=np.ones((1, 1), np.bool_), layers=only("mask"))
    inner = np.corrcoef(noisy[1:, 1:].ravel(), drawn[1:, 1:].ravel())[0, 1]
    assert inner > 0.98
    assert drawn.mean() < 0.65 * noisy.mean()


def test_hidden_patches_can_be_counted() -> None:
    drawn = overlay(picture(56, 56), mask=np.ones((2, 4), np.bool_), layers=only("mask"))
    row = drawn[10, :, 0]
    assert np.flatnonzero(row < row[5]).tolist() == [0, 14, 28, 42]


def test_patch_edges_are_rounded_shares() -> None:
    assert patch_edges(14, 100).tolist() == [round(i * 100 / 14) for i in range(15)]


def test_the_box_is_bright_with_dark_edges_just_inside_its_rectangle() -> None:
    drawn = overlay(picture(100, 120), box=(20, 30, 80, 90), layers=only("box"))
    assert (drawn[20, 30:90] == DARK).all()
    assert (drawn[20:80, 89] == DARK).all()
    assert (drawn[79, 30:90] == DARK).all()
    assert (drawn[21:23, 31:89] == BRIGHT).all()
    assert (drawn[77:79, 31:89] == BRIGHT).all()
    assert (drawn[21:79, 31:33] == BRIGHT).all()
    assert (drawn[21:79, 87:89] == BRIGHT).all()
    assert (drawn[23, 33:87] == DARK).all()
    outside = np.ones((100, 120), np.bool_)
    outside[20:80, 30:90] = False
    assert (drawn[outside] == 200).all()
    assert (drawn[24:76, 34:86] == 200).all()


def test_the_box_of_a_large_picture_has_thicker_lines() -> None:
    drawn = overlay(picture(900, 900), box=(0, 0, 900, 900), layers=only("box"))
    assert (drawn[450] == BRIGHT).all(axis=-1).sum() == 2 * 6
    assert (drawn[450, 3:9] == BRIGHT).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_the_box_shows_on_anything(value: int) -> None:
    drawn = overlay(picture(60, 60, value), box=(10, 10, 50, 50), layers=only("box"))
    line = np.unique(drawn[30, 9:15].astype(int).sum(axis=-1))
    assert np.ptp(line) > 350


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (30, 30, 30, 60), (50, 50, 20, 20)])
def test_an_empty_box_is_not_drawn(box: tuple[int, ...]) -> None:
    assert (overlay(picture(), box=box, layers=only("box")) == 200).all()


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0, 0, 3, 98), (-5, -5, 200, 200), (68, 96, 70, 98)])
def test_tiny_boxes_and_boxes_at_the_edge_are_drawn_without_harm(box: tuple[int, ...]) -> None:
    drawn = overlay(picture(), box=box, layers=only("box"))
    assert drawn.shape == (70, 98, 3)
    assert (drawn != 200).any()


def test_heat_is_where_the_energy_is() -> None:
    energy = np.zeros((16, 16), np.float32)
    energy[4, 12] = 1.0
    grey = picture(160, 320, 100)
    drawn = overlay(grey, energy=energy, layers=only("energy")).astype(int)
    change = np.abs(drawn - 100).sum(axis=-1)
    hottest = np.unravel_index(change.argmax(), change.shape)
    assert 40 <= hottest[0] < 50
    assert 240 <= hottest[1] < 260
    assert (change[:, :200] == 0).all()
    red, _, blue = drawn[45, 250]
    assert red > 180 > blue + 30


def test_heat_is_smooth_and_grows_with_energy() -> None:
    ramp = np.tile(np.linspace(0, 1, 16, dtype=np.float32), (16, 1))
    drawn = overlay(picture(160, 640, 0), energy=ramp, layers=only("energy")).astype(int)
    luma = drawn[80] @ [0.3, 0.59, 0.11]
    assert (np.diff(luma) > -2).all()
    assert np.abs(np.diff(luma)).max() < 4
    assert luma[-1] > 100


@pytest.mark.parametrize("energy", [0.0, np.nan])
def test_no_energy_changes_nothing(energy: float) -> None:
    assert (overlay(picture(), energy=np.full((16, 16), energy, np.float32), layers=only("energy")) == 200).all()


def test_energy_beyond_the_scale_is_the_hottest_colour() -> None:
    one, ten = (overlay(picture(), energy=np.full((4, 4), v, np.float32), layers=only("energy")) for v in (1.0, 10.0))
    assert np.array_equal(one, ten)


def field(dy: float, dx: float, rows: int = 12, cols: int = 20) -> tuple[Any, Any]:
    return np.tile(np.array([dy, dx], np.float32), (rows, cols, 1)), np.ones((rows, cols), np.float32)


def test_arrows_end_at_the_middle_of_their_cell_and_start_where_the_content_came_from() -> None:
    displacement, coverage = field(-3, 8)
    arrows = arrows_of(displacement, coverage, 16, 12 * 16 - 6, 20 * 16)
    assert arrows.shape == (240, 4)
    assert arrows[0].tolist() == [11, 0, 8, 8]
    assert arrows[-1].tolist() == [pytest.approx((11 * 16 + 186) / 2 + 3), 304, pytest.approx((11 * 16 + 186) / 2), 312]


def test_uncovered_cells_have_no_arrow_and_no_say() -> None:
    displacement, coverage = field(0, 4, 2, 50)
    displacement[:, 1::3] = 99
    coverage[:, 1::3] = 0
    coverage[:, 30:] = 0
    arrows = arrows_of(displacement, coverage, 16, 32, 800)
    assert len(arrows) == 10
    assert (arrows[:, 3] - arrows[:, 1] == 4).all()


@given(st.integers(1, 200), st.integers(1, 200))
def test_at_most_24_arrows_stand_side_by_side(rows: int, cols: int) -> None:
    arrows = arrows_of(*field(0, 0, rows, cols), 8, rows * 8, cols * 8)
    assert 1 <= len(set(arrows[:, 2].tolist())) <= 24
    assert 1 <= len(set(arrows[:, 3].tolist())) <= 24


def test_an_arrow_is_drawn_from_tail_to_head() -> None:
    drawn = overlay(picture(80, 120, 60), arrows=np.array([[40, 20, 40, 90]], np.float32), layers=only("arrows"))
    bright = (drawn > 200).all(axis=-1)
    ys, xs = bright.nonzero()
    assert 19 <= xs.min() <= 22
    assert 87 <= xs.max() <= 92
    assert abs(ys.mean() - 40) < 1
    thickness = bright.sum(axis=0)
    assert thickness[84:89].max() > thickness[30:60].max()  # the head is at the right
    assert (drawn[:30] == 60).all()


def test_no_motion_is_a_dot() -> None:
    drawn = overlay(picture(40, 40, 60), arrows=np.array([[20, 20, 20, 20]], np.float32), layers=only("arrows"))
    ys, xs = (drawn != 60).any(axis=-1).nonzero()
    assert 1 <= np.ptp(ys) <= 6
    assert 1 <= np.ptp(xs) <= 6


def test_arrows_out_of_the_picture_do_no_harm() -> None:
    wild = np.array([[-500, 9000, 20, 20], [20, 20, 5000, -5000]], np.float32)
    assert overlay(picture(40, 40), arrows=wild, layers=only("arrows")).shape == (40, 40, 3)


EVERYTHING: dict[str, Any] = {
    "mask": np.eye(7, dtype=np.bool_),
    "box": (10, 10, 60, 80),
    "energy": np.ones((16, 16), np.float32),
    "arrows": np.array([[20, 20, 20, 40]], np.float32),
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_layer_can_be_switched(name: str) -> None:
    base = picture()
    on = overlay(base, **EVERYTHING, layers=only(name))
    assert (on != base).any()
    assert np.array_equal(on, overlay(base, **{name: EVERYTHING[name]}, layers=Layers(arrows=True)))
    off = overlay(base, **EVERYTHING, layers=Layers(**{**dict.fromkeys(NOTHING, True), name: False}))
    assert (off != overlay(base, **EVERYTHING, layers=Layers(arrows=True))).any()


def test_nothing_switched_on_is_the_picture_and_the_picture_is_never_changed() -> None:
    base = picture()
    assert np.array_equal(overlay(base, **EVERYTHING, layers=only()), base)
    overlay(base, **EVERYTHING, layers=Layers(arrows=True))
    assert (base == 200).all()


def test_by_default_all_but_arrows_is_drawn() -> None:
    given_, asked = overlay(picture(), **EVERYTHING), only("mask", "box", "energy")
    assert np.array_equal(given_, overlay(picture(), **EVERYTHING, layers=asked))


@pytest.mark.parametrize(
    ("height", "width", "fits"),
    [(1080, 1920, (270, 480)), (1921, 1080, (480, 270)), (99, 101, (99, 101)), (1, 9000, (1, 480))],
)
def test_pictures_are_made_smaller_and_never_larger(height: int, width: int, fits: tuple[int, int]) -> None:
    assert fitted(height, width, 480) == fits


def test_resizing_keeps_what_is_where() -> None:
    base = picture(90, 120, 0)
    base[:30, :40] = 255
    small = resize(base, 30, 40)
    assert small.shape == (30, 40, 3)
    assert small[4, 4].min() > 250
    assert small[20, 30].max() < 5


# --- contact sheet -----------------------------------------------------------------------------------------------------


def sheet_of(count: int, height: int, width: int, **more: Any) -> Any:
    captions = [caption(10 * i, i / 3, 0) for i in range(count)]
    return contact_sheet([picture(height, width, 90)] * count, captions, **more)


@pytest.mark.parametrize(
    ("count", "height", "width"), [(12, 480, 854), (12, 568, 320), (7, 240, 320), (1, 480, 854), (40, 101, 99)]
)
def test_a_sheet_is_about_1600_wide_and_holds_every_picture(count: int, height: int, width: int) -> None:
    sheet = sheet_of(count, height, width)
    plan = plan_sheet(count, height, width)
    assert 1560 <= sheet.shape[1] <= 1600
    assert abs(plan.height / plan.width - height / width) < 0.02
    shown = (sheet == 90).all(axis=-1).sum()
    assert shown == count * plan.height * plan.width


@pytest.mark.parametrize(("height", "width"), [(4000, 30), (30, 4000), (1, 1)])
def test_extreme_shapes_make_a_sheet_too(height: int, width: int) -> None:
    sheet = sheet_of(3, height, width)
    assert sheet.shape[0] < 3600
    assert sheet.shape[1] <= 1600


def test_columns_and_size_can_be_chosen() -> None:
    assert plan_sheet(12, 480, 854, columns=6).columns == 6
    small = plan_sheet(12, 480, 854, max_side=200)
    assert max(small.height, small.width) == 200
    assert sheet_of(12, small.height, small.width, columns=small.columns, max_side=200).shape[1] < 900


def test_a_caption_names_frame_and_time() -> None:
    assert caption(120, 4.0, 0) == Caption("frame 120 · 4.00 s")


@pytest.mark.parametrize(
    ("flags", "texts"),
    [
        (FrameFlag.KEY_FRAME | FrameFlag.HAS_VECTORS, []),
        (FrameFlag.PROPAGATED, ["no motion of its own"]),
        (FrameFlag.SCENE_CUT | FrameFlag.PROPAGATED, ["no motion of its own", "scene cut"]),
        (FrameFlag.FALLBACK | FrameFlag.PROPAGATED, ["nothing moves: centre box"]),
        (FrameFlag.CORRUPT, ["damaged"]),
    ],
)
def test_flags_become_marks(flags: FrameFlag, texts: list[str]) -> None:
    assert [text for text, _ in caption(0, 0.0, int(flags)).marks] == texts


def ink(sheet: Any) -> int:
    return int((np.abs(sheet.astype(int) - INK).sum(axis=-1) < 60).sum())


def test_captions_change_pixels_below_the_picture_only() -> None:
    pictures = [picture(60, 80, 90)]
    bare, said = (contact_sheet(pictures, [Caption(text)]) for text in ("", "frame 120 · 4.00 s"))
    changed = (bare != said).any(axis=-1).nonzero()[0]
    plan = plan_sheet(1, 60, 80)
    assert len(changed) > 200
    assert changed.min() >= 12 + plan.height
    assert ink(said) > ink(bare)
    other = contact_sheet(pictures, [Caption("frame 121 · 4.00 s")])
    assert (other != said).any()


def test_a_mark_makes_room_for_itself_in_its_row() -> None:
    plain, marked = (contact_sheet([picture(60, 80, 90)] * 4, c, columns=2) for c in (
        [caption(0, 0.0, 0)] * 4,
        [caption(0, 0.0, 0)] * 3 + [caption(0, 0.0, int(FrameFlag.SCENE_CUT))],
    ))  # fmt: skip
    assert 20 < marked.shape[0] - plain.shape[0] < 40
    coloured = (np.ptp(marked.astype(int), axis=-1) > 60).nonzero()
    assert len(coloured[0]) > 50
    assert coloured[0].min() > plain.shape[0] - 40
    assert coloured[1].min() > plain.shape[1] // 2


def test_every_dot_and_digit_has_a_glyph() -> None:
    """The font draws a box for what it does not know; none of ours may look like it."""
    unknown = contact_sheet([picture(9, 9)], [Caption("\ue000")])
    for sign in "·:0123456789s ":
        assert (contact_sheet([picture(9, 9)], [Caption(sign)]) != unknown).any()


def test_a_title_stands_above_the_pictures() -> None:
    without, titled = sheet_of(2, 60, 80), sheet_of(2, 60, 80, title="car.mp4 · 854 x 480")
    extra = titled.shape[0] - without.shape[0]
    assert 30 < extra < 60
    assert ink(titled[:extra]) > 100
    assert (titled[extra:] == without).all() or ink(titled[extra:]) == ink(without)
    assert (without[0] == PAPER).all()


# --- dark patches ----------------------------------------------------------------------------------------------------


def test_dark_hidden_patches_are_nearly_black_and_hatched() -> None:
    mask = np.array([[True, False], [False, True]])
    drawn = overlay(picture(56, 56), mask=mask, layers=Layers(dark=True))
    assert (drawn[:28, 28:] == 200).all()
    assert (drawn[28:, :28] == 200).all()
    inside = drawn[1:28, 1:28, 0]
    assert np.median(inside) < 60
    lines = inside > 70
    assert 0.1 < lines.mean() < 0.25
    ys, xs = lines.nonzero()
    assert len(set(((ys + xs) % 6).tolist())) == 1  # diagonals, six pixels apart


# --- strips ----------------------------------------------------------------------------------------------------------


def shades(count: int, height: int = 90, width: int = 160) -> list[Any]:
    return [picture(height, width, 20 + 10 * k) for k in range(count)]


def strip_tops(drawn: Any, plan: Any) -> list[int]:
    """Rows where pictures start: no paper from the first column to the last."""
    inside = ~(drawn[:, 12 : 12 + plan.width] == PAPER).all(axis=-1).any(axis=1)
    return [row for row in range(1, len(inside)) if inside[row] and not inside[row - 1]]


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (4, 4), (8, 8), (9, 8), (400, 8)])
def test_strips_have_at_most_eight_pictures_in_a_row(count: int, columns: int) -> None:
    plan = plan_strips(count, 90, 160)
    assert plan.columns == columns
    assert plan.sheet_width <= 1600
    assert abs(plan.height / plan.width - 90 / 160) < 0.02


def test_strips_are_as_wide_as_asked_for() -> None:
    assert 980 <= plan_strips(4, 90, 160, sheet_width=1000).sheet_width <= 1000
    assert plan_strips(4, 90, 160, max_side=64).width == 64
    assert plan_strips(1, 1600, 900).height <= 420


def test_every_strip_has_all_pictures_in_their_order() -> None:
    plan = plan_strips(3, 90, 160, max_side=160)
    strips = [Strip(f"s{k}", shades(3)[::step]) for k, step in enumerate((1, -1))]
    drawn = strip_sheet(strips, ["a", "b", "c"], plan, "title")
    assert drawn.shape[1] == plan.sheet_width
    middles = [12 + column * 172 + 80 for column in range(3)]
    found = [[int(drawn[top + 45, x, 0]) for x in middles] for top in strip_tops(drawn, plan)]
    assert found == [[20, 30, 40], [40, 30, 20]]


def test_long_strips_go_on_below_each_other() -> None:
    plan = plan_strips(10, 90, 160, max_side=160)
    strips = [Strip("s", shades(10)), Strip("t", shades(10))]
    drawn = strip_sheet(strips, [str(k) for k in range(10)], plan)
    found = [int(drawn[top + 45, 12 + 172 + 80, 0]) for top in strip_tops(drawn, plan)]
    assert found == [30, 30, 110, 110]


def test_words_of_a_strip_are_written_and_only_where_there_are_any() -> None:
    plan = plan_strips(2, 90, 160, max_side=160)

    def ink(label: str, remark: str = "", times: tuple[str, str] = ("", ""), title: str = "") -> int:
        drawn = strip_sheet([Strip(label, shades(2), remark)], times, plan, title)
        return int((drawn[: strip_tops(drawn, plan)[0]] != PAPER).any(axis=-1).sum())

    assert ink("") == 0
    assert (
        0 < ink("tube") < ink("tube", "more") < ink("tube", "more", ("1", "2")) < ink("tube", "more", ("1", "2"), "t")
    )
    heights = [len(strip_sheet([Strip(label, shades(2))], ["", ""], plan)) for label in ("", "tube")]
    assert heights[0] < heights[1]


def test_marks_of_a_strip_stand_below_their_picture() -> None:
    plan = plan_strips(2, 90, 160, max_side=160)
    bare, marked = [Caption("x"), Caption("x")], [Caption("x"), caption(0, 0.0, int(FrameFlag.SCENE_CUT))]
    without = strip_sheet([Strip("s", shades(2), captions=bare)], ["", ""], plan)
    drawn = strip_sheet([Strip("s", shades(2), captions=marked)], ["", ""], plan)
    assert len(drawn) > len(without)
    below = (drawn[strip_tops(drawn, plan)[0] + 90 :] != PAPER).any(axis=-1)
    assert not below[:, :172].any()
    assert below[:, 184:].any()


# --- panels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "height", "width", "columns"),
    [(1, 90, 160, 1), (2, 90, 160, 2), (4, 90, 160, 2), (15, 90, 160, 4), (2, 160, 90, 2), (3, 20, 200, 1)],
)
def test_panels_stand_in_rows(count: int, height: int, width: int, columns: int) -> None:
    panels = Panels.of(["x"] * count, height, width, None, 1920)
    assert len({left for _, left in panels.corners}) == columns
    assert (panels.height, panels.width) == (height, width)  # never enlarged
    last = np.add(np.max(panels.corners, axis=0), (height, width))
    assert (last <= panels.empty.shape[:2]).all()


@given(st.integers(1, 16), st.integers(20, 300), st.integers(20, 300), st.integers(200, 900))
def test_panels_fit_into_the_film_and_do_not_overlap(count: int, height: int, width: int, side: int) -> None:
    panels = Panels.of([str(k) for k in range(count)], height, width, None, side)
    assert panels.empty.shape[1] <= side + count
    filled = panels.filled([np.full((panels.height, panels.width, 3), 10 + k, np.uint8) for k in range(count)])
    for k, (top, left) in enumerate(panels.corners):
        assert (filled[top : top + panels.height, left : left + panels.width] == 10 + k).all()
    assert (panels.empty >= 20).all()  # the labelled sheet itself stays as it is


def test_panels_have_their_labels_above_them() -> None:
    labelled, bare = (Panels.of([text, text], 90, 160, None, 1920) for text in ("tube", ""))
    assert (bare.empty == PAPER).all()
    for top, left in labelled.corners:
        assert (labelled.empty[:top, left : left + 160] != PAPER).any()


def test_a_long_label_does_not_reach_the_next_panel() -> None:
    panels = Panels.of(["motion-guided:smoothness=0.01" * 4, ""], 90, 160, None, 1920)
    (_, first), (top, second) = panels.corners
    assert (panels.empty[:top, first : first + 160] != PAPER).any()
    assert (panels.empty[:top, second - 6 :] == PAPER).all()


def test_panels_are_as_large_as_asked_for() -> None:
    panels = Panels.of(["a", "b"], 90, 160, 80, 1920)
    assert (panels.height, panels.width) == (45, 80)
