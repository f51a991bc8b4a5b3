"""``mgmtool evaluate``: exit codes, what goes to stdout and what to stderr, JSON, plots."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mgmtool.evaluation import Row, Summary
from mgmtool.evaluation.plot import check_plot, draw
from mgmtool.extraction.stream import warm_up
from mgmtool.types import ExtractSpec
from support import calling, groundtruth

QUICK = ("--seeds", "1", "--clips", "3")
COLUMNS = ["recall", "sd", "lift", "gain", "tIoU", "hit", "CPU"]


class Ended(calling.Ended):
    """How a call of ``evaluate`` ended."""

    def json(self) -> dict[str, Any]:
        """The one object on stdout, which holds no NaN."""
        found: dict[str, Any] = json.loads(self.out, parse_constant=pytest.fail)
        return found

    def labels(self) -> list[str]:
        """First words of the lines of the table."""
        return [line.split()[0] for line in self.out.splitlines() if len(line.split()) >= 8 and line.startswith(" ")]


Call = Callable[..., Ended]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """Compile first, so that no run says on stderr that it does."""
    warm_up(ExtractSpec())


@pytest.fixture
def call(call: calling.Call) -> Call:
    return lambda *arguments: Ended(*call("evaluate", *arguments))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("films")
    groundtruth.write_sequence(top / "left", groundtruth.path_of(34))
    groundtruth.write_sequence(top / "right", groundtruth.path_of(34, (70, 10), (-1, 3)), seed=1)
    return top


@pytest.fixture(scope="module")
def spoilt(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One good sequence, and two that cannot be used."""
    top = tmp_path_factory.mktemp("spoilt")
    shutil.copytree(films / "left", top / "good")
    shutil.copytree(films / "left", top / "few")
    (top / "few" / "masks" / "00000.png").unlink()
    shutil.copytree(films / "right", top / "dark")
    groundtruth.write_masks(top / "dark" / "masks", [np.zeros((128, 192), np.bool_)] * 34)
    return top


# What comes out.


def test_all_sequences_count_is_0_and_a_table(call: Call, films: Path) -> None:
    ended = call(films, *QUICK, "--scheme", "motion-guided", "--scheme", "tube")
    assert (ended.code, ended.err) == (0, "")
    title, head, *_, last = ended.out.splitlines()
    assert title.strip() == "box 7x7, 2 sequences"
    assert head.split() == ["scheme", *COLUMNS, "ms/frame"]
    assert ended.labels()[1:] == ["motion-guided", "tube", "random", "centre-box", "oracle"]
    assert last.startswith("object / background motion, auto: raw ")
    assert "left" not in ended.out


def test_without_a_scheme_every_kind_of_evidence_is_compared(call: Call, films: Path) -> None:
    ended = call(films / "left", "--seeds", "1", "--clips", "1")
    assert ended.code == 0
    assert len(ended.labels()) == 1 + 11
    assert ended.out.startswith("box 7x7, 1 sequence\n")
    assert "motion-guided:border_motion=false,appearance=false" in ended.out


def test_verbose_names_the_sequences(call: Call, films: Path) -> None:
    ended = call(films, *QUICK, "--scheme", "motion-literal", "-v")
    lines = [line.split() for line in ended.out.splitlines()]
    assert [line[:2] for line in lines if line[:1] == ["left"]] == [
        ["left", label] for label in ("motion-literal", "random", "centre-box", "oracle")
    ]
    assert ["sequence", "scheme", "recall", "lift", "gain", "tIoU", "hit"] in lines
    assert [line[0] for line in lines if "taken" in line] == ["object", "left:", "right:"]


def test_json_is_one_object(call: Call, films: Path) -> None:
    ended = call(films / "left", *QUICK, "--scheme", "motion-literal", "--json")
    assert (ended.code, ended.err) == (0, "")
    facts = ended.json()
    assert (facts["grid"], facts["seeds"], facts["clips"], facts["problems"]) == ("14x14", 1, 3, [])
    row, *_, best = facts["rows"]
    assert (row["label"], row["box"]) == ("motion-literal", "7x7")
    assert set(row["mean"]) == set(row["deviation"]) == {"recall", "lift", "gain", "tiou", "hit"}
    assert row["mean"]["gain"] is None  # there is no other sequence
    assert row["sequences"]["left"]["recall"] == row["mean"]["recall"]
    assert row["seconds"] > 0
    assert (best["label"], best["seconds"]) == ("oracle", None)
    assert set(facts["motion"]["auto"]["left"]) == {"raw", "compensated"}


def test_boxes_may_be_several(call: Call, films: Path) -> None:
    ended = call(films, *QUICK, "--scheme", "tube", "--box", "7x7", "--box", "5x3", "--box", "7x7", "--json")
    assert [row["box"] for row in ended.json()["rows"]] == ["7x7"] * 4 + ["5x3"] * 4
    ended = call(films, *QUICK, "--scheme", "tube", "--box", "7x7", "--box", "4x8")
    assert [line for line in ended.out.splitlines() if line.startswith("box ")] == [
        line for line in ended.out.splitlines() if "sequences" in line
    ]
    assert "box 4x8, 2 sequences" in ended.out


def test_another_grid(call: Call, films: Path) -> None:
    ended = call(films, *QUICK, "--scheme", "tube", "--grid", "8x8", "--box", "4x4", "--json")
    assert {row["label"]: row["mean"]["tiou"] for row in ended.json()["rows"]}["tube"] == 1
    assert ended.json()["grid"] == "8x8"


def test_sources_may_be_several(call: Call, films: Path) -> None:
    pytest.importorskip("cv2")
    sources = ("--source", "codec", "--source", "flow:preset=ultrafast")
    facts = call(films, *QUICK, "--scheme", "motion-literal", *sources, "--json").json()
    assert [row["label"] for row in facts["rows"]][:3] == [
        "motion-literal",
        "motion-literal @ flow:preset=ultrafast",
        "random",
    ]
    assert set(facts["motion"]) == {"codec", "flow:preset=ultrafast"}


def test_seeds_change_the_numbers_and_give_a_deviation(call: Call, films: Path) -> None:
    one, three = (call(films, "--clips", 2, "--seeds", n, "--scheme", "tube", "--json").json() for n in (1, 3))
    assert one["rows"][1]["deviation"]["recall"] == 0
    assert three["rows"][1]["deviation"]["recall"] > 0
    assert one["rows"][1]["mean"] != three["rows"][1]["mean"]


def test_two_calls_print_the_same(call: Call, films: Path) -> None:
    first, second = (call(films, *QUICK, "--scheme", "simulated-motion", "--json").json() for _ in range(2))
    for facts in (first, second):
        for row in facts["rows"]:
            del row["seconds"]
    assert first == second


def test_options_come_from_the_environment(call: Call, films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SCHEME": "tube fixed-box", "BOX": "5x5 3x3", "SEEDS": "1", "CLIPS": "2"}.items():
        monkeypatch.setenv(f"MGMTOOL_EVALUATE_{name}", value)
    rows = call(films, "--json").json()["rows"]
    assert [(row["box"], row["label"]) for row in rows][:2] == [("5x5", "tube"), ("5x5", "fixed-box")]
    assert len(rows) == 10


# Problems.


def test_some_sequences_fail_is_3_and_a_line_each(call: Call, spoilt: Path) -> None:
    ended = call(spoilt, *QUICK, "--scheme", "tube")
    assert ended.code == 3
    assert ended.err.splitlines() == [
        f"failed dark: {spoilt / 'dark' / 'masks'}: empty ground truth; expected an object in at least one frame",
        f"failed few: {spoilt / 'few' / 'masks'}: 33 pictures for 34 frames; expected one for each",
    ]
    assert "box 7x7, 1 sequence" in ended.out


def test_problems_are_in_the_json(call: Call, spoilt: Path) -> None:
    ended = call(spoilt, *QUICK, "--scheme", "tube", "--json", "-q")
    assert ended.code == 3
    assert [problem["sequence"] for problem in ended.json()["problems"]] == ["dark", "few"]
    assert all("expected" in problem["message"] for problem in ended.json()["problems"])
    assert len(ended.err.splitlines()) == 2


def test_no_sequence_can_be_used_is_1(call: Call, spoilt: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    ended = call(spoilt / "few", spoilt / "dark", *QUICK, "--scheme", "tube", "--plot", plot)
    assert (ended.code, ended.out) == (1, "")
    *problems, last = ended.err.splitlines()
    assert len(problems) == 2
    assert last == "mgmtool: error: none of 2 sequences could be used"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["nothing-there", "no-sequence"])
def test_no_ground_truth_is_1(what: str, call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    if what == "no-sequence":
        folder.mkdir()
    ended = call(folder)
    assert ended.code == 1
    assert ended.error().startswith(f"no {'folder at' if what == 'nothing-there' else 'sequence in'} {folder}")


# Usage.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scheme", "motion-guide"], "unknown scheme 'motion-guide' (did you mean 'motion-guided'?)"),
        (["--scheme", "motion-guided:poool=1"], "motion-guided has no option 'poool'"),
        (["--scheme", "motion-guided:pool"], "'motion-guided:pool': 'pool'; expected NAME or NAME:KEY=VALUE"),
        (["--scheme", "tube", "--source", "codec", "--source", "codek"], "unknown source 'codek'"),
        (["--source", "codec:cell=7"], "codec option cell is 7"),
        (["--box", "15x7"], "box is 15x7; expected at most the grid, 14x14"),
        (["--box", "7x7", "--grid", "6x9"], "box is 7x7; expected at most the grid, 6x9"),
        (["--box", "7"], "grid is '7'; expected HxW"),
        (["--seeds", "0"], "0 is not in the range"),
        (["--clips", "x"], "'x' is not a valid integer"),
        (["--plot", "plot.jpg"], "plot is 'plot.jpg'; expected a name that ends in .png, .svg, .pdf"),
        (["--plot", "plot"], "plot is 'plot'; expected a name that ends in .png, .svg, .pdf"),
        (["--sead", "1"], "No such option"),
    ],
)
def test_wrong_usage_is_2_before_any_work(arguments: list[str], message: str, call: Call, tmp_path: Path) -> None:
    ended = call(tmp_path / "not-even-looked-for", *arguments)
    assert ended.code == 2
    assert message in ended.error()


def test_without_ground_truth_is_2(call: Call) -> None:
    ended = call()
    assert ended.code == 2
    assert "Missing argument 'GROUNDTRUTH...'" in ended.error()


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("matplotlib", ("--plot", "plot.png")), ("cv2", ("--scheme", "tube", "--source", "codec", "--source", "flow"))],
)
def test_a_missing_extra_is_2_and_says_what_to_install(
    module: str, arguments: tuple[str, ...], call: Call, films: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == module else find(name, *more))
    monkeypatch.chdir(tmp_path)
    ended = call(films, *arguments)
    assert ended.code == 2
    assert "pip install 'mgmtool[" in ended.error()
    assert list(tmp_path.iterdir()) == []


# Plots.


@pytest.fixture
def matplotlib() -> None:
    pytest.importorskip("matplotlib")


def test_a_plot_is_a_picture(call: Call, films: Path, tmp_path: Path, matplotlib: None) -> None:
    plot = tmp_path / "plot.PNG"
    ended = call(films, *QUICK, "--scheme", "motion-literal", "--box", "7x7", "--box", "5x5", "--plot", plot)
    assert (ended.code, ended.err) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["plot.PNG"]
    with Image.open(plot) as picture:
        assert picture.format == "PNG"
        values = np.asarray(picture.convert("RGB"))
    assert min(values.shape[:2]) > 300
    assert values.min() < 64
    assert values.max() == 255
    assert len(np.unique(values.reshape(-1, 3), axis=0)) > 20


def test_a_plot_goes_into_a_folder_that_is_there(call: Call, tmp_path: Path, matplotlib: None) -> None:
    (tmp_path / "folder.png").mkdir()
    for plot in (tmp_path / "nowhere" / "plot.png", tmp_path / "folder.png"):
        ended = call(tmp_path, "--plot", plot)
        assert ended.code == 1
        assert ended.error() == f"cannot write {plot}: expected a file in a folder that is there"


def summary(*names: str) -> Summary:
    numbers = {"recall": 0.5, "lift": 2.0, "gain": 0.1, "tiou": 0.9, "hit": float("nan")}
    rows = [
        Row(label, "7x7", numbers, numbers, dict.fromkeys(names, numbers), seconds)
        for label, seconds in (("a$b$_", 0.1), ("oracle", None))
    ]
    return Summary(rows, {})


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_names_are_no_formulas_and_equal_plots_are_equal_files(ending: str, tmp_path: Path, matplotlib: None) -> None:
    paths = [tmp_path / f"{n}{ending}" for n in range(2)]
    for path in paths:
        check_plot(path)
        draw(summary("$x_$", "two $ signs $\\frac$", "犬", "line\nbreak"), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}


def test_nothing_is_left_of_a_plot_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matplotlib: None
) -> None:
    from matplotlib.figure import Figure

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(OSError, match=r"cannot write .*plot\.png: No space left on device"):
        draw(summary("one"), tmp_path / "plot.png")
    assert list(tmp_path.iterdir()) == []
