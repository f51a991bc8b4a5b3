"""Going on with a store: what is done again, what is seen to have changed, and what readers make of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mgmtool import engines, training
from mgmtool.corpus import content_fingerprint
from mgmtool.errors import UnknownVideoError, UsageError
from mgmtool.extraction import extract, prepare
from mgmtool.store import locate, open_store, verify
from mgmtool.store.index import read_index
from mgmtool.store.walk import Walk
from mgmtool.types import ExtractSpec, Outcome, PatchGrid, Resume
from support import stores, tiny_videos
from support.calling import exit_code
from support.stores import open_writer, write_part

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
INLINE = engines.build("inline")
Readers = Callable[[Path], dict[str, tuple[int, str]]]


def rows_of(table: pa.Table) -> dict[str, tuple[int, str]]:
    ids = table["id"].to_pylist()
    assert len(set(ids)) == len(ids)
    return dict(zip(ids, zip(table["part"].to_pylist(), table["status"].to_pylist(), strict=True), strict=True))


def through_walk(store: Path) -> dict[str, tuple[int, str]]:
    walk = Walk(store)
    facts = {part.number: part for part in walk.parts()}
    videos = [(video.id, (int(video.row["part"]), "done")) for video in walk.videos(list(facts))]
    assert len(videos) == len(dict(videos)) == sum(part.done for part in facts.values())
    failed = {i: row for i, row in rows_of(read_index(store)).items() if row[1] == "failed"}
    assert len(failed) == sum(part.failed for part in facts.values())
    return {**dict(videos), **failed}


def through_memory(store: Path) -> dict[str, tuple[int, str]]:
    url = f"memory://resume{store}"
    fsspec.filesystem("memory").put(f"{store}/", url, recursive=True)
    table = locate(url).index()
    walk = Walk(url)
    numbers = [part.number for part in walk.parts()]
    done = {video.id: int(video.row["part"]) for video in walk.videos(numbers)}
    assert done == {i: part for i, (part, status) in rows_of(table).items() if status == "done"}
    return rows_of(table)


READERS = {
    "store": lambda path: rows_of(open_store(path).index),
    "index.parquet": lambda path: rows_of(pq.read_table(path / "index.parquet")),
    "records": lambda path: rows_of(read_index(path)),
    "walk": through_walk,
    "memory": through_memory,
    "writer": lambda path: {
        i: (video.part, "done" if video.done else "failed") for i, video in open_writer(path).committed().videos.items()
    },
}


@pytest.fixture
def redone(tmp_path: Path) -> Path:
    """A store in which b failed three times before it was done, and a was done three times."""
    store = tmp_path / "m.zarr"
    writer = open_writer(store)
    write_part(writer, 0, {"a.mp4": 3, "b.mp4": None, "c.mp4": None})
    write_part(writer, 1, {"d.mp4": 2})
    write_part(writer, 5, {"b.mp4": None, "a.mp4": 4}, supersedes={"a.mp4": 0, "b.mp4": 0})
    write_part(writer, 6, {"b.mp4": None}, supersedes={"b.mp4": 5})
    write_part(writer, 9, {"b.mp4": 6, "a.mp4": 5}, supersedes={"a.mp4": 5, "b.mp4": 6})
    writer.finish()
    return store


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_sees_the_last_row_of_an_id(redone: Path, reader: str) -> None:
    rows = READERS[reader](redone)
    assert rows == {"a.mp4": (9, "done"), "b.mp4": (9, "done"), "c.mp4": (0, "failed"), "d.mp4": (1, "done")}


def test_masks_are_those_of_the_last_row(redone: Path) -> None:
    store, masks = open_store(redone), training.open_store(redone)
    assert {i: len(store.volume(i)) for i in ("a.mp4", "b.mp4", "d.mp4")} == {"a.mp4": 5, "b.mp4": 6, "d.mp4": 2}
    assert sorted(masks) == ["a.mp4", "b.mp4", "d.mp4"]
    assert len(masks) == 3
    assert [masks[i].num_frames for i in ("a.mp4", "b.mp4", "d.mp4")] == [5, 6, 2]
    assert len(masks.volume("b.mp4")) == 6
    with pytest.raises(UnknownVideoError, match="failed"):
        masks.volume("c.mp4")
    assert store.failures() == {"open": 1}
    assert [finding for finding in verify(redone) if finding.severity == "error"] == []


def test_parts_that_supersede_do_not_count_as_cut_from_the_list(redone: Path) -> None:
    found = open_writer(redone).committed()
    assert found.numbers == {0, 1, 5, 6, 9}
    assert found.parts == {0: ["a.mp4", "b.mp4", "c.mp4"], 1: ["d.mp4"]}


def run(folder: Path, output: Path, **how: Any) -> list[Outcome]:
    return list(extract([str(folder)], output, SPEC, INLINE, resume=Resume(**how)))


def ends(outcomes: list[Outcome]) -> dict[str, str]:
    return {outcome.video.id: outcome.failure or "done" for outcome in outcomes}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_videos.write_mixed(tmp_path / "videos", 2)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "m.zarr"


def test_retry_failed(folder: Path, output: Path) -> None:
    run(folder, output)
    before = stores.array_files(output)
    (folder / "text.mp4").write_bytes(tiny_videos.clip(9))
    ready = prepare([str(folder)], output, SPEC, INLINE, resume=Resume(retry_failed=True))
    assert (ready.remaining, ready.earlier) == (3, {"done": 2})
    assert ends(list(ready.outcomes())) == {"audio.mp4": "no_video_stream", "empty.mp4": "open", "text.mp4": "done"}
    store = open_store(output)
    assert store.failures() == {"no_video_stream": 1, "open": 1}
    assert len(store.volume("text.mp4")) == 9
    assert stores.array_files(output).items() >= before.items()
    assert run(folder, output) == []
    assert ends(run(folder, output, retry_failed=True)) == {"audio.mp4": "no_video_stream", "empty.mp4": "open"}
    assert len(open_store(output).index) == 5
    assert list(verify(output, deep=True)) == []


def touch(path: Path, seconds: int = 10) -> None:
    then = path.stat().st_mtime_ns + seconds * 10**9
    os.utime(path, ns=(then, then))


def changed(folder: Path, output: Path, **how: Any) -> list[str]:
    return [video.id for video in prepare([str(folder)], output, SPEC, INLINE, resume=Resume(**how)).changed]


def test_changed_files_are_reported_and_refreshed(folder: Path, output: Path) -> None:
    run(folder, output)
    assert changed(folder, output) == []
    (folder / "0.mp4").write_bytes(tiny_videos.clip(20))
    touch(folder / "1.mp4")
    assert changed(folder, output) == ["0.mp4", "1.mp4"]
    assert run(folder, output) == []
    assert ends(run(folder, output, refresh=True)) == {"0.mp4": "done", "1.mp4": "done"}
    assert len(open_store(output).volume("0.mp4")) == 20
    assert changed(folder, output) == []
    assert run(folder, output, refresh=True) == []
    assert list(verify(output, deep=True)) == []


def test_a_changed_failure_is_refreshed_too(folder: Path, output: Path) -> None:
    run(folder, output)
    (folder / "empty.mp4").write_bytes(tiny_videos.clip(7))
    assert ends(run(folder, output, refresh=True)) == {"empty.mp4": "done"}


def test_content_decides_where_it_is_asked_for(folder: Path, output: Path) -> None:
    run(folder, output, fingerprint="content")
    row = open_store(output).row("0.mp4")
    assert row["fingerprint"] == content_fingerprint(str(folder / "0.mp4"))
    touch(folder / "1.mp4")
    path, stat = folder / "0.mp4", (folder / "0.mp4").stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert changed(folder, output, fingerprint="content") == ["0.mp4"]
    assert changed(folder, output) == ["1.mp4"]
    assert ends(run(folder, output, fingerprint="content", refresh=True)) == {"0.mp4": "done"}
    assert changed(folder, output, fingerprint="content") == []


def test_without_a_known_fingerprint_size_and_time_decide(folder: Path, output: Path) -> None:
    run(folder, output)
    touch(folder / "1.mp4")
    assert open_store(output).row("1.mp4")["fingerprint"] is None
    assert changed(folder, output, fingerprint="content") == ["1.mp4"]


def test_a_file_that_is_gone_has_not_changed(folder: Path, output: Path) -> None:
    run(folder, output, fingerprint="content")
    (folder / "0.mp4").unlink()
    assert changed(folder, output, fingerprint="content") == []


def test_unknown_fingerprint(folder: Path, output: Path) -> None:
    with pytest.raises(UsageError, match="fingerprint is 'size'; expected one of: stat, content"):
        prepare([str(folder)], output, SPEC, INLINE, resume=Resume(fingerprint="size"))
    assert not output.exists()


def test_new_videos_and_failed_ones_in_one_run(folder: Path, output: Path) -> None:
    run(folder, output)
    tiny_videos.write_clips(folder / "more", 3)
    outcomes = run(folder, output, retry_failed=True)
    parts = {outcome.video.id: outcome.part for outcome in outcomes}
    assert len(parts) == 6
    again = {parts[name] for name in tiny_videos.NOT_VIDEOS}
    assert again.isdisjoint({part for name, part in parts.items() if name.startswith("more")})
    assert run(folder, output) == []
    assert list(verify(output, deep=True)) == []


def test_interrupted_retry_goes_on(folder: Path, output: Path, tmp_path: Path) -> None:
    run(folder, output)
    outcomes = prepare([str(folder)], output, SPEC, INLINE, resume=Resume(retry_failed=True)).outcomes()
    for _ in range(3):  # the first part of two is committed, the second is not
        next(outcomes)
    outcomes.close()
    assert len(open_store(output).index) == 5
    assert len(run(folder, output, retry_failed=True)) == 3
    assert [finding for finding in verify(output) if finding.severity == "error"] == []


SMALL = ["--grid", "4x6", "--energy-grid", "3x4", "--part-videos", "2", "--engine", "inline"]


def test_cli_retry_and_refresh(folder: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("extract", folder, "-o", output, *SMALL) == 3
    for name in ("audio.mp4", "empty.mp4"):
        (folder / name).write_bytes(tiny_videos.clip(9))
    capsys.readouterr()
    assert exit_code("extract", folder, "-o", output, *SMALL) == 3
    told = capsys.readouterr().err
    assert "2 videos have changed since they were extracted: audio.mp4, empty.mp4; --refresh does them again" in told
    assert exit_code("extract", folder, "-o", output, *SMALL, "--retry-failed", "--json") == 3
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {e["id"]: e["status"] for e in events if e["event"] == "video"} == {
        "audio.mp4": "done",
        "empty.mp4": "done",
        "text.mp4": "failed",
    }
    (folder / "text.mp4").write_bytes(tiny_videos.clip(9))
    assert exit_code("extract", folder, "-o", output, *SMALL, "--refresh") == 0
    assert "text.mp4; they are done again" in capsys.readouterr().err
    assert exit_code("extract", folder, "-o", output, *SMALL, "--retry-failed") == 0
    assert open_store(output).failures() == {}


def test_labels_and_further_columns_reach_the_index(folder: Path, output: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "train.jsonl"
    manifest.write_text(
        '{"path": "videos/0.mp4", "label": "surfing", "take": 3}\n{"path": "videos/empty.mp4", "label": 7}\n'
        '{"path": "videos/1.mp4"}\n'
    )
    assert exit_code("extract", "--manifest", manifest, "--root", tmp_path, "-o", output, *SMALL) == 3
    rows = {row["id"]: (row["label"], row["extra"]) for row in open_store(output).index.to_pylist()}
    assert rows["videos/0.mp4"][0] == "surfing"
    assert json.loads(rows["videos/0.mp4"][1]) == {"take": 3}
    assert rows["videos/empty.mp4"] == ("7", None)
    assert rows["videos/1.mp4"] == (None, None)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    ("answer", "words", "code"),
    [(b"n\n", [], 1), (b"y\n", [], 0), (b"", ["--yes"], 0), (b"", ["-y"], 0)],
)
def test_overwrite_asks_on_a_terminal(tmp_path: Path, answer: bytes, words: list[str], code: int) -> None:
    import subprocess

    folder = tmp_path / "videos"
    tiny_videos.write_clips(folder, 1)
    output = tmp_path / "m.zarr"
    run(folder, output)
    (output / "mine.txt").write_text("mine")
    master, terminal = os.openpty()
    program = [sys.executable, "-c", "from mgmtool.cli import main; main()", "extract", folder, "-o", output]
    pipes: dict[str, Any] = {"stdin": terminal, "stderr": terminal, "stdout": subprocess.PIPE}
    with subprocess.Popen([*map(str, program), *SMALL, "--overwrite", *words], **pipes) as process:
        os.close(terminal)
        os.write(master, answer)
        seen = read_terminal(master)
        assert (process.wait(60) != 0) == bool(code), seen
    os.close(master)
    assert ("remove the mask store" in seen) == bool(answer)
    assert (output / "mine.txt").exists() == bool(code)


def read_terminal(master: int) -> str:
    seen = b""
    while True:
        try:
            more = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        seen += more
    return seen.decode()


def test_overwrite_asks_nothing_where_nobody_can_answer(folder: Path, output: Path) -> None:
    run(folder, output)
    (output / "mine.txt").write_text("mine")
    assert exit_code("extract", folder, "-o", output, *SMALL, "--overwrite") == 3
    assert not (output / "mine.txt").exists()
