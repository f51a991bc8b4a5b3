"""Completion: what TAB offers, asked as the scripts of the shells ask, and pressed in real shells."""

from __future__ import annotations

import functools
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgmtool import engines, masking, sources
from mgmtool.errors import FAILURE_CLASSES
from mgmtool.extraction import extract
from mgmtool.types import ExtractSpec, PatchGrid
from support import tiny_videos

SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SOURCE = {
    "bash": 'eval "$(mgmtool completion bash)"',
    "zsh": 'autoload -Uz compinit; compinit -u -D; eval "$(mgmtool completion zsh)"',
    "fish": "mgmtool completion fish | source",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, and a program that is called mgmtool."""
    folder = tmp_path_factory.mktemp("shell")
    tiny_videos.write_clips(folder / "films", 2)
    spec = ExtractSpec(scheme="tube", grid=PatchGrid(2, 2), energy=False)
    assert all(outcome.done for outcome in extract([str(folder / "films")], folder / "films.zarr", spec, "inline"))
    program = folder / "bin" / "mgmtool"
    program.parent.mkdir()
    program.write_text(f'#!{sys.executable}\nfrom mgmtool.cli import main\n\nif __name__ == "__main__":\n    main()\n')
    program.chmod(0o755)
    return folder


def offered(folder: Path, *words: str) -> list[str]:
    """What is offered for the last word."""
    asked = {"_MGMTOOL_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(("mgmtool", *words)).rstrip()}
    environment = {**os.environ, **asked, "COMP_CWORD": str(len(words))}
    ended = subprocess.run(
        [folder / "bin" / "mgmtool"], env=environment, capture_output=True, text=True, check=True, cwd=folder
    )
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["extract", "--scheme", ""], masking.names(), id="schemes"),
        pytest.param(["visualize", "--source", ""], sources.names(), id="sources"),
        pytest.param(["probe", "--engine", ""], engines.names(), id="engines"),
        pytest.param(["failures", "films.zarr", "--failure", ""], list(FAILURE_CLASSES), id="failure classes"),
        pytest.param(["info", "f"], ["films.zarr"], id="stores"),
        pytest.param(["info", "films.zarr", ""], ["0.mp4", "1.mp4"], id="ids"),
        pytest.param(["info", "films.zarr", "1"], ["1.mp4"], id="ids of a start"),
        pytest.param(["info", "gone.zarr", ""], [], id="no store"),
        pytest.param(
            ["visualize", "x.mp4", "--store", "films.zarr", "--id", ""], ["0.mp4", "1.mp4"], id="ids of a named store"
        ),
        pytest.param(["visualize", "x.mp4", "--id", ""], [], id="no store named"),
        pytest.param(["info", "s3://bucket/films.zarr", ""], [], id="a store far away"),
        pytest.param(["extr"], ["extract"], id="commands"),
        pytest.param(["extract", "--energy-"], ["--energy-grid"], id="options"),
        pytest.param(["extract", "--fingerprint", "c"], ["content"], id="choices"),
    ],
)
def test_what_is_offered(folder: Path, words: list[str], expected: list[str]) -> None:
    assert offered(folder, *words) == [f"plain,{word}" for word in expected]


@pytest.mark.parametrize(
    ("words", "kind"), [(["extract", "fi"], "file,fi"), (["info", "gone"], "dir,gone"), (["visualize", ""], "file,")]
)
def test_files_and_folders_are_left_to_the_shell(folder: Path, words: list[str], kind: str) -> None:
    assert offered(folder, *words) == [kind]


def test_completion_of_names_imports_nothing_heavy(folder: Path) -> None:
    code = (
        "import os, sys\n"
        "os.environ.update(_MGMTOOL_COMPLETE='bash_complete', COMP_WORDS='mgmtool extract --scheme mo', COMP_CWORD='3')\n"
        "from mgmtool.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'av', 'numba', 'zarr', 'pyarrow', 'psutil', 'rich'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    assert ended.stdout.split() == ["plain,motion-guided", "plain,motion-literal"]


class Terminal:
    """A shell on a terminal of its own.

    Parameters
    ----------
    shell : str
        Its name.
    folder : Path
        Where it starts.
    """

    def __init__(self, shell: str, folder: Path) -> None:
        self.master, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (40, 100))
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(folder), "TERM": "dumb", "PS1": "$ ", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            SHELLS[shell],
            cwd=folder,
            env=environment,
            preexec_fn=functools.partial(os.login_tty, terminal),  # noqa: PLW1509  no threads here
        )
        os.close(terminal)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self.master, keys.encode())

    def read(self, expected: str, seconds: float = 20) -> str:
        """Read until a text stands on the screen."""
        seen, end = "", time.monotonic() + seconds
        while expected not in seen:
            ready, _, _ = select.select([self.master], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{expected!r} did not come; the terminal showed {seen!r}"
            seen += os.read(self.master, 65536).decode(errors="replace")
        return seen

    def close(self) -> None:
        """End the shell."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture(params=list(SHELLS))
def terminal(request: pytest.FixtureRequest, folder: Path) -> Iterator[Terminal]:
    """A shell in which completion is switched on, as the documentation says."""
    shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    terminal = Terminal(shell, folder)
    try:
        terminal.type(f"{SOURCE[shell]}; echo rea''dy\r")
        terminal.read("ready")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ("keys", "completed"),
    [
        pytest.param("mgmtool extr\t", "extract ", id="command"),
        pytest.param("mgmtool extract --scheme motion-g\t", "motion-guided", id="scheme"),
        pytest.param("mgmtool extract --retry\t", "--retry-failed", id="option"),
        pytest.param("mgmtool info films.z\t", "films.zarr", id="store"),
        pytest.param("mgmtool info films.zarr 1\t", "1.mp4", id="id"),
    ],
)
def test_tab_in_a_real_shell(terminal: Terminal, keys: str, completed: str) -> None:
    typed = keys.removesuffix("\t").split(" ")[-1]
    assert completed.startswith(typed)
    assert completed != typed
    terminal.type(keys)
    terminal.read(completed.removeprefix(typed).strip())
