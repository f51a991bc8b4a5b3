"""The page of schemes and its pictures, and the script that draws them."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mgmtool import masking, plugins
from mgmtool.tracks import read_tracks
from support.synthetic import write_clip

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "schemes.md").read_text("utf-8")
PICTURES = ROOT / "docs" / "pictures"
PICTURE = re.compile(r"!\[([^\]]+)\]\(pictures/([^)]+)\)")
MOST_BYTES = 1_500_000

every_scheme = pytest.mark.parametrize("name", masking.names())


def section(name: str) -> str:
    """The section of a scheme, up to the next heading."""
    found = re.search(rf"^### `{name}`\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/schemes.md has no section for {name}"
    return found[1]


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "tools" / "gallery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "gallery", module)
    spec.loader.exec_module(module)
    return module


def words(name: str) -> str:
    """The section of a scheme in one line, wherever its lines were broken."""
    return " ".join(section(name).split())


def options(name: str) -> dict[str, Any]:
    return plugins.options(masking.build(name))


# --- the page --------------------------------------------------------------------------------------------------------


@every_scheme
def test_every_scheme_has_a_section_with_its_picture_and_when_to_choose_it(name: str) -> None:
    text = section(name)
    ((said, file),) = PICTURE.findall(text)
    assert file == f"{name}.jpg"
    assert said.startswith(f"{name}: ")
    assert "Choose it" in words(name)


@every_scheme
def test_every_option_of_a_scheme_is_in_its_section_with_its_default(name: str) -> None:
    text = section(name)
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    listed = {
        option: value.strip(" `")
        for names, values in rows
        for option, value in zip(re.findall(r"`(\w+)`", names), values.split(","), strict=True)
    }
    assert listed == {key: "auto" if value is None else str(value).lower() for key, value in options(name).items()}
    assert ("No options." in words(name)) == (not listed)


@every_scheme
def test_schemes_for_clips_only_say_so(name: str) -> None:
    assert ("For clips only" in words(name)) == (not masking.build(name).volumes)


def test_no_section_is_about_a_scheme_that_does_not_exist() -> None:
    assert sorted(re.findall(r"^### `([^`]+)`$", PAGE, re.MULTILINE)) == masking.names()


def test_every_picture_is_shown_and_every_picture_shown_is_there() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    shown = {file for page in pages for file in re.findall(r"pictures/([\w.-]+)", page.read_text("utf-8"))}
    assert shown == {path.name for path in PICTURES.iterdir()}


def test_pictures_are_small_and_legible() -> None:
    sizes = {path.name: path.stat().st_size for path in PICTURES.glob("*.jpg")}
    assert sum(sizes.values()) < MOST_BYTES
    for name in sizes:
        with Image.open(PICTURES / name) as image:
            assert image.format == "JPEG"
            assert 900 <= image.width <= 1600


@pytest.mark.parametrize("where", [PAGE, (PICTURES / "LICENSE.txt").read_text("utf-8")], ids=["page", "licence"])
def test_who_made_the_film_is_named(where: str) -> None:
    assert "(c) copyright Blender Foundation | www.bigbuckbunny.org" in where
    assert "https://creativecommons.org/licenses/by/3.0/" in where


# --- the script ------------------------------------------------------------------------------------------------------


def test_the_script_draws_every_picture_of_the_folder(
    gallery: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=max(gallery.FRAMES) + 1)
    gallery.draw(clip.path, tmp_path / "pictures")
    drawn = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert drawn == {path.name for path in PICTURES.glob("*.jpg")}
    assert len(capsys.readouterr().out.splitlines()) == len(drawn)
    alike = (Image.open(tmp_path / "pictures" / f"{name}.jpg") for name in ("fixed-box", "centre-box"))
    assert (np.abs(np.subtract(*(np.asarray(image, np.int16) for image in alike))) > 60).mean() > 0.01


def test_the_examples_are_of_schemes_that_exist(gallery: Any) -> None:
    assert set(gallery.EXAMPLES) <= set(masking.names())
    for name, example in gallery.EXAMPLES.items():
        masking.build(name, example.options)
    assert {name for name in masking.names() if not masking.build(name).volumes} <= {
        name for name, example in gallery.EXAMPLES.items() if example.clip
    }


def test_the_tracks_of_the_script_are_the_boxes_it_outlines(gallery: Any, tmp_path: Path) -> None:
    gallery.write_tracks(tmp_path / "tracks.txt", max(gallery.FRAMES) + 1)
    tracks = read_tracks(tmp_path / "tracks.txt", "clip.mp4")
    for index, box in gallery.BUNNY.items():
        assert tracks.at([index])[0, 0].tolist() == list(box)
