"""Who mistypes a name is told the nearest one there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from mgmtool import open_store
from mgmtool.cli import main
from mgmtool.errors import UnknownVideoError, did_you_mean
from mgmtool.extraction import extract
from mgmtool.store import _nearest
from mgmtool.store._nearest import nearest_id
from mgmtool.types import ExtractSpec, PatchGrid
from support import tiny_videos


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("near")
    tiny_videos.write_clips(folder / "films" / "walking", 1)
    tiny_videos.write_clips(folder / "films" / "running", 2)
    spec = ExtractSpec(scheme="tube", grid=PatchGrid(2, 2), energy=False)
    assert all(outcome.done for outcome in extract([str(folder / "films")], folder / "m.zarr", spec, "inline"))
    return folder / "m.zarr"


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        pytest.param(["extrat"], 2, "No such command 'extrat' (did you mean 'extract'?)", id="command"),
        pytest.param(["extract", "--ratoi", "1"], 2, "'--ratio'", id="option"),
        pytest.param(["extract", "v", "-o", "m", "--scheme", "tub"], 2, "(did you mean 'tube'?)", id="scheme"),
        pytest.param(["extract", "v", "-o", "m", "--source", "codek"], 2, "(did you mean 'codec'?)", id="source"),
        pytest.param(["extract", "v", "-o", "m", "--engine", "lokal"], 2, "(did you mean 'local'?)", id="engine"),
        pytest.param(
            ["extract", "v", "-o", "m", "--scheme-option", "smothness=1"], 2, "(did you mean 'smoothness'?)", id="key"
        ),
        pytest.param(["failures", "STORE", "--failure", "tiemout"], 2, "(did you mean 'timeout'?)", id="failure class"),
        pytest.param(["export", "STORE", "--to", "npx", "-o", "x"], 2, "(did you mean 'npz'?)", id="format"),
        pytest.param(["info", "STORE", "walkin/0.mp"], 1, "(did you mean 'walking/0.mp4'?)", id="id"),
    ],
)
def test_the_nearest_name_is_in_the_message(
    store: Path, arguments: list[str], code: int, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(store) if word == "STORE" else word for word in arguments])
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == code
    assert hint in line


def test_a_name_like_no_other_gets_no_hint(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["zzz"])
    assert capsys.readouterr().err == "mgmtool: error: No such command 'zzz'; see mgmtool --help\n"


def test_readers_and_loaders_name_the_nearest_id(store: Path) -> None:
    from mgmtool.errors import StoreError
    from mgmtool.store import open_store as open_reader

    for ask in (open_store(store).__getitem__, lambda name: open_store(store).clip(name, range(4))):
        with pytest.raises(UnknownVideoError, match=r"\(did you mean 'running/1.mp4'\?\)"):
            ask("runing/1.mp4x")
    with pytest.raises(StoreError, match=r"\(did you mean 'running/1.mp4'\?\)"):
        open_reader(store).row("running1.mp4")


def test_an_ending_alone_is_not_alike() -> None:
    assert nearest_id(pa.array(["b/1.mp4", "a/0.mp4"]), "c.mp4") == ""


def test_a_hint_is_harmless_on_a_terminal() -> None:
    assert did_you_mean("a\x1b[31m.mp5", ["a\x1b[31m.mp4"]) == r" (did you mean 'a\\x1b[31m.mp4'?)"


@pytest.mark.parametrize("count", [3, 3000, 300_000])
@pytest.mark.parametrize(
    ("written", "meant"),
    [("clip/video_0000001.mp5", "clip/video_0000001.mp4"), ("clips/video_0000002.mp4", "clip/video_0000002.mp4")],
)
def test_stores_of_any_size_compare_few_ids(
    count: int, written: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def counting(name: str, known: Sequence[str], *more: float) -> str:
        compared.append(len(known))
        return did_you_mean(name, known, *more)

    monkeypatch.setattr(_nearest, "did_you_mean", counting)
    ids = pa.chunked_array([[f"clip/video_{number:07}.mp4" for number in range(count)]])
    assert nearest_id(ids, written) == f" (did you mean {meant!r}?)"
    assert 0 < compared[0] <= 2000  # some 10 µs each
