"""The command line: exit codes, what goes to stdout and what to stderr, signals, configuration."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
import zarr

import mgmtool
from mgmtool import engines, masking, sources
from mgmtool.cli import main
from mgmtool.extraction import extract
from mgmtool.extraction.stream import warm_up
from mgmtool.store import Store
from mgmtool.types import ExtractSpec, PatchGrid
from support import stores, tiny_videos
from support.calling import Call, Ended

PROGRAM = [sys.executable, "-c", "from mgmtool.cli import main; main()"]
SMALL = ["--grid", "4x6", "--energy-grid", "3x4", "--part-videos", "2"]
SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
IDS = ["0.mp4", "1.mp4", "2.mp4", "3.mp4", "audio.mp4", "empty.mp4", "text.mp4"]
EVENT = {
    "event", "id", "status", "failure", "message", "num_frames", "part", "seconds", "cpu_seconds", "size_bytes",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    """Compile first, so that no run says on stderr that it does."""
    warm_up(ExtractSpec())


@pytest.fixture
def grab(call: Call, tmp_path: Path) -> Call:
    """Run a small ``extract`` without processes, into ``m.zarr``."""
    return lambda *arguments, **more: call(
        "extract", "--engine", "inline", *SMALL, "-o", tmp_path / "m.zarr", *arguments, **more
    )


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    tiny_videos.write_clips(folder, 3)
    return folder


def spec_of(store: Path) -> ExtractSpec:
    return Store.open(store).spec


def program(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start mgmtool as a process of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
    return subprocess.Popen([*PROGRAM, *map(str, arguments)], **pipes)


# --- what comes out -----------------------------------------------------------------------------------------------------


def test_all_done_is_0_and_one_line(grab: Call, clips: Path, tmp_path: Path) -> None:
    ended = grab(clips)
    assert ended.code == 0
    assert ended.err == ""
    (line,) = ended.out.splitlines()
    assert line.startswith(f"{tmp_path / 'm.zarr'}: 3 done, 0 failed, 39 frames; ")
    assert Store.open(tmp_path / "m.zarr").index["id"].to_pylist() == ["0.mp4", "1.mp4", "2.mp4"]


def test_some_failed_is_3_and_each_is_named(grab: Call, mixed: Path) -> None:
    ended = grab(mixed)
    assert ended.code == 3
    assert "4 done, 3 failed (2 open, 1 no_video_stream), 54 frames" in ended.out
    lines = ended.err.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "failed (no_video_stream) audio.mp4",
        "failed (open) empty.mp4",
        "failed (open) text.mp4",
    ]


def test_second_run_does_nothing_and_keeps_the_exit_code(grab: Call, mixed: Path, clips: Path) -> None:
    grab(mixed)
    ended = grab(mixed)
    assert ended.code == 3
    assert "0 done, 0 failed, 0 frames; 4 done and 3 failed before" in ended.out
    assert ended.err == ""


def test_second_run_over_good_videos_is_0(grab: Call, clips: Path) -> None:
    grab(clips)
    assert grab(clips).code == 0


def test_json_is_one_event_a_video_and_a_summary(grab: Call, mixed: Path, tmp_path: Path) -> None:
    ended = grab(mixed, "--json")
    assert ended.code == 3
    *videos, summary = ended.events("video", "summary")
    assert [event["id"] for event in videos] == IDS
    assert all(event.keys() == EVENT and event["event"] == "video" for event in videos)
    assert [event["status"] for event in videos] == ["done"] * 4 + ["failed"] * 3
    assert {event["id"]: event["failure"] for event in videos if event["failure"]} == tiny_videos.NOT_VIDEOS
    assert [event["num_frames"] for event in videos] == [12, 13, 14, 15, 0, 0, 0]
    assert [event["part"] for event in videos] == [0, 0, 1, 1, 2, 2, 3]
    assert summary.pop("seconds") > 0
    assert summary.pop("videos_per_second") > 0
    assert summary.pop("cpu_seconds").keys() == {"driver", "workers"}
    assert summary.pop("size_bytes") == sum(path.stat().st_size for path in mixed.iterdir())
    assert summary == {
        "event": "summary",
        "output": str(tmp_path / "m.zarr"),
        "done": 4,
        "failed": 3,
        "failures": {"no_video_stream": 1, "open": 2},
        "earlier": {},
        "num_frames": 54,
        "stopped": False,
    }


def test_json_of_a_run_with_nothing_to_do(grab: Call, mixed: Path) -> None:
    grab(mixed)
    start, summary = grab(mixed, "--json").events()
    assert (start["videos"], start["remaining"]) == (7, 0)
    assert summary["event"] == "summary"
    assert summary["earlier"] == {"done": 4, "failed": 3}


def test_json_keeps_odd_names_on_one_line(grab: Call, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    names = sorted(["two\nlines.mp4", "été 🏃.mp4", 'quo"te.mp4', os.fsdecode(b"caf\xe9.mp4")])
    for name in names:
        (tmp_path / "v" / name).write_bytes(b"")
    *videos, summary = grab(tmp_path / "v", "--json").events("video", "summary")
    assert sorted(event["id"] for event in videos) == sorted(
        ["two\nlines.mp4", "été 🏃.mp4", 'quo"te.mp4', "caf\\udce9.mp4"]
    )
    assert summary["failed"] == 4


def test_control_characters_of_a_name_never_reach_the_terminal(grab: Call, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "\x1b[2Jevil\r.mp4").write_bytes(b"")
    err = grab(tmp_path / "v").err
    assert "\x1b" not in err
    assert "\r" not in err
    assert "evil" in err


def test_quiet_says_nothing(grab: Call, mixed: Path) -> None:
    ended = grab(mixed, "-q")
    assert (ended.code, ended.out, ended.err) == (3, "", "")


def test_quiet_still_answers_in_json(grab: Call, mixed: Path) -> None:
    ended = grab(mixed, "-q", "--json")
    assert [event["event"] for event in ended.events()] == [
        "start", "video", "video", "part", "video", "video", "part", "video", "video", "part", "video", "part", "summary",
    ]  # fmt: skip
    assert ended.err == ""


def test_verbose_names_every_video_on_stderr(grab: Call, mixed: Path) -> None:
    ended = grab(mixed, "-v")
    assert [line.split(":")[0] for line in ended.err.splitlines()[:4]] == [f"done {number}.mp4" for number in range(4)]
    assert "12 frames" in ended.err
    assert len(ended.out.splitlines()) == 1


@pytest.mark.parametrize("kind", ["auto", "none", "plain"])
def test_progress_says_nothing_in_a_short_run(grab: Call, clips: Path, kind: str) -> None:
    assert grab(clips, "--progress", kind).err == ""


def test_plain_progress_prints_lines(grab: Call, mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgmtool.cli.console._PLAIN_SECONDS", 0.0)
    ended = grab(mixed, "--progress", "plain")
    lines = [line for line in ended.err.splitlines() if not line.startswith("failed")]
    assert len(lines) == 7
    assert lines[0].startswith("1/7 videos, 0 failed, ")
    assert lines[-1].startswith("7/7 videos, 3 failed, ")
    assert lines[-1].endswith("about 0 s left")


def test_bar_is_drawn_on_stderr_without_colours_in_a_pipe(grab: Call, mixed: Path) -> None:
    ended = grab(mixed, "--progress", "bar")
    assert "7/7" in ended.err
    assert "3 failed" in ended.err
    assert "failed (open) empty.mp4" in ended.err
    assert "\x1b[3" not in ended.err
    assert len(ended.out.splitlines()) == 1


# --- what is wrong ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scheme", "tubes"], "unknown scheme 'tubes' (did you mean 'tube'?); expected one of: block, boxes, "),
        (["--source", "codek"], "unknown source 'codek' (did you mean 'codec'?); expected one of: auto, codec, "),
        (["--engine", "loacl"], "unknown engine 'loacl' (did you mean 'local'?); expected one of: inline, local"),
        (["--scheme-option", "smothness=1"], "motion-guided has no option 'smothness' (did you mean 'smoothness'?)"),
        (["--scheme-option", "smoothness=lots"], "motion-guided option smoothness is 'lots'; expected a number"),
        (["--scheme-option", "smoothness"], "'smoothness'; expected KEY=VALUE"),
        (["--scheme-option", "=1"], "'=1'; expected KEY=VALUE"),
        (["--source-option", "cell=5"], "auto option cell is 5; expected auto or one of 4, 8, 16, 32, 64"),
        (["--grid", "14"], "grid is '14'; expected HxW, for example 14x14"),
        (["--grid", "0x14"], "grid is '0x14'; expected 1 to 256 rows and columns"),
        (["--energy-grid", "axb"], "grid is 'axb'; expected HxW"),
        (["--ratio", "1.5"], "1.5 is not in the range 0<=x<=1"),
        (["--ratio", "nan"], "nan"),
        (["--ratio", "half"], "'half' is not a valid float"),
        (["--seed", "x"], "'x' is not a valid integer"),
        (["--workers", "0", "--engine", "local"], "workers is 0; expected auto, or 1 or more"),
        (["--workers", "many", "--engine", "local"], "workers is 'many'; expected a whole number"),
        (["--workers", "2"], "inline has no option 'workers'"),
        (["--timeout", "0", "--engine", "local"], "timeout is 0.0; expected more than 0 seconds"),
        (["--retries", "-1", "--engine", "local"], "retries is -1; expected 0 or more"),
        (["--retries", "2"], "inline has no option 'retries'"),
        (["--worker-memory", "4 loaves", "--engine", "local"], "worker_memory is '4 loaves'; expected auto, none"),
        (["--worker-memory", "auto"], "inline has no option 'worker_memory'"),
        (
            ["--engine-option", "worker=2", "--engine", "local"],
            "local has no option 'worker' (did you mean 'workers'?)",
        ),
        (["--engine-option", "recycle=0", "--engine", "local"], "recycle is 0; expected 1 or more"),
        (["--engine-option", "recycle"], "'recycle'; expected KEY=VALUE"),
        (
            ["--workers", "2", "--engine-option", "workers=3", "--engine", "local"],
            "--workers and --engine-option workers=3 are the same option; expected one of them",
        ),
        (
            ["--ray-address", "auto", "--engine-option", "address=local", "--engine", "ray"],
            "--ray-address and --engine-option address=local are the same option; expected one of them",
        ),
        (
            ["--worker-memory", "4GB", "--engine-option", "worker-memory=2GB", "--engine", "local"],
            "--worker-memory and --engine-option worker_memory=2GB are the same option; expected one of them",
        ),
        (["--part-videos", "0"], "0 is not in the range x>=1"),
        (["--max-failures", "-1"], "-1 is not in the range x>=0"),
        (["--progress", "much"], "'much' is not one of 'auto', 'bar', 'plain', 'none'"),
        (["--nonsense"], "No such option"),
        (["-0"], "-0 is for a list on stdin, but no INPUT is -"),
        (["--root", "/usr"], "is not under the root /usr"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_2_one_line_and_writes_nothing(
    grab: Call, clips: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    ended = grab(clips, *arguments)
    assert ended.code == 2
    assert words in ended.error()
    assert not (tmp_path / "m.zarr").exists()


def test_no_input_is_2(grab: Call) -> None:
    ended = grab()
    assert ended.code == 2
    assert "no INPUT given; expected files, folders, glob patterns, or -" in ended.error()


def test_no_output_is_2(call: Call, clips: Path) -> None:
    ended = call("extract", clips)
    assert ended.code == 2
    assert "'--output'" in ended.error()


def test_unknown_command_is_2(call: Call) -> None:
    ended = call("extrakt")
    assert ended.code == 2
    assert "No such command 'extrakt'" in ended.error()


def test_no_command_shows_the_help(call: Call) -> None:
    ended = call()
    assert "Usage: mgmtool" in ended.out + ended.err
    assert "extract" in ended.out + ended.err


def test_missing_input_is_1(grab: Call, tmp_path: Path) -> None:
    ended = grab(tmp_path / "gone.mp4")
    assert ended.code == 1
    assert ended.error() == f"no such file or folder: {str(tmp_path / 'gone.mp4')!r}"
    assert not (tmp_path / "m.zarr").exists()


def test_folder_without_videos_is_1(grab: Call, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    ended = grab(tmp_path / "v")
    assert ended.code == 1
    assert "no video found in" in ended.error()


def test_output_that_is_a_file_is_1(call: Call, clips: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    ended = call("extract", clips, "-o", tmp_path / "out", "--overwrite")
    assert ended.code == 1
    assert "is a file; expected a new folder or a mask store" in ended.error()
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_foreign_output_is_1(grab: Call, clips: Path, tmp_path: Path, overwrite: list[str]) -> None:
    zarr.create_group(str(tmp_path / "m.zarr"), attributes={"whose": "mine"})
    ended = grab(clips, *overwrite)
    assert ended.code == 1
    assert "not a mask store" in ended.error()
    assert zarr.open_group(str(tmp_path / "m.zarr")).attrs["whose"] == "mine"


def test_another_spec_is_1_and_overwrite_helps(grab: Call, clips: Path, tmp_path: Path) -> None:
    grab(clips)
    ended = grab(clips, "--ratio", "0.5")
    assert ended.code == 1
    assert "made with ratio=0.75, this run asks for 0.5" in ended.error()
    assert "--overwrite" in ended.error()
    assert grab(clips, "--ratio", "0.5", "--overwrite").code == 0
    assert spec_of(tmp_path / "m.zarr").ratio == 0.5


def test_options_of_equal_value_are_the_same_spec(grab: Call, clips: Path) -> None:
    grab(clips, "--scheme-option", "smoothness=0.5")
    assert grab(clips, "--scheme-option", "smoothness=.50").code == 0


def test_too_many_failures_are_4(grab: Call, mixed: Path, tmp_path: Path) -> None:
    ended = grab(mixed, "--max-failures", "1", "--json")
    assert ended.code == 4
    *videos, summary = ended.events("video", "summary")
    assert [event["id"] for event in videos] == IDS[:6]
    assert summary["stopped"] is True
    assert Store.open(tmp_path / "m.zarr").index["id"].to_pylist() == IDS[:4]
    assert "stopped: more than 1 failures" in grab(mixed, "--max-failures", "1").err
    assert grab(mixed, "--max-failures", "3").code == 3
    assert Store.open(tmp_path / "m.zarr").index["id"].to_pylist() == IDS


def test_full_disk_is_1(grab: Call, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", refuse)
    ended = grab(clips)
    assert ended.code == 1
    assert f"cannot write {tmp_path / 'm.zarr'}: No space left on device" in ended.error()


# --- lists on stdin -----------------------------------------------------------------------------------------------------


def test_list_on_stdin(grab: Call, clips: Path, tmp_path: Path) -> None:
    lines = f"{clips}/1.mp4\n\n{clips}/0.mp4\r\n{clips}/gone.mp4".encode()
    ended = grab("-", "--json", stdin=lines)
    assert ended.code == 3
    assert [(event["id"], event["failure"]) for event in ended.events("video", "summary")[:-1]] == [
        ("0.mp4", None),
        ("1.mp4", None),
        ("gone.mp4", "open"),
    ]
    assert Store.open(tmp_path / "m.zarr").attributes["input_root"] == str(clips)


def test_list_on_stdin_that_ends_with_nul(grab: Call, tmp_path: Path) -> None:
    names = ["two\nlines.mp4", "trailing\r.mp4", " spaces .mp4"]
    for name in names:
        (tmp_path / name).write_bytes(tiny_videos.clip())
    lines = b"\0".join(os.fsencode(tmp_path / name) for name in names) + b"\0"
    ended = grab("-", "-0", "--json", stdin=lines)
    assert ended.code == 0
    assert [event["id"] for event in ended.events("video", "summary")[:-1]] == sorted(names)


def test_list_and_folder_together(grab: Call, clips: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(tiny_videos.clip())
    ended = grab(clips, "-", "--json", "--root", "/", stdin=f"{other}\n{clips}/0.mp4\n".encode())
    paths = [clips / "0.mp4", clips / "1.mp4", clips / "2.mp4", other]
    assert [event["id"] for event in ended.events("video", "summary")[:-1]] == sorted(str(path)[1:] for path in paths)


@pytest.mark.parametrize("stdin", [b"", b"\n\n"])
def test_empty_list_is_1(grab: Call, stdin: bytes) -> None:
    ended = grab("-", stdin=stdin)
    assert ended.code == 1
    assert "no video found in the list" in ended.error()


# --- configuration ------------------------------------------------------------------------------------------------------


def test_flag_wins_over_variable_wins_over_file(
    call: Call, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "c.toml"
    config.write_text(
        '[extract]\ngrid = "3x3"\nratio = 0.4\nseed = 4\nengine = "inline"\nscheme_option = ["smoothness=0.5"]\n'
    )
    monkeypatch.setenv("MGMTOOL_EXTRACT_RATIO", "0.5")
    monkeypatch.setenv("MGMTOOL_EXTRACT_SEED", "5")
    ended = call("--config", config, "extract", clips, "-o", tmp_path / "m.zarr", "--seed", "6")
    assert ended.code == 0
    spec = spec_of(tmp_path / "m.zarr")
    assert (spec.grid, spec.ratio, spec.seed) == (PatchGrid(3, 3), 0.5, 6)
    assert spec.scheme_options == {"smoothness": 0.5}


def test_config_may_be_named_by_a_variable(
    call: Call, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.toml").write_text(f"[extract]\noutput = {str(tmp_path / 'm.zarr')!r}\nengine = 'inline'\nseed = 8\n")
    monkeypatch.setenv("MGMTOOL_CONFIG", str(tmp_path / "c.toml"))
    assert call("extract", clips).code == 0
    assert spec_of(tmp_path / "m.zarr").seed == 8


@pytest.mark.parametrize("text", [None, "grid = ", "[extract\n"])
def test_config_that_cannot_be_read_is_2(call: Call, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "c.toml").write_text(text)
    ended = call("--config", tmp_path / "c.toml", "schemes")
    assert ended.code == 2
    assert str(tmp_path / "c.toml") in ended.error()


def test_bad_value_in_config_is_2(call: Call, clips: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[extract]\ngrid = "big"\n')
    ended = call("--config", tmp_path / "c.toml", "extract", clips, "-o", tmp_path / "m.zarr")
    assert ended.code == 2
    assert "grid is 'big'; expected HxW" in ended.error()


# --- other commands -----------------------------------------------------------------------------------------------------


def test_version(call: Call) -> None:
    assert call("--version").out == f"mgmtool, version {mgmtool.__version__}\n"


def test_info_in_json(grab: Call, call: Call, mixed: Path, tmp_path: Path) -> None:
    grab(mixed)
    ended = call("info", tmp_path / "m.zarr", "--json")
    assert (ended.code, ended.err) == (0, "")
    facts = json.loads(ended.out)
    assert facts["done"] == 4
    assert facts["failures"] == {"open": 2, "no_video_stream": 1}
    assert facts["frames"] == 54
    assert (facts["grid"], facts["scheme"]) == ("4x6", "motion-guided")


def test_info_of_one_video_in_json(grab: Call, call: Call, mixed: Path, tmp_path: Path) -> None:
    grab(mixed)
    facts = json.loads(call("info", tmp_path / "m.zarr", "1.mp4", "--json").out)
    assert facts.items() >= {"id": "1.mp4", "status": "done", "num_frames": 13, "masked_share": 0.75}.items()
    facts = json.loads(call("info", tmp_path / "m.zarr", "empty.mp4", "--json").out)
    assert facts.items() >= {"id": "empty.mp4", "status": "failed", "failure": "open"}.items()


def test_info_for_people(grab: Call, call: Call, mixed: Path, tmp_path: Path) -> None:
    grab(mixed)
    for arguments in ([], ["1.mp4"]):
        ended = call("info", tmp_path / "m.zarr", *arguments)
        assert (ended.code, ended.err) == (0, "")
        assert "\x1b" not in ended.out
    assert "motion-guided" in call("info", tmp_path / "m.zarr").out


def test_info_of_what_is_not_there_is_1(grab: Call, call: Call, clips: Path, tmp_path: Path) -> None:
    ended = call("info", tmp_path / "gone.zarr")
    assert (ended.code, ended.error()) == (1, f"no mask store at {tmp_path / 'gone.zarr'}: no such folder")
    grab(clips)
    ended = call("info", tmp_path / "m.zarr", "gone.mp4")
    assert ended.code == 1
    assert "'gone.mp4'" in ended.error()


@pytest.mark.parametrize(("command", "family"), [("schemes", masking), ("sources", sources)])
def test_plugins_are_listed_one_a_line(call: Call, command: str, family: Any) -> None:
    ended = call(command)
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == family.names()
    assert set(json.loads(call(command, "--json").out)) == set(family.names())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["extract", "--help"], ["info", "-h"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom mgmtool.cli import main\n"
        f"try:\n    main({arguments})\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'av', 'numba', 'numpy', 'zarr', 'pyarrow', 'psutil', 'rich', 'tqdm'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


# --- processes, pipes, terminals and signals ----------------------------------------------------------------------------


def test_exit_codes_and_streams_of_the_real_program(mixed: Path, tmp_path: Path) -> None:
    process = program("extract", mixed, "-o", tmp_path / "m.zarr", *SMALL, "--workers", 2, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3
    assert [event["id"] for event in map(json.loads, out.splitlines()) if "id" in event] == IDS
    assert not [line for line in err.decode().splitlines() if not line.startswith("failed (")]
    list(extract([str(mixed)], tmp_path / "inline.zarr", SPEC, "inline"))
    stores.assert_same(tmp_path / "m.zarr", tmp_path / "inline.zarr")


def test_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    tiny_videos.write_clips(tmp_path / "v", 12)
    process = program(
        "extract", tmp_path / "v", "-o", tmp_path / "m.zarr", *SMALL, "--engine", "inline", "--json", "-q"
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["event"] == "start"
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 141
    assert ".writing" not in stores.visible(tmp_path / "m.zarr")


def test_no_stdout_at_all_is_no_error(clips: Path, tmp_path: Path) -> None:
    arguments = ["extract", clips, "-o", tmp_path / "m.zarr", *SMALL, "--engine", "inline"]
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$@" >&-', "sh", *PROGRAM, *map(str, arguments)], stderr=subprocess.PIPE
    )
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def read_terminal(master: int, process: subprocess.Popen[bytes]) -> str:
    """Read what a program writes to a terminal until it ends."""
    seen = b""
    while True:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                seen += os.read(master, 4096)
            except OSError:  # the other end is closed
                break
        elif process.poll() is not None:
            break
    return seen.decode()


@pytest.mark.parametrize("no_color", [False, True])
def test_colours_and_bar_on_a_terminal(mixed: Path, tmp_path: Path, no_color: bool) -> None:
    master, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    environment = {**os.environ, "TERM": "xterm", **({"NO_COLOR": "1"} if no_color else {})}
    if not no_color:
        environment.pop("NO_COLOR", None)
    arguments = ["extract", mixed, "-o", tmp_path / "m.zarr", *SMALL, "--engine", "inline"]
    process = program(*arguments, stderr=terminal, env=environment)
    os.close(terminal)
    seen = read_terminal(master, process)
    os.close(master)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "7/7" in seen
    assert "failed (open)" in seen
    assert ("\x1b[31m" in seen) == (not no_color)
    assert b"\x1b" not in out


def interrupted(folder: Path, output: Path, number: int, *, whole_group: bool, options: list[str]) -> Ended:
    """Start a run, send it a signal after its fifth event, and wait for its end."""
    process = program("extract", folder, "-o", output, *SMALL, "--json", *options, start_new_session=True)
    assert process.stdout is not None
    assert process.stderr is not None
    first = b"".join(process.stdout.readline() for _ in range(5))  # start, two videos, a part, a video
    os.killpg(process.pid, number) if whole_group else process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return Ended(process.returncode, (first + out).decode(), err.decode())


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More clips than a run gets through before a signal reaches it."""
    folder = tmp_path_factory.mktemp("many")
    content = tiny_videos.clip(40)
    for number in range(120):
        (folder / f"{number:03}.mp4").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("number", "code", "whole_group", "options"),
    [
        pytest.param(signal.SIGINT, 130, True, ["--workers", "2"], id="ctrl-c-local"),
        pytest.param(signal.SIGINT, 130, False, ["--engine", "inline"], id="ctrl-c-inline"),
        pytest.param(signal.SIGTERM, 143, False, ["--workers", "1"], id="term-local"),
        pytest.param(signal.SIGTERM, 143, True, ["--workers", "1"], id="term-group"),
        pytest.param(signal.SIGTERM, 143, False, ["--engine", "inline"], id="term-inline"),
        pytest.param(signal.SIGHUP, 129, True, ["--workers", "1"], id="hup-group"),
    ],
)
def test_signal_leaves_a_store_that_goes_on(
    many: Path, tmp_path: Path, number: int, code: int, whole_group: bool, options: list[str]
) -> None:
    output = tmp_path / "m.zarr"
    ended = interrupted(many, output, number, whole_group=whole_group, options=options)
    assert ended.code == code
    assert "Traceback" not in ended.err
    assert ended.err.splitlines()[-1].endswith("what was committed stays, run the same command again to go on")
    assert all(event["status"] == "done" for event in ended.events() if event["event"] == "video")
    committed = Store.open(output).index["id"].to_pylist()
    assert len(committed) % 2 == 0
    assert 2 <= len(committed) < 120
    assert {event["id"] for event in ended.events("video", "summary")} >= set(committed)
    assert "stopping: the part being written is dropped" in ended.err
    (record,) = (output / "runs").iterdir()
    words = {130: "interrupted", 143: "terminated", 129: "terminated"}
    assert json.loads(record.read_text())["status"] == words[code]
    assert ".writing" not in stores.visible(output)
    rest = extract([str(many)], output, SPEC, "inline")
    assert next(rest).video.id == f"{len(committed):03}.mp4"


@pytest.mark.slow
def test_killed_run_goes_on_to_the_same_bytes(many: Path, tmp_path: Path) -> None:
    for output, number in ((tmp_path / "kill.zarr", signal.SIGKILL), (tmp_path / "int.zarr", signal.SIGINT)):
        interrupted(many, output, number, whole_group=True, options=["--workers", "2"])
        list(extract([str(many)], output, SPEC, engines.build("local", {"workers": 2})))
    list(extract([str(many)], tmp_path / "whole.zarr", SPEC, "inline"))
    stores.assert_same(tmp_path / "kill.zarr", tmp_path / "whole.zarr")
    stores.assert_same(tmp_path / "int.zarr", tmp_path / "whole.zarr")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("[extract]\nrato = 0.5\n", "'rato' (did you mean 'ratio'?)", id="option"),
        pytest.param("[extrakt]\nratio = 0.5\n", "'extrakt'", id="table"),
        pytest.param("ratio = 0.5\n", "'ratio'", id="no table"),
        pytest.param("[extract\n", "config.toml", id="no TOML"),
    ],
)
def test_a_config_file_that_says_nothing_known_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, named: str
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(config), "schemes"])
    assert ended.value.code == 2
    assert named in capsys.readouterr().err


def test_config_keys_are_the_long_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[schemes]\njson = true\n")
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(config), "schemes"])
    assert ended.value.code == 0
    assert "tube" in json.loads(capsys.readouterr().out)
