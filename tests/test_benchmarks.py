"""The benchmark against other readers: its clips, its figures, and one small run of it."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from support.tiny_videos import clip

pytest.importorskip("resource", reason="the benchmark measures processes of POSIX systems")
if not Path("/proc/self/status").is_file():
    pytest.skip("the benchmark reads /proc", allow_module_level=True)

FRAMES = 40


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    return importlib.import_module


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(clip(FRAMES))
    return path


def count(path: Path) -> tuple[int, int]:
    """Frames, and frames with a time stamp later than all before."""
    with av.open(str(path)) as container:
        stamps = [frame.pts for frame in container.decode(video=0)]
    return len(stamps), len(set(stamps)) if stamps == sorted(stamps) else -1


@pytest.mark.parametrize(
    ("codec", "container", "suffix"),
    [("libx264", "mp4", ".mp4"), ("mpeg4", "avi", ".avi"), ("libx264", "matroska", ".mkv"), ("mpeg4", "mp4", ".mp4")],
)
def test_looping_repeats_every_frame(bench: Any, tmp_path: Path, codec: str, container: str, suffix: str) -> None:
    source, target = tmp_path / f"source{suffix}", tmp_path / f"looped{suffix}"
    source.write_bytes(clip(13, codec=codec, container=container))
    bench("_clips").loop(source, target, 3)
    assert count(source) == (13, 13)
    assert count(target) == (39, 39)


def test_clips_say_what_they_are(bench: Any, tmp_path: Path, film: Path) -> None:
    folder = tmp_path / "loops"
    folder.mkdir()
    original, looped = bench("_clips").make_clips([film], 4.0, folder)
    assert (original.frames, original.times, original.original, original.longest) == (FRAMES, 1, True, False)
    assert (looped.frames, looped.times, looped.original, looped.longest) == (3 * FRAMES, 3, False, True)
    (whole,) = bench("_clips").make_clips([film], 0.0, folder)
    assert (whole.original, whole.longest) == (True, True)


def test_a_run_compares_the_same_frames(bench: Any, tmp_path: Path, film: Path) -> None:
    asked = [
        "--files",
        str(film),
        "--runs",
        "1",
        "--seconds",
        "3",
        "--contenders",
        "pyav",
        "--rows",
        "storage",
    ]
    outputs = ["--markdown", str(tmp_path / "out.md"), "--json", str(tmp_path / "out.json")]
    assert bench("peers").main([*asked, *outputs]) == 0
    report = json.loads((tmp_path / "out.json").read_text())
    for made, frames in zip(report["clips"], (FRAMES, 2 * FRAMES), strict=True):
        rows = {row["name"]: row for row in made["contenders"]}
        assert list(rows) == ["floor", "pyav"]
        assert {row["frames"] for row in rows.values()} == {made["frames"]} == {frames}
        assert set(rows["floor"]["ratio_to_floor"].values()) == {1.0}
        assert all(row["peak_megabytes"] > 5 and row["cpu_ms_a_frame"]["min"] > 0 for row in rows.values())
    assert [row["same_twice"] for row in report["clips"][0]["contenders"]] == [True, True]
    assert report["storage"]["frames"] == FRAMES
    assert {"mask", "box", "energy", "index", "all"} <= set(report["storage"]["bytes_a_frame"])
    text = (tmp_path / "out.md").read_text()
    assert text.count("\n| floor | ") == 2
    assert "## film.mp4 x 2: 64x48 h264, 80 frames, 3.2 s" in text


def test_mgmtool_finds_the_frames_of_the_floor(bench: Any, tmp_path: Path, film: Path) -> None:
    (whole,) = bench("_clips").make_clips([film], 0.0, tmp_path)
    once = replace(whole, original=False)  # so that results are not compared, which takes two runs more
    results = bench("_race").race(once, ["floor", "mgmtool-1-worker"], 1, film)
    report = bench("_race").reported(once, results)
    assert [row["frames"] for row in report["contenders"]] == [FRAMES, 4 * FRAMES]
    assert report["wrong"] == []
    assert bench("_race").reported(replace(once, frames=FRAMES + 1), results)["wrong"] == [
        f"mgmtool-1-worker: {FRAMES} frames; expected {FRAMES + 1}"
    ]


def test_what_cannot_be_looped_is_measured_as_it_is(
    bench: Any, tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = bench("_clips")
    loop = clips.loop
    monkeypatch.setattr(clips, "loop", lambda source, target, times: loop(source, target, times - 1))
    (whole,) = clips.make_clips([film], 4.0, tmp_path)
    assert (whole.frames, whole.original, whole.longest) == (FRAMES, True, True)
    assert (
        f"film.mp4: cannot be looped: {2 * FRAMES} frames after looping; expected 3 x {FRAMES}"
        in capsys.readouterr().err
    )


def test_figures_follow_from_measurements(bench: Any) -> None:
    race, measurement = bench("_race"), bench("_measure").Measurement
    base = race.Result("floor", [measurement(10, 1.0, 1.0, 5_000_000), measurement(10, 2.0, 1.0, 6_000_000)])
    ours = race.Result(
        "mgmtool-2-workers", [measurement(40, 6.0, 4.0, 9_000_000), measurement(40, 20.0, 5.0, 8_000_000)]
    )
    found = race.figures(ours, base)
    assert found["ratio_to_floor"] == {"median": 2.0, "min": 1.5, "max": 2.5}
    assert found["beyond_floor_ms_a_frame"] == {"median": 175.0, "min": 50.0, "max": 300.0}
    assert found["frames_a_second"] == {"median": 9.0, "min": 8.0, "max": 10.0}
    assert found["peak_megabytes"] == 9.0
    assert (found["frames"], found["copies"]) == (40, 4)


@pytest.mark.parametrize("needs", [{"package": "no_such_package"}, {"program": "no-such-program"}])
def test_what_is_absent_is_said_to_be(
    bench: Any, tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch, needs: dict[str, str]
) -> None:
    contenders = bench("_contenders").CONTENDERS
    monkeypatch.setitem(contenders, "pyav", replace(contenders["pyav"], **needs))
    (whole,) = bench("_clips").make_clips([film], 0.0, tmp_path)
    (result,) = bench("_race").race(whole, ["pyav"], 1, film)
    assert (result.note, result.usable) == ("not installed", False)


def test_a_failure_is_a_note(bench: Any, tmp_path: Path, film: Path) -> None:
    (whole,) = bench("_clips").make_clips([film], 0.0, tmp_path)
    gone = replace(whole, path=tmp_path / "gone.mp4")
    (result,) = bench("_race").race(gone, ["floor"], 1, film)
    assert result.note.startswith("failed: ")
    assert "gone.mp4" in result.note
    with pytest.raises(SystemExit, match=r"the floor failed"):
        bench("_race").reported(gone, [result])


@pytest.mark.parametrize("option", [["--contenders", "floor,nobody"], ["--rows", "nothing"], ["--runs", "0"]])
def test_options_are_checked(bench: Any, option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench("peers").main(option)
    assert ended.value.code == 2
    assert option[1].split(",")[-1] in capsys.readouterr().err
