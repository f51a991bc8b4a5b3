"""What stands on a terminal: at several widths, without colours, and on one that can only print lines."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from mgmtool.cli.console import Bar, Plain, Progress, make_progress
from mgmtool.extraction import extract
from mgmtool.types import ExtractSpec, PatchGrid
from support import tiny_videos

PROGRAM = "from mgmtool.cli import main\n\nif __name__ == '__main__':\n    main()\n"
LONG = "a-folder-of-a-long-name/and-another-one-that-is-long/broken video.mp4"
ESCAPE = re.compile(r"\x1b\[[\d;?]*[a-zA-Z]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terminal")
    tiny_videos.write_clips(folder / "v", 2)
    (folder / "v" / LONG).parent.mkdir(parents=True)
    (folder / "v" / LONG).write_text("not a video\n")
    spec = ExtractSpec(scheme="tube", grid=PatchGrid(2, 2), energy=False)
    assert len(list(extract([str(folder / "v")], folder / "m.zarr", spec, "inline"))) == 3
    return folder


def shown(folder: Path, columns: int, *words: str, **environment: str) -> str:
    """What a command writes to a terminal of so many columns."""
    master, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (40, columns))
    plain = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS", "FORCE_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words], cwd=folder, stdin=terminal, stdout=terminal, stderr=terminal,
        env={**plain, "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(terminal)
    seen = bytearray()

    def read() -> None:
        try:
            while piece := os.read(master, 65536):
                seen.extend(piece)
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    process.wait(60)
    reader.join(60)
    os.close(master)
    return seen.decode().replace("\r\n", "\n")


@functools.cache
def piped(folder: Path, *words: str) -> str:
    """What a command writes where there is no terminal."""
    program = [sys.executable, "-c", PROGRAM, *words]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False).stdout


TABLES = [
    *((60, words) for words in [("doctor",), ("probe", "v", "--engine", "inline", "-q")]),
    *(
        (columns, words)
        for columns in (60, 200)
        for words in [("info", "m.zarr"), ("failures", "m.zarr"), ("schemes",)]
    ),
]


@pytest.mark.parametrize(
    ("columns", "words"), TABLES, ids=lambda value: value[0] if isinstance(value, tuple) else value
)
def test_tables_keep_to_the_width_and_lose_nothing(folder: Path, columns: int, words: tuple[str, ...]) -> None:
    text = ESCAPE.sub("", shown(folder, columns, *words))
    rows = text.splitlines()[:-1] if words[0] in {"failures", "doctor"} else text.splitlines()
    assert max(map(len, rows)) <= columns
    assert "…" not in text
    if words[0] not in {"doctor", "probe"}:  # whose figures change, and whose columns are lines
        assert sorted("".join(text.split())) == sorted("".join(piped(folder, *words).split()))


@pytest.mark.parametrize(("columns", "whole"), [(60, False), (100, True), (200, True)])
def test_an_id_is_in_one_piece_where_it_fits(folder: Path, columns: int, whole: bool) -> None:
    assert (LONG in ESCAPE.sub("", shown(folder, columns, "failures", "m.zarr"))) == whole


def test_no_colour_where_it_is_not_wanted(folder: Path) -> None:
    assert "\x1b[31m" in shown(folder, 100, "nonsense")
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in shown(folder, 100, "nonsense", **environment)


def test_a_dumb_terminal_gets_lines(folder: Path) -> None:
    words = ["extract", "v", "-o", "dumb.zarr", "--scheme", "tube", "--engine", "inline"]
    text = shown(folder, 100, *words, TERM="dumb")
    assert "\r" not in text
    assert "\x1b" not in text
    assert "dumb.zarr: 2 done, 1 failed (1 open)" in text


@pytest.mark.parametrize("columns", [60, 200])
def test_a_bar_leaves_room_for_what_the_terminal_echoes(folder: Path, columns: int) -> None:
    output = f"bar{columns}.zarr"
    text = shown(folder, columns, "extract", "v", "-o", output, "--scheme", "tube", "--engine", "inline")
    bars = [line for line in re.split(r"[\r\n]", ESCAPE.sub("", text)) if "%|" in line]
    assert any("3/3, 1 failed" in line for line in bars)
    assert not any("3/3, 1 failed, 0 s left" in line for line in bars)
    assert max(len(line.rstrip()) for line in bars) <= columns - 3


@pytest.mark.parametrize(
    ("kind", "tty", "term", "expected"),
    [
        ("auto", True, "xterm", Bar),
        ("auto", True, "dumb", Plain),
        ("auto", False, "xterm", Plain),
        ("bar", True, "dumb", Bar),
        ("none", True, "xterm", Progress),
    ],
)
def test_how_progress_is_drawn(
    kind: str, tty: bool, term: str, expected: type[Progress], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: tty)
    monkeypatch.setenv("TERM", term)
    made = make_progress(kind, 3, False)
    made.advance(failed=True)
    made.close()
    assert type(made) is expected
