"""Every Python example of docs/training.md runs, in order, on a store of one film."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from mgmtool.extraction import extract
from moving import encode, panning, square_path, with_square

PAGE = Path(__file__).parent.parent / "docs" / "training.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OPTIONAL = ("torch", "grain", "tensorflow")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``videos/bikes.mp4`` and its masks in ``masks.zarr``."""
    place = tmp_path_factory.mktemp("training")
    (place / "videos").mkdir()
    pictures = panning(64, 128, 192, (0, -1))
    film = with_square(pictures, square_path(64, (30, 10), (0, 2)), 32)
    encode(place / "videos" / "bikes.mp4", film)
    outcomes = list(extract([str(place / "videos")], place / "masks.zarr", engine="inline"))
    assert [outcome.done for outcome in outcomes] == [True]
    return place


def test_the_examples_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    names: dict[str, Any] = {"__name__": "example"}
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    assert len(blocks) > 6
    for number, code in enumerate(blocks):
        wanted = [name for name in OPTIONAL if re.search(rf"\b(import|from) (mgmtool\.)?{name}\b", code)]
        if all(importlib.util.find_spec(name) for name in wanted):
            exec(compile(code, f"{PAGE.name}, example {number}", "exec"), names)
