"""What is shipped: sdist and wheel, and mgmtool as a stranger gets it, from the wheel in an empty environment."""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support.tiny_videos import write_clips

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
MOST_WHEEL, MOST_SDIST = 600_000, 4_000_000
"""Bytes. The wheel is text, the sdist has the pictures of the documentation."""


def run(*words: str | Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, timeout=550, env=os.environ | environment, check=False
    )
    assert done.returncode == 0, f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_every_extra_is_explained() -> None:
    page = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if re.match(r"\| `\w+`.* \| \w", line)]
    named = {name for cell in rows for name in re.findall(r"`([\w-]+)`", cell)}
    assert PROJECT["optional-dependencies"].keys() <= named


def test_citation_and_project_agree() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert f"version: {PROJECT['version']}" in citation
    assert f"license: {PROJECT['license']}" in citation
    for name in re.findall(r"family-names: ([\w-]+), given-names: (\w+)", citation):
        assert ", ".join(name) in readme


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("build", reason="the package build is not installed; make dist installs it")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips") / "videos"
    write_clips(folder, 2)
    return folder


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        metadata = email.message_from_bytes(file.read(next(name for name in names if name.endswith("/METADATA"))))
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("mgmtool-")} == {"mgmtool"}
    assert "mgmtool/py.typed" in names
    assert [name for name in names if name.endswith("licenses/LICENSE")] != []
    assert [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".nbi", ".nbc"))] == []
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("Provides-Extra", [])) == PROJECT["optional-dependencies"].keys()
    assert wheel.stat().st_size < MOST_WHEEL


@pytest.mark.slow
def test_the_sdist_holds_what_builds_and_tests_it(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    wanted = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "Makefile", "mkdocs.yml"}
    assert wanted | {"src/mgmtool/py.typed", "tests/conftest.py", "docs/store.md"} <= names
    assert [name for name in names if name.startswith((".venv", "demo", "site", "dist"))] == []
    assert sdist.stat().st_size < MOST_SDIST


@pytest.mark.slow
def test_twine_finds_nothing(built: Path) -> None:
    pytest.importorskip("twine", reason="twine is not installed; make dist installs it")
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir())


def with_pip(wheel: Path, folder: Path) -> Path:
    venv.create(folder / "venv", with_pip=True)
    run(folder / "venv" / "bin" / "pip", "install", "--quiet", wheel)
    return folder / "venv" / "bin" / "mgmtool"


def with_pipx(wheel: Path, folder: Path) -> Path:
    places = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin")}
    run("pipx", "install", "--python", sys.executable, wheel, **places)
    return folder / "bin" / "mgmtool"


def with_uv(wheel: Path, folder: Path) -> Path:
    places = {"UV_TOOL_DIR": str(folder / "uv"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    run("uv", "tool", "install", "--python", sys.executable, wheel, **places)
    return folder / "bin" / "mgmtool"


@pytest.mark.slow
@pytest.mark.parametrize("install", [with_pip, with_pipx, with_uv])
def test_a_stranger_extracts_masks(
    install: Callable[[Path, Path], Path], wheel: Path, clips: Path, tmp_path: Path
) -> None:
    tool = install.__name__.removeprefix("with_")
    if tool != "pip" and shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    command = install(wheel, tmp_path)
    assert PROJECT["version"] in run(command, "--version")
    run(command, "extract", clips, "-o", tmp_path / "masks.zarr")
    facts = json.loads(run(command, "info", tmp_path / "masks.zarr", "--json"))
    assert (facts["done"], facts["failed"]) == (2, 0)
