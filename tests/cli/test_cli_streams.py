"""What a command says where its streams, its limits or its files are not as they should be: one line, never a traceback."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mgmtool.extraction.stream import warm_up
from mgmtool.types import ExtractSpec
from support import calling, tiny_videos
from support.calling import Call

PROGRAM = [sys.executable, "-c", "from mgmtool.cli import main; main()"]
SMALL = ["--grid", "4x6", "--energy-grid", "3x4"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full, and limits as Linux has them")


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    warm_up(ExtractSpec())


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    tiny_videos.write_clips(folder, 3)
    return folder


@pytest.fixture(scope="module")
def store(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("stores") / "m.zarr"
    assert calling.exit_code("extract", clips, "-o", place, *SMALL, "--engine", "inline", "-q") == 0
    return place


def shell(line: str, *arguments: object, **environment: str) -> tuple[int, str, str]:
    """Run a line of the shell in which ``"$@"`` is the program."""
    ended = subprocess.run(
        ["bash", "-c", line, "bash", *PROGRAM, *map(str, arguments)],
        capture_output=True,
        check=False,
        timeout=300,
        env={**os.environ, **environment},
    )
    return ended.returncode, ended.stdout.decode("utf-8", "replace"), ended.stderr.decode("utf-8", "replace")


# --- streams ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(clips: Path, tmp_path: Path, closed: str) -> None:
    code, _, err = shell(
        f'exec "$@" {closed}', "extract", clips, "-o", tmp_path / "m.zarr", *SMALL, "--engine", "inline"
    )
    assert (code, err) == (0, "")
    assert (tmp_path / "m.zarr" / "index.parquet").is_file()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["failures"], ["list"], ["--help"]])
def test_a_full_stdout_is_one_line(store: Path, clips: Path, command: list[str], unbuffered: str) -> None:
    where = {"list": [clips], "--help": []}.get(command[0], [store])
    code, _, err = shell('exec "$@" >/dev/full', *command, *where, PYTHONUNBUFFERED=unbuffered)
    assert (code, err) == (1, "mgmtool: error: cannot write to standard output: No space left on device\n")


def test_a_full_stderr_does_not_end_a_run(mixed: Path, tmp_path: Path) -> None:
    code, out, _ = shell(
        'exec "$@" 2>/dev/full', "extract", mixed, "-o", tmp_path / "m.zarr", *SMALL, "--engine", "inline"
    )
    assert code == 3
    assert "4 done, 3 failed" in out


@pytest.mark.parametrize(
    "arguments", [["info", "\udcff.zarr"], ["visualize", "\udcff.mp4", "-o", "x.png"], ["list", "\udcff"]]
)
def test_names_that_are_no_utf8(tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = shell('exec "$@"', *arguments, PYTHONIOENCODING="utf-8:strict")
    assert (code in {1, 2}, out, len(err.splitlines())) == (True, "", 1)
    assert "\\udcff" in err or "\ufffd" in err


def test_output_that_is_no_utf8_is_printed_as_it_is(clips: Path, tmp_path: Path) -> None:
    output = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")
    arguments = ["visualize", clips / "0.mp4", "--scheme", "tube", "-o", output]
    ended = subprocess.run(
        [*PROGRAM, *map(os.fsencode, map(str, arguments))],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
    )
    assert (ended.returncode, ended.stdout.rstrip(b"\n")) == (0, os.fsencode(output)), ended.stderr


def test_an_interrupt_while_the_program_is_loaded_is_no_traceback() -> None:
    code = (
        "import builtins, os, signal\nload = builtins.__import__\n"
        "def interrupted(name, *more):\n"
        "    if name == 'click': os.kill(os.getpid(), signal.SIGINT)\n"
        "    return load(name, *more)\n"
        "builtins.__import__ = interrupted\nfrom mgmtool.cli import main"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, b"", b"")


def test_loading_leaves_the_handler_of_interrupts_as_it_was() -> None:
    code = (
        "import signal\nbefore = signal.getsignal(signal.SIGINT)\n"
        "import mgmtool.cli\nassert signal.getsignal(signal.SIGINT) is before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- limits -------------------------------------------------------------------------------------------------------------


def test_too_few_open_files_are_named(clips: Path, tmp_path: Path) -> None:
    arguments = ["extract", clips, "-o", tmp_path / "m.zarr", *SMALL, "--workers", 2]
    code, out, err = shell('ulimit -n 20; exec "$@"', *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("mgmtool: error: only 20 files may be open at a time")
    assert len(err.splitlines()) == 1


def test_few_open_files_make_fewer_workers(tmp_path: Path) -> None:
    tiny_videos.write_clips(tmp_path / "v", 20)
    arguments = ["extract", tmp_path / "v", "-o", tmp_path / "m.zarr", *SMALL, "--workers", 12]
    code, out, err = shell('ulimit -n 64; exec "$@"', *arguments)
    assert (code, err) == (0, "7 workers, not 12: too few files may be open at a time, see ulimit -n\n")
    assert "20 done, 0 failed" in out


def test_a_soft_limit_of_open_files_is_raised(clips: Path, tmp_path: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 200:
        pytest.skip("the hard limit of open files is low")
    arguments = ["extract", clips, "-o", tmp_path / "m.zarr", *SMALL, "--workers", 12]
    assert shell('ulimit -S -n 64; exec "$@"', *arguments)[::2] == (0, "")


def test_a_temporary_folder_with_too_long_a_name_is_named(clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    arguments = ["extract", clips, "-o", tmp_path / "m.zarr", *SMALL, "--workers", 1]
    code, out, err = shell('exec "$@"', *arguments, TMPDIR=str(folder))
    assert (code, out) == (1, "")
    assert err.startswith(
        "mgmtool: error: a worker process cannot be started: AF_UNIX path too long; expected a TMPDIR that"
    )
    assert len(err.splitlines()) == 1


# --- what is there already ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["visualize", "list", "report"])
def test_every_writer_refuses_to_replace_a_file(
    call: Call, clips: Path, store: Path, tmp_path: Path, kind: str
) -> None:
    output = tmp_path / {"visualize": "a.png", "list": "a.csv", "report": "a.html"}[kind]
    output.write_bytes(b"precious")
    source = {"visualize": clips / "0.mp4", "list": clips, "report": store}[kind]
    more = {"visualize": ["--scheme", "tube", "-q"], "list": [], "report": ["--gallery", "0"]}[kind]
    ended = call(kind, source, "-o", output, *more)
    assert (ended.code, ended.error()) == (1, f"output {output} already exists; use --overwrite to replace it")
    assert output.read_bytes() == b"precious"
    assert call(kind, source, "-o", output, *more, "--overwrite").code == 0
    assert output.read_bytes() != b"precious"


# --- what is left out, and what cannot be read --------------------------------------------------------------------------


@pytest.fixture
def sidecars(clips: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "v"
    shutil.copytree(clips, folder)
    for name in ("0.JPG", "1.jpg", "2.txt", "none", ".hidden"):
        (folder / name).touch()
    return folder


SKIPPED = {".jpg": 2, ".txt": 1, "no ending": 1}
WORDS = "skipped 4 files by ending: 2 .jpg, 1 .txt, 1 no ending"


def test_extract_says_what_it_skips(call: Call, sidecars: Path, tmp_path: Path) -> None:
    arguments = ["extract", sidecars, "-o", tmp_path / "m.zarr", *SMALL, "--engine", "inline", "--json"]
    plan = call(*arguments, "--dry-run")
    assert plan.events("plan")[0]["skipped"] == SKIPPED
    assert WORDS.removeprefix("skipped ") in call(*arguments[:-1], "--dry-run").out
    ended = call(*arguments)
    assert sorted(ended.err.splitlines()[0]) == sorted(WORDS)
    assert ended.events("start")[0]["skipped"] == SKIPPED
    assert call(*arguments, "-q").err == ""


@pytest.mark.parametrize("command", ["list", "probe"])
def test_list_and_probe_say_what_they_skip(call: Call, sidecars: Path, command: str) -> None:
    ended = call(command, sidecars, *(["--engine", "inline", "--json"] if command == "probe" else []))
    assert sorted(ended.err.splitlines()[0]) == sorted(WORDS)
    if command == "probe":
        assert ended.events("summary")[0]["skipped"] == SKIPPED


@pytest.mark.parametrize("command", ["extract", "index", "info", "failures", "report", "export"])
def test_an_unreadable_record_is_one_line(call: Call, clips: Path, store: Path, tmp_path: Path, command: str) -> None:
    damaged = tmp_path / "m.zarr"
    shutil.copytree(store, damaged)
    (damaged / "index" / "part-00000.parquet").write_bytes(b"PAR1 is all that is left PAR1")
    more = {
        "extract": ["extract", clips, "-o", damaged, *SMALL],
        "report": ["report", damaged, "-o", tmp_path / "a.html"],
        "export": ["export", damaged, "--to", "npz", "-o", tmp_path / "out"],
    }
    ended = call(*more.get(command, [command, damaged]))
    assert ended.code == 1
    assert ended.error().startswith(str(damaged))
    assert "mgmtool repair" in ended.error()


def test_a_listed_pipe_fails_at_once(call: Call, clips: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    names = f"{clips / '0.mp4'}\n{tmp_path / 'pipe.mp4'}\n/dev/zero\n".encode()
    ended = call("extract", "-", "-o", tmp_path / "m.zarr", *SMALL, "--engine", "inline", "--json", "-q", stdin=names)
    failures = {
        event["id"].rpartition("/")[2]: event["message"]
        for event in ended.events("video")
        if event["failure"] == "open"
    }
    assert ended.code == 3
    assert failures == {
        "pipe.mp4": "the file is a pipe; expected a video file",
        "zero": "the file is a device; expected a video file",
    }
