"""A list of the corpus, written once and read by every driver."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from mgmtool import corpus
from mgmtool.cli import cli
from mgmtool.errors import UsageError
from mgmtool.types import VideoRef

ENDINGS = (".mp4",)
NAMES = ["a.mp4", "b/with, comma and 'quotes\".mp4", "b/ümlaut 7.mp4", "z\n.mp4"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(NAMES):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * number)
    return tmp_path / "videos"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["list", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_list_gives_what_the_folder_gives(folder: Path, tmp_path: Path, form: str) -> None:
    output = tmp_path / f"list.{form}"
    run(str(folder), "-o", str(output))
    listed = corpus.read_manifest(str(output), ENDINGS)
    assert corpus.scan([], ENDINGS, listed=listed, root=str(folder)) == corpus.scan([str(folder)], ENDINGS)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_sizes_of_the_list_are_believed(folder: Path, tmp_path: Path, form: str) -> None:
    (tmp_path / f"list.{form}").write_text(run(str(folder), "--format", form), encoding="utf-8")
    before = corpus.scan([str(folder)], ENDINGS)
    for video in before.videos:
        Path(video.path).unlink()
    listed = corpus.read_manifest(str(tmp_path / f"list.{form}"), ENDINGS)
    assert corpus.scan([], ENDINGS, listed=listed, root=str(folder)).videos == before.videos


def test_names_that_are_not_unicode_survive(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff.mp4")).write_bytes(b"x")
    for form in ("csv", "jsonl"):
        output = tmp_path / f"list.{form}"
        run(str(tmp_path), "-o", str(output))
        (entry,) = corpus.read_manifest(str(output), ENDINGS)
        assert os.fsencode(entry.path) == os.fsencode(tmp_path) + b"/bad\xff.mp4"


def test_labels_and_columns_are_carried(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"path,label,split\n{folder}/a.mp4,7,train\n", encoding="utf-8")
    output = tmp_path / "out.jsonl"
    run("--manifest", str(tmp_path / "in.csv"), "-o", str(output))
    (entry,) = corpus.read_manifest(str(output), ENDINGS)
    assert (entry.label, entry.extra, entry.size) == ("7", '{"split":"train"}', 0)


def test_further_columns_need_jsonl() -> None:
    with pytest.raises(UsageError, match="write jsonl, not csv"):
        corpus.write_manifest([VideoRef("a", "/a", extra='{"x":1}')], io.StringIO(), "csv")


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(UsageError, match="format is 'xml'; expected one of: csv, jsonl"):
        corpus.write_manifest([], io.StringIO(), "xml")
