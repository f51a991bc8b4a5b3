"""Reports: figures against slow twins, nothing of a name becomes markup, bounded pages, samples, and the page in a browser."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import math
import re
import shutil
import tracemalloc
from collections import Counter
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import mgmtool
from mgmtool import report
from mgmtool.drawing.style import BRIGHT
from mgmtool.errors import FAILURE_CLASSES, OutputError
from mgmtool.report import ReportRun, content, facts, gallery, words, write_report
from mgmtool.report.bounded import Best, Bins, Groups
from mgmtool.report.frames import HEAT_CELLS, SPEED_EDGES
from mgmtool.report.samples import Samples
from mgmtool.store import scan
from mgmtool.types import ExtractSpec, FrameFlag, MaskVolume, Orientation, VideoRef
from mgmtool.video.pictures import read_pictures
from support import stores
from support.browser import Browser, chromium
from support.calling import exit_code
from support.films import number_of, numbered, write

ROOT = Path(__file__).parents[2]
HEIGHT, WIDTH = 480, 270  # of stores.done, as displayed
MADE_UP = stores.make_volume
HOSTILE = [
    "<img src=x onerror=alert(1)>.mp4",
    "</script><script>alert(1)</script>.mp4",
    '" onmouseover="alert(1)" x=".mp4',
    "{{ 7 * 7 }}&lt;&amp;.mp4",
    "\u202egpj.\x1b[31mexe.mp4",
    "caf\\udce9 видео 🎬.mp4",
]


class Page(HTMLParser):
    """Elements and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(store: Path, **options: Any) -> facts.Facts:
    run = ReportRun(store, **options)
    for _ in run.read():
        pass
    return run._facts


def page_of(store: Path, **options: Any) -> str:
    run = ReportRun(store, **options)
    list(run.read())
    list(run.draw())
    return run.page()


# Figures.


def make_volume(frames: int, seed: int = 0, *rest: Any) -> MaskVolume:
    """Make up a volume whose boxes are boxes, some of them beyond the frame and a few empty."""
    box = np.random.default_rng(seed).integers(-30, [[HEIGHT, WIDTH]], (frames, 2), np.int16)
    size = np.random.default_rng(seed + 1).integers(0, 300, (frames, 2), np.int16)
    size[::9] = 0
    return dataclasses.replace(MADE_UP(frames, seed, *rest), box=np.concatenate([box, box + size], axis=1))


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict[str, MaskVolume]]:
    """A store of three parts; in the last, one video of the first is done again."""
    monkeypatch.setattr(stores, "make_volume", make_volume)
    path = tmp_path / "m.zarr"
    writer = stores.open_writer(path)
    volumes = stores.write_part(writer, 0, {"a.mp4": 9, "again.mp4": 11, "bad.mp4": None, "c.mp4": 1})
    volumes |= stores.write_part(writer, 1, {"d.mp4": 30, "worse.mp4": None})
    volumes |= stores.write_part(
        writer, 2, {"again.mp4": 5, "bad.mp4": None}, supersedes={"again.mp4": 0, "bad.mp4": 0}
    )
    writer.finish()
    return path, volumes


def slow_speeds(volume: MaskVolume) -> list[float]:
    found = []
    for i in range(1, len(volume)):
        one, two = volume.box[i - 1].astype(int), volume.box[i].astype(int)
        if all(b[2] > b[0] and b[3] > b[1] for b in (one, two)) and not volume.flags[i] & FrameFlag.SCENE_CUT:
            dy, dx = (two[a] + two[a + 2] - one[a] - one[a + 2] for a in (0, 1))
            found.append(math.hypot(dy, dx) / 2 / min(HEIGHT, WIDTH))
    return found


def slow_heat(volumes: list[MaskVolume]) -> np.ndarray[Any, Any]:
    heat = np.zeros((HEAT_CELLS, HEAT_CELLS), int)
    for y0, x0, y1, x1 in (box.tolist() for volume in volumes for box in volume.box):
        for row in range(HEAT_CELLS):
            for col in range(HEAT_CELLS):
                y, x = (2 * row + 1) * HEIGHT, (2 * col + 1) * WIDTH  # in 1 / (2 * HEAT_CELLS) pixels
                full = 2 * HEAT_CELLS
                heat[row, col] += y0 * full <= y < y1 * full and x0 * full <= x < x1 * full
    return heat


@pytest.mark.parametrize("block", [4, 7, 1024])
def test_figures_are_those_of_a_slow_twin(mixed, monkeypatch: pytest.MonkeyPatch, block: int):
    path, by_id = mixed
    monkeypatch.setattr(scan, "BLOCK_FRAMES", block)
    found, volumes = read(path), list(by_id.values())
    frames = sum(map(len, volumes))

    assert (found.done, found.failed, found.frames.frames) == (4, 2, frames) == (4, 2, 45)
    assert dict(zip(FrameFlag, found.frames.flags.tolist(), strict=True)) == {
        flag: sum(int(np.count_nonzero(v.flags & flag)) for v in volumes) for flag in FrameFlag
    }
    there = [(b[2] > b[0]) and (b[3] > b[1]) for v in volumes for b in v.box.astype(int)]
    assert found.frames.boxes == sum(there) > 5
    np.testing.assert_array_equal(found.frames.heat, slow_heat(volumes))
    speeds = [speed for volume in volumes for speed in slow_speeds(volume)]
    expected = Bins(SPEED_EDGES)
    expected.add(speeds)
    assert found.frames.speed.total == len(speeds) > 3
    np.testing.assert_array_equal(found.frames.speed.counts, expected.counts)
    motions = {i: 255 * float(np.mean(v.energy_scale)) for i, v in by_id.items() if v.energy_scale is not None}
    stills = {i: float(np.mean(v.flags & FrameFlag.PROPAGATED > 0)) for i, v in by_id.items()}
    samples = {sample.row["id"]: sample for sample in found.samples.chosen()}
    assert samples.keys() == by_id.keys()
    for video_id, sample in samples.items():
        assert sample.motion == pytest.approx(motions[video_id], rel=1e-6)
        assert sample.still == pytest.approx(stills[video_id])
    assert found.motion.total == found.still.total == found.length.total == found.side.total == 4
    assert found.hours == pytest.approx(frames * 1001 / 30000 / 3600)


def test_a_box_stands_where_it_is_drawn(tmp_path: Path):
    """A left upper quarter fills the left upper quarter of the map and no more."""
    path = tmp_path / "m.zarr"
    writer = stores.open_writer(path)
    volume = stores.make_volume(3)
    volume = dataclasses.replace(volume, box=np.array([[0, 0, 240, 135]] * 3, np.int16), flags=np.full(3, 2, np.uint8))
    with writer.part(0) as part:
        part.append(volume)
        part.end_video(stores.done("a.mp4", 3))
        part.commit()
    found = read(path).frames
    expected = np.zeros((28, 28), int)
    expected[:14, :14] = 3
    np.testing.assert_array_equal(found.heat, expected)
    assert found.speed.counts.tolist() == [2] + [0] * len(SPEED_EDGES)


def test_a_store_without_energy_has_no_motion(tmp_path: Path):
    path = tmp_path / "m.zarr"
    writer = stores.open_writer(path, energy=False)
    stores.write_part(writer, 0, {"a.mp4": 20})
    writer.finish()
    found = read(path)
    assert found.motion.total == 0
    assert {reason for sample in found.samples.chosen() for reason in sample.reasons} == {
        "chosen at random",
        "most propagated frames",
    }
    assert "The store holds no energy." in page_of(path)


@pytest.mark.parametrize("lengths", [{}, {"bad.mp4": None}], ids=["empty", "all failed"])
def test_a_store_without_masks_has_a_page(tmp_path: Path, lengths: dict[str, int | None]):
    writer = stores.open_writer(tmp_path / "m.zarr")
    if lengths:
        stores.write_part(writer, 0, lengths)
    writer.finish()
    page = Page(page_of(tmp_path / "m.zarr"))
    assert ("cannot be opened" in page.text) == bool(lengths)
    assert page.all("figure") == []


@given(st.lists(st.floats(0, 2) | st.just(math.nan) | st.sampled_from([0.0, 0.5, 1.0])))
def test_bins_hold_what_lies_between_their_edges(values: list[float]):
    bins = Bins([0.0, 0.5, 1.0])
    bins.add(values)
    known = [value for value in values if not math.isnan(value)]
    assert bins.counts.tolist() == [
        *(sum(low < value <= high for value in known) for low, high in ((-1, 0), (0, 0.5), (0.5, 1))),
        sum(value > 1 for value in known),
    ]


@given(st.lists(st.integers(-5, 5)), st.integers(0, 6))
def test_best_are_the_largest_the_first_of_equals(keys: list[int], limit: int):
    best = Best(limit)
    for number, key in enumerate(keys):
        best.add(key, number)
    assert best.items() == sorted(range(len(keys)), key=lambda n: (-keys[n], n))[:limit]
    assert best.offered == len(keys)


@given(st.lists(st.sampled_from("abcdef")), st.integers(1, 7))
def test_groups_sum_the_first_keys_and_the_rest(keys: list[str], limit: int):
    groups = Groups[str](limit)
    for key in keys:
        groups.add(key, 1, 2)
    kept = list(dict.fromkeys(keys))[:limit]
    assert {key: sums for key, sums, _ in groups.most()} == {
        key: [keys.count(key), 2 * keys.count(key)] for key in kept
    }
    others = sum(key not in kept for key in keys)
    assert groups.rest == ([others, 2 * others] if others else [])


def test_messages_that_differ_in_names_and_digits_are_one(tmp_path: Path):
    writer = stores.open_writer(tmp_path / "m.zarr")
    with writer.part(0) as part:
        for number, text in enumerate(["{id}: 17 of 40", "{id}: 3 of 9", "something else"]):
            video = stores.failed(f"x/film {number}.mp4")
            part.end_video(dataclasses.replace(video, message=text.format(id=video.video.id)))
        part.commit()
    rows = content.messages(read(tmp_path / "m.zarr")).rows
    assert [[cell.text for cell in row] for row in rows] == [
        ["open", "2", "x/film 0.mp4: 17 of 40", "x/film 0.mp4"],
        ["open", "1", "something else", "x/film 2.mp4"],
    ]


def test_every_name_has_words():
    risks = (
        (ROOT / "docs" / "conventions.md").read_text("utf-8").partition("\n## Index risk\n")[2].partition("\n## ")[0]
    )
    assert tuple(words.FAILURES) == FAILURE_CLASSES
    assert list(words.FLAGS) == [flag.name for flag in FrameFlag]
    assert list(words.RISKS) == re.findall(r"^\| `(\w+)` \|", risks, re.MULTILINE)


# Samples.


def offered(order: list[int], count: int = 3, seed: int = 0) -> dict[str, tuple[str, ...]]:
    samples = Samples(count, seed)
    for number in order:
        frames = 3 if number == 99 else 100
        samples.add({"id": f"{number:02}.mp4", "num_frames": frames}, motion=float(number), still=(number % 7) / 7)
    return {sample.row["id"]: sample.reasons for sample in samples.chosen()}


def test_samples_are_the_extremes_and_a_draw_whatever_the_order():
    chosen = offered(list(range(100)))
    assert chosen == offered(list(range(99, -1, -1)))
    by_reason = Counter(reason for reasons in chosen.values() for reason in reasons)
    assert by_reason == {"chosen at random": 3, "most motion": 2, "least motion": 2, "most propagated frames": 2}
    assert [name for name, reasons in chosen.items() if "most motion" in reasons] == ["98.mp4", "97.mp4"]
    assert [name for name, reasons in chosen.items() if "least motion" in reasons] == ["00.mp4", "01.mp4"]
    drawn = [
        [name for name, why in offered(list(range(100)), 3, s).items() if "chosen at random" in why] for s in (0, 1)
    ]
    assert drawn[0] != drawn[1]
    assert offered(list(range(100)), 0) == {}


# Text stays text.


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "m.zarr"
    writer = stores.open_writer(path, input_root=f"/v/{HOSTILE[0]}")
    stores.write_part(writer, 0, dict.fromkeys(HOSTILE, 20) | {f"bad {name}": None for name in HOSTILE})
    writer.finish()
    (path / "runs").mkdir()
    run = {"host": HOSTILE[1], "engine": {"name": HOSTILE[0]}, "started": "\udcff", "done": "3", "versions": ["<b>"]}
    (path / "runs" / "20260101.json").write_text(json.dumps(run), "utf-8")
    (path / "runs" / "20260102.json").write_text("[not json", "utf-8")
    return path


def test_names_messages_and_records_stay_text(hostile: Path):
    page = Page(page_of(hostile))
    assert len(page.all("script")) == 1
    assert page.all("img") == []  # no video is there, so no picture
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    for name in HOSTILE[:4]:
        assert page.text.count(name) >= 4, name
    assert "\\u202egpj.\\x1b[31mexe.mp4" in page.text
    assert not {"\u202e", "\x1b"} & set(page.text)
    assert "caf\\udce9 видео 🎬.mp4" in page.text
    assert "no file /videos/<img src=x onerror=alert(1)>.mp4" in page.text


def test_the_page_may_do_nothing_but_what_it_needs(hostile: Path):
    text = page_of(hostile)
    page = Page(text)
    [policy] = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().partition(" ")[::2] for rule in str(policy).split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    for tag in ("style", "script"):
        inside = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert len(inside) > 500
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    places = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in {"src", "srcset", "href"}
    ]
    assert places
    assert [place for place in places if not re.match(r"data:|#\w", str(place))] == []


def test_title_and_output_of_any_name(hostile: Path, tmp_path: Path):
    output = tmp_path / "<b>\n.html"
    assert write_report(hostile, output, title="</title><script>\udcff") == output
    assert "</title><script>\\udcff" in Page(output.read_text("utf-8").replace("<title>", "")).text


# Bounds.


def many(path: Path, videos: int) -> Path:
    """Write a store of videos of one frame with long names, each tenth failed."""
    writer = stores.open_writer(path)
    for number in range(0, videos, 250):
        ids = {f"{'long name ' * 30}{number + k:06}.mp4": None if k % 10 == 0 else 1 for k in range(250)}
        stores.write_part(writer, number // 250, ids)
    return path


def test_page_and_memory_do_not_grow_with_the_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(facts, "Best", lambda limit: Best(min(limit, 20)))
    sizes, peaks = [], []
    for videos in (500, 2500):
        path = many(tmp_path / f"{videos}.zarr", videos)
        page_of(path, gallery=1)  # libraries load, caches fill
        tracemalloc.start()
        found = read(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (found.done, found.failed) == (videos * 9 // 10, videos // 10)
        text = page_of(path)
        sizes.append(len(text))
    assert sizes[1] < sizes[0] + 3000
    assert peaks[1] < 1.5 * peaks[0], peaks


def test_the_largest_tables_fit(tmp_path: Path):
    """Full tables of the longest names, with the bytes that pictures may take, stay below the size promised."""
    writer = stores.open_writer(tmp_path / "m.zarr")
    name = "&" * 3900  # five letters each in HTML
    stores.write_part(writer, 0, {f"{name}{k}": None if k % 2 else 1 for k in range(1200)})
    text = page_of(tmp_path / "m.zarr", gallery=64)
    assert len(text.encode()) + gallery.BYTES * 4 / 3 < 10_000_000


# Videos.

FRAMES = 40


def masks_of_film() -> MaskVolume:
    """Masks of a film of 40 frames: the lower half hidden, a box that moves on it, energy at its right."""
    volume = MADE_UP(FRAMES)
    mask, energy = np.zeros_like(volume.mask), np.zeros_like(volume.energy)
    mask[:, 2:], energy[:, 1, 4] = True, 255
    box = np.array([(64, index, 96, index + 60) for index in range(FRAMES)], np.int16)
    return dataclasses.replace(volume, mask=mask, energy=energy, box=box)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of films, one of them of a name that is no UTF-8, and their store."""
    top = tmp_path_factory.mktemp("films")
    folder = top / "v"
    folder.mkdir()
    film = write(top / "film.mp4", numbered(FRAMES))
    writer = stores.open_writer(top / "m.zarr", input_root=str(folder))
    with writer.part(0) as part:
        for name in ("a.mp4", "gone.mp4", "changed.mp4", "caf\udce9.mp4"):
            shutil.copy(film, folder / name)
            outcome = stores.done(name.replace("\udce9", "\\udce9"), FRAMES)
            info = dataclasses.replace(
                outcome.facts.info, height=96, width=128, orientation=Orientation(), fps=Fraction(25)
            )
            ref = VideoRef(outcome.video.id, str(folder / name), film.stat().st_size)
            part.append(masks_of_film())
            part.end_video(dataclasses.replace(outcome, video=ref, facts=dataclasses.replace(outcome.facts, info=info)))
        part.commit()
    writer.finish()
    (folder / "gone.mp4").unlink()
    (folder / "changed.mp4").write_bytes(b"other")
    return folder, top / "m.zarr"


def shown_of(store: Path, **options: Any) -> dict[str, gallery.Preview]:
    run = ReportRun(store, **options)
    list(run.read())
    return {shown.sample.row["id"]: shown for shown in run.draw()}


def test_samples_are_animated_and_those_without_pictures_say_why(filmed):
    _, store = filmed
    shown = shown_of(store)
    assert re.fullmatch(r"no file /.*/v/gone\.mp4; --root names the folder.*", shown["gone.mp4"].problem)
    assert "has changed since: it has 5 bytes" in shown["changed.mp4"].problem
    for name in ("a.mp4", "caf\\udce9.mp4"):
        assert shown[name].problem == ""
        film, still = (Image.open(io.BytesIO(data)) for data in (shown[name].animation, shown[name].still))
        assert film.size == still.size == (128, 96) == (shown[name].width, shown[name].height)
        assert (film.format, film.n_frames, still.n_frames) == ("WEBP", 14, 1)  # every third of 40
        assert (shown[name].first, shown[name].last) == (0, 39)
    page = Page(page_of(store))
    assert [len(page.all(tag)) for tag in ("img", "source", "article")] == [2, 2, 4]
    assert all(picture["alt"] for picture in page.all("img"))
    assert "No preview: no file" in page.text


def test_the_overlay_is_drawn_on_the_picture_it_belongs_to(filmed):
    """The number of each frame can be read off it; what is hidden is darker; box and heat are where they are stored."""
    _, store = filmed
    run = ReportRun(store)
    list(run.read())
    [sample] = [sample for sample in run.samples if sample.row["id"] == "a.mp4"]
    frames = gallery.excerpt(FRAMES, 25.0)
    hottest = float(masks_of_film().energy_scale.max()) * 255
    drawn = gallery.draw_excerpt(run._scan, sample.row, sample.row["path"], frames, hottest)
    assert [number_of(picture) for picture in drawn] == list(frames)
    plain = [np.asarray(picture.rgb) for picture in read_pictures(sample.row["path"], frames.__contains__)]
    np.testing.assert_array_equal([one[:30, :60] for one in drawn], [one[:30, :60] for one in plain])
    assert np.mean([one[66:94, 4:90] for one in drawn]) < 0.8 * np.mean([one[66:94, 4:90] for one in plain])
    edges = [picture[80, index + 1 : index + 3] for index, picture in zip(frames, drawn, strict=True)]
    np.testing.assert_array_equal(edges, np.broadcast_to(BRIGHT, (len(frames), 2, 3)))
    warm = [picture[84, 116].astype(int) for picture in drawn]
    scales = masks_of_film().energy_scale[list(frames)]
    assert warm[int(scales.argmax())][0] > warm[int(scales.argmin())][0]


def test_moved_videos_are_found(filmed, tmp_path: Path):
    folder, store = filmed
    moved = tmp_path / "moved"
    moved.mkdir()
    shutil.copy(folder / "a.mp4", moved / "gone.mp4")
    shown = shown_of(store, root=str(moved))
    assert {name for name, one in shown.items() if not one.problem} == {"gone.mp4"}


def test_a_file_that_ends_early_has_no_picture(filmed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    _, store = filmed
    monkeypatch.setattr(gallery, "check_file", lambda path, row: None)
    write(tmp_path / "a.mp4", numbered(20))
    (tmp_path / "gone.mp4").write_text("no video")
    shown = shown_of(store, root=str(tmp_path))
    assert shown["a.mp4"].problem == "the file ends before frame 39; expected 40 frames"
    assert "cannot be opened as a video" in shown["gone.mp4"].problem


def test_pictures_become_smaller_until_they_fit(filmed, monkeypatch: pytest.MonkeyPatch):
    _, store = filmed
    full = len(shown_of(store)["a.mp4"].animation)
    monkeypatch.setattr(report, "BYTES", 4 * full * 7 // 10)
    smaller = shown_of(store)["a.mp4"]
    assert 0 < len(smaller.animation) + len(smaller.still) <= full * 7 // 10
    monkeypatch.setattr(report, "BYTES", 400)
    assert shown_of(store)["a.mp4"].problem == "no room: its frames take more than 100 bytes"


@pytest.mark.parametrize(
    ("count", "fps", "frames"),
    [(1, 25.0, [0]), (5, 25.0, [0, 3]), (7, 5.0, [0, 1, 2, 3, 4, 5, 6]), (100_000, 25.0, [*range(600, 672, 3)])],
)
def test_an_excerpt_is_short_and_soon_decoded(count: int, fps: float, frames: list[int]):
    assert list(gallery.excerpt(count, fps)) == frames


def test_a_store_of_a_scheme_that_looks_at_nothing(tmp_path: Path):
    (tmp_path / "v").mkdir()
    write(tmp_path / "v" / "a.mp4", numbered(20))
    [outcome] = mgmtool.extract([str(tmp_path / "v")], tmp_path / "m.zarr", ExtractSpec(scheme="tube"), engine="inline")
    assert outcome.failure is None
    page = Page(page_of(tmp_path / "m.zarr"))
    assert len(page.all("img")) == 1
    assert "The scheme hides no box." in page.text
    assert "tube" in page.text


def test_long_tables_say_how_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in (facts, content):
        monkeypatch.setattr(module, "ROWS", 20)
    text = Page(page_of(many(tmp_path / "m.zarr", 250), gallery=0)).text
    assert "20 of 250 are shown; the column seconds of" in text
    assert "20 of 25 are shown; mgmtool failures" in text
    assert "20 of 225 are shown; the column index_risk of" in text


# Command.


def run(*arguments: object) -> int:
    return exit_code("report", *arguments)


def test_the_command_writes_the_same_bytes_again_and_only_if_asked(filmed, tmp_path: Path, capfdbinary):
    _, store = filmed
    one, two = tmp_path / "one.html", tmp_path / "two.html"
    assert run(store, "-o", one, "--progress", "none") == run(store, "-o", two, "-q") == 0
    out, err = capfdbinary.readouterr()
    assert re.fullmatch(rb"\S*one\.html: 4 videos, 0\.\d MB; \d+\.\d s\n", out)
    assert err.count(b"no picture of") == 2
    assert one.read_bytes() == two.read_bytes()
    assert run(store, "-o", "-", "-q") == 0
    assert capfdbinary.readouterr() == (one.read_bytes(), b"")
    one.write_text("mine")
    assert run(store, "-o", one) == 1
    assert capfdbinary.readouterr().err.endswith(b"one.html already exists; use --overwrite to replace it\n")
    assert one.read_text() == "mine"
    assert run(store, "-o", one, "--overwrite", "-q", "--gallery", 0, "--title", "No films") == 0
    page = Page(one.read_text("utf-8"))
    assert page.all("article") == []
    assert "No films" in page.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.html", "two.html"]


def test_the_command_refuses_what_is_no_store(tmp_path: Path, capsys):
    assert run(tmp_path / "none.zarr", "-o", tmp_path / "r.html") == 1
    assert "no mask store at" in capsys.readouterr().err
    assert run(tmp_path / "none.zarr") == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(filmed, tmp_path: Path):
    with pytest.raises(OutputError, match=r"^cannot write .*none/r\.html: No such file or directory$"):
        write_report(filmed[1], tmp_path / "none" / "r.html", gallery=0)


def test_a_store_behind_a_url_has_the_same_page(mixed):
    fsspec = pytest.importorskip("fsspec")
    path, _ = mixed
    memory = fsspec.filesystem("memory")
    memory.put(str(path), "/report-test/m.zarr", recursive=True)
    try:
        assert page_of("memory://report-test/m.zarr").replace("memory://report-test/m.zarr", "S") == page_of(
            path
        ).replace(  # type: ignore[arg-type]
            str(path), "S"
        )
    finally:
        memory.rm("/report-test", recursive=True)


# In a browser.


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory):
    chromium()
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(hostile: Path, filmed, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    top = tmp_path_factory.mktemp("pages")
    return write_report(hostile, top / "hostile.html"), write_report(filmed[1], top / "films.html")


def test_nothing_leaves_the_page_and_names_stay_text(browser: Browser, pages):
    for page in pages:
        browser.open(page)
        assert [url for url in browser.requests() if not url.startswith("data:")] == [page.as_uri()]
        assert browser.complaints() == []
    browser.open(pages[0])
    assert browser.run("document.querySelectorAll('[src=x], [onerror], [onmouseover]').length") == 0
    shown = browser.run("[...document.querySelectorAll('#slowest tbody td:first-child')].map(cell => cell.textContent)")
    assert set(HOSTILE[:4]) <= set(shown)
    refused = "fetch('https://example.org/').then(() => 'sent', error => error.name)"
    assert browser.run(refused) == "TypeError"


def column(browser: Browser, table: str, number: int) -> list[str]:
    rows = f"[...document.querySelectorAll('#{table} tbody tr')].filter(row => !row.hidden)"
    return list(browser.run(f"{rows}.map(row => row.cells[{number}].textContent)"))


def test_tables_are_sorted_and_searched(browser: Browser, pages):
    browser.open(pages[0])
    head = "document.querySelector('#slowest th:nth-child({}) button').click()"
    state = "document.querySelector('#slowest th:nth-child({})').getAttribute('aria-sort')"
    before = column(browser, "slowest", 0)
    browser.run(head.format(1))
    ascending = column(browser, "slowest", 0)
    assert ascending == browser.run(
        f"{json.dumps(before)}.sort(new Intl.Collator(undefined, {{numeric: true}}).compare)"
    )
    assert ascending != before
    assert browser.run(state.format(1)) == "ascending"
    browser.run(head.format(1))
    assert column(browser, "slowest", 0) == ascending[::-1]
    browser.run(head.format(3))  # frames: numbers, the largest first
    frames = [int(text) for text in column(browser, "slowest", 2)]
    assert frames == sorted(frames, reverse=True) != sorted(frames)
    assert [browser.run(state.format(1)), browser.run(state.format(3))] == [None, "descending"]
    find = "const field = document.querySelector('[aria-controls=slowest]'); field.value = {!r};"
    browser.run("{" + find.format("BAD onerror") + " field.dispatchEvent(new Event('input')) }")
    assert column(browser, "slowest", 0) == ["bad <img src=x onerror=alert(1)>.mp4"]
    assert browser.run(
        "document.querySelector('#slowest').closest('.listing').querySelector('output').textContent"
    ) == ("1 of 12 rows")
    browser.run("{" + find.format("") + " field.dispatchEvent(new Event('input')) }")
    assert len(column(browser, "slowest", 0)) == 12


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window_in_light_and_dark(browser: Browser, pages, width: int):
    colours = set()
    for scheme in ("light", "dark"):
        for page in pages:
            browser.open(page, width, prefers_color_scheme=scheme)
            assert browser.run("document.documentElement.scrollWidth") == width
        colours.add(browser.run("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2


def test_pictures_stand_still_where_that_is_wished(browser: Browser, pages):
    still = "document.querySelector('.gallery img').currentSrc === document.querySelector('.gallery source').srcset"
    browser.open(pages[1], prefers_reduced_motion="no-preference")
    assert browser.run(still) is False
    settled = "new Promise(done => setTimeout(done, 100))"
    browser.run("document.getElementById('still').click()")
    browser.run(settled)
    assert browser.run(still) is True
    browser.open(pages[1], prefers_reduced_motion="reduce")
    assert browser.run(still) is True
    assert browser.run("document.getElementById('still').hidden") is True
