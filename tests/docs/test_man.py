"""The man pages in ``man/``: of every command, as the help says, and readable."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest

from mgmtool.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "man"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The pages as ``make man`` writes them."""
    pytest.importorskip("click_man", reason="click-man is not installed")
    spec: Any = importlib.util.spec_from_file_location("man", ROOT / "tools" / "man.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages: dict[str, str] = module.pages()
    return pages


def test_there_is_a_page_of_every_command() -> None:
    names = cli.list_commands(click.Context(cli))
    assert {file.stem for file in PAGES.glob("*.1")} == {"mgmtool", *(f"mgmtool-{name}" for name in names)}


def test_pages_are_what_the_help_says(made: dict[str, str]) -> None:
    version = metadata.version("click")
    if f"with click {version};" not in (PAGES / "mgmtool.1").read_text("utf-8"):
        pytest.skip(f"the pages were not written with click {version}, which may word help in another way")
    stale = [name for name, text in made.items() if (PAGES / name).read_text("utf-8") != text]
    assert stale == [], "run make man"


def test_a_page_holds_no_date_and_no_path_of_this_machine(made: dict[str, str]) -> None:
    for name, text in made.items():
        assert re.match(r'\.\\".*\n\.TH "[A-Z-]+" "1" "" "mgmtool [\d.]+" "mgmtool manual"\n', text), name
        assert str(ROOT) not in text


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
@pytest.mark.parametrize("columns", [60, 100])
def test_man_renders_a_page(columns: int) -> None:
    environment = {
        **os.environ,
        "MANWIDTH": str(columns),
        "LC_ALL": "C.UTF-8",
        "MAN_KEEP_FORMATTING": "",
        "MANPAGER": "cat",
    }
    ended = subprocess.run(
        ["man", "--warnings", "--local-file", PAGES / "mgmtool-extract.1"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stderr == ""
    text = re.sub(r".\x08|\x1b\[[\d;]*m", "", ended.stdout)
    assert max(map(len, text.splitlines())) <= columns
    words = " ".join(text.split())
    assert "mgmtool-extract - Extract mask volumes of videos into a Zarr store SYNOPSIS" in words
    assert "--max-failures, 129 / 130 / 143 after a signal" in words
    assert "-o, --output PATH Mask store to make" in words


def test_pages_are_in_the_wheel() -> None:
    import tomllib

    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"]["shared-data"] == {"man": "share/man/man1"}
    assert {"man", "tools"} <= set(build["sdist"]["include"])
