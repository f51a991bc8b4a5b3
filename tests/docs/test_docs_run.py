"""Every block of code in the documentation runs, page by page and in order, in a folder of small films.

A block that cannot run here says why in the line before it, ``<!-- not run: it needs Slurm -->``; one whose last command should
not end with 0 says ``<!-- exits with 3: one video is broken -->``. Python blocks that import what is not installed are left out.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mgmtool import cli
from support import docs_folder

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"pipelines.md"}  # tests/docs/test_pipelines.py
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [page for page in PAGES if page.name not in ELSEWHERE]

BLOCK = re.compile(
    r"(?:^<!-- (?P<what>not run|exits with (?P<code>\d+)): (?P<why>[^>\n]+) -->\n+)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
NO_CODE = {"", "text", "bibtex"}
OPTIONAL = ("torch", "torchcodec", "grain", "tensorflow", "datasets", "decord", "tensorstore", "webdataset")
PLACEHOLDERS = {
    "INPUT...": "videos",
    "VIDEO": "videos/bikes.mp4",
    "GROUNDTRUTH...": "groundtruth",
    "GROUNDTRUTH": "groundtruth",
    "VIDEOS": "videos",
}
"""Words of the synopses, and what stands for them here."""


@dataclass(frozen=True)
class Block:
    """One block of code, the line it begins in, and what is said of it."""

    page: str
    line: int
    language: str
    text: str
    skipped: bool
    code: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        skipped = found["what"] == "not run"
        yield Block(page.name, line, found["language"], found["text"], skipped, int(found["code"] or 0))


def lacks_a_library(code: str) -> bool:
    wanted = [name for name in OPTIONAL if re.search(rf"^\s*(import|from) (mgmtool\.)?{name}\b", code, re.MULTILINE)]
    return not all(importlib.util.find_spec(name) for name in wanted)


def run_python(block: Block, module: types.ModuleType) -> None:
    source = "\n" * (block.line - 1) + block.text  # so that errors name the line of the page
    exec(compile(source, block.page, "exec"), module.__dict__)


def plain_commands(block: Block) -> list[list[str]] | None:
    """The calls of mgmtool in a block that has nothing else; None for one that needs a shell."""
    lines = [shlex.split(line, comments=True) for line in block.text.replace("\\\n", " ").splitlines()]
    lines = [words for words in lines if words]
    needs_shell = any(set(re.sub(r"#.*", "", line)) & set("$|&;<>*?~") for line in block.text.splitlines())
    return None if needs_shell or any(words[0] != "mgmtool" for words in lines) else lines


def run_shell(block: Block) -> None:
    """Run calls of mgmtool here, which saves their start; anything else in bash."""
    commands = plain_commands(block)
    if commands is None:
        text = re.sub(r"[A-Z]{5,}(\.\.\.)?", lambda word: PLACEHOLDERS.get(word[0], word[0]), block.text)
        shell = ["bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(shell, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == block.code, f"{block}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return
    for number, words in enumerate(commands, 1):
        with pytest.raises(SystemExit) as ended:
            cli.main([PLACEHOLDERS.get(word, word) for word in words[1:]])
        expected = block.code if number == len(commands) else 0
        assert ended.value.code == expected, f"{block}: {shlex.join(words)}: exit code {ended.value.code}"


def check(block: Block) -> None:
    if block.language == "json":
        for line in block.text.splitlines():
            json.loads(line)
    elif block.language == "toml":
        tomllib.loads(block.text)
    else:
        assert block.language in NO_CODE, f"{block}: nobody knows how to run {block.language!r}; say why, or mark it"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("docs_example")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.mark.filterwarnings("ignore:.*unclosed file.*shards:ResourceWarning")  # webdataset leaves its tar files open
@pytest.mark.filterwarnings("ignore:.*shards:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, example: types.ModuleType) -> None:
    blocks = list(blocks_of(page))
    if all(block.skipped or block.language in NO_CODE for block in blocks):
        return
    docs_folder.furnish(tmp_path, page.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    runs: dict[str, Any] = {"python": lambda block: run_python(block, example), "sh": run_shell}
    for block in blocks:
        if not block.skipped and not (block.language == "python" and lacks_a_library(block.text)):
            runs.get(block.language, check)(block)


def test_most_blocks_run() -> None:
    """A reason not to run is for the few that cannot."""
    code = [block for page in PAGES for block in blocks_of(page) if block.language in {"python", "sh"}]
    assert sum(not block.skipped for block in code) > 0.7 * len(code)
