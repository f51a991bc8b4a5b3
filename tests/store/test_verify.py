"""Every kind of damage is found and named; a sound store has none; what is written meanwhile is left alone."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from mgmtool import engines
from mgmtool.errors import StoreError, UsageError
from mgmtool.extraction import extract, prepare
from mgmtool.files import Locks
from mgmtool.store import Finding, Store, VerifyProgress, failed_videos, rebuild_index, verify
from mgmtool.store.checksums import sealed
from mgmtool.store.index import parquet_bytes
from mgmtool.store.layout import part_name
from mgmtool.types import ExtractSpec, PatchGrid, Resume
from support import stores, tiny_videos
from support.calling import exit_code

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
PROGRAM = [sys.executable, "-c", "from mgmtool.cli import main; main()"]
RECORD = "index/part-00000.parquet"


def found(store: str | Path, deep: bool = False) -> list[Finding]:
    return list(verify(store, deep=deep))


def errors(store: str | Path, deep: bool = False) -> list[str]:
    return [f"{f.kind}: {f.file or f.id or f.part}: {f.message}" for f in found(store, deep) if f.severity == "error"]


def notes(store: str | Path) -> list[tuple[str, str | None]]:
    return [(f.kind, f.file) for f in found(store) if f.severity == "note"]


def mgmtool(*words: str | Path, code: int = 0, text: bool = True) -> Any:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        assert exit_code(*words) == code, err.buffer.getvalue()
    written: bytes = out.buffer.getvalue()
    return written.decode() if text else written


@pytest.fixture(scope="module")
def sound(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which some videos were done again; nobody changes it."""
    store = tmp_path_factory.mktemp("sound") / "m.zarr"
    list(extract([str(mixed)], store, SPEC, "inline"))
    list(extract([str(mixed)], store, SPEC, "inline", resume=Resume(retry_failed=True)))
    return store


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "m.zarr"))


@pytest.fixture
def remote(sound: Path) -> Iterator[str]:
    url = "memory://verify/m.zarr"
    fsspec.filesystem("memory").put(f"{sound}/", url, recursive=True)
    yield url
    fsspec.filesystem("memory").rm("/verify", recursive=True)


def edit_record(store: Path, change: Callable[[pa.Table], pa.Table], number: int = 0) -> None:
    """Change a record and seal it anew, so that what it says is found by the rules alone."""
    path = store / "index" / f"{part_name(number)}.parquet"
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)
    path.write_bytes(sealed(path.read_bytes()))


def put(table: pa.Table, row: int, **values: Any) -> pa.Table:
    rows = table.to_pylist()
    rows[row].update(values)
    return pa.Table.from_pylist(rows, schema=table.schema)


def forget_checksums(store: Path) -> None:
    """Make the records those of an early store, so that changed arrays are found by what they hold alone."""
    for path in (store / "index").glob("*.parquet"):
        pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    edit_json(store / "zarr.json", lambda root: root["attributes"].pop("records"))


def edit_array(store: Path, name: str, rows: Any, value: Any) -> None:
    zarr.open_group(str(store / "part-00000"), mode="r+")[name][rows] = value


@pytest.mark.parametrize("deep", [False, True])
def test_a_sound_store_has_nothing_to_say(sound: Path, deep: bool) -> None:
    progress, seen = VerifyProgress(), []
    before = stores.array_files(sound).keys() | set(stores.visible(sound))
    assert list(verify(sound, deep=deep, progress=progress, on_part=lambda t: seen.append((t.parts, t.of_parts)))) == []
    assert stores.array_files(sound).keys() | set(stores.visible(sound)) == before
    assert seen == [(n, 6) for n in range(1, 7)]
    assert (progress.videos, progress.frames) == (7, 12 + 13 + 14 + 15)
    files = sum(path.is_file() for path in sound.glob("part-*/**/*"))
    assert progress.files == files + 6
    size = sum(path.stat().st_size for path in sound.glob("part-*/**/*") if path.is_file())
    assert progress.bytes == (size if deep else 0)


@pytest.mark.parametrize("deep", [False, True])
def test_a_remote_store_is_checked_by_the_same_rules(remote: str, deep: bool) -> None:
    assert found(remote, deep) == []
    memory = fsspec.filesystem("memory")
    name = f"{remote}/part-00000/pts/c/0"
    content = memory.cat_file(name)
    memory.pipe_file(name, content[:-1])
    assert [(f.kind, f.part, f.file) for f in found(remote)] == [("file", 0, "part-00000/pts/c/0")]
    memory.pipe_file(name, content)
    memory.rm(f"{remote}/index/part-00001.parquet")
    assert [(f.kind, f.severity, f.file) for f in found(remote)] == [("missing", "error", "part-00001")]


def test_every_damaged_byte_is_found_by_its_checksum(store: Path) -> None:
    files = sorted(path for path in (store / "part-00000").rglob("*") if path.is_file())
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        name = path.relative_to(store).as_posix()
        assert ("checksum", name) in {(f.kind, f.file) for f in found(store, deep=True)}
        path.write_bytes(content)
    assert found(store, deep=True) == []


def test_files_missing_short_and_too_many(store: Path) -> None:
    (store / "part-00000/box/c/0/0").unlink()
    (store / "part-00001/flags/c/0").write_bytes(b"short")
    (store / "part-00002/notes.txt").write_bytes(b"mine")
    size = pq.read_schema(store / "index/part-00000.parquet").metadata[b"mgmtool.files"]
    wanted = json.loads(size)["box/c/0/0"][0]
    lines = errors(store)
    assert lines[0] == f"file: part-00000/box/c/0/0: the file is missing; expected {wanted} bytes"
    assert lines[1].startswith("file: part-00001/flags/c/0: the file has 5 bytes; expected ")
    assert lines[2] == "file: part-00002/notes.txt: a file of 4 bytes that the record does not list; expected none"
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("row", "values", "words"),
    [
        (0, {"part": 7}, "the column part is 7; expected 0, as the file is named"),
        (1, {"row_start": 13}, "rows are 13:25; expected them to start at 12, where the row before ends"),
        (0, {"num_frames": 11}, "num_frames is 11 for 12 rows; expected the same number, 1 or more"),
        (0, {"num_frames": None}, "num_frames is None for 12 rows; expected the same number, 1 or more"),
        (0, {"status": "fine"}, "status is 'fine'; expected 'done' or 'failed'"),
        (0, {"failure": "open"}, "failure is 'open' for a video that is done; expected null"),
        (0, {"height": 0}, f"displayed size is 0x{tiny_videos.WIDTH}; expected 1x1 or more"),
        (1, {"status": "failed", "failure": "open"}, "a failed video has 13 rows; expected none"),
        (1, {"status": "failed", "failure": "odd"}, "failure is 'odd'; expected one of: open, "),
        (1, {"id": "0.mp4"}, "the id has two rows in this part; expected one"),
        (0, {"supersedes": 3}, "supersedes is 3, but no part before has a row for this id; expected null"),
    ],
)
def test_rows_that_contradict_themselves(store: Path, row: int, values: dict[str, Any], words: str) -> None:
    edit_record(store, lambda table: put(table, row, **values))
    assert any(words in line for line in errors(store)), errors(store)


def test_ids_that_count_twice_or_supersede_the_wrong_row(store: Path) -> None:
    edit_record(store, lambda table: put(table, 0, supersedes=None), 4)
    edit_record(store, lambda table: put(table, 1, supersedes=0), 4)
    lines = errors(store)
    assert any("part 2 has a row for this id, too, which is not superseded" in line for line in lines)
    assert any("supersedes is 0, but the row that counted until here is in part 2" in line for line in lines)


def test_records_that_cannot_be_used(store: Path) -> None:
    (store / RECORD).write_bytes(b"PAR1 not")
    edit_record(store, lambda table: table.drop_columns(["row_stop"]), 1)
    edit_record(store, lambda table: table.set_column(5, "part", table["part"].cast(pa.int64())), 2)
    lines = errors(store)
    assert lines[0].startswith(f"record: {RECORD}: the commit record cannot be read: ")
    assert lines[1].endswith("the record has no column row_stop; expected int64")
    assert lines[2].endswith("column part is of type int64; expected int32")
    assert ("index", "index.parquet") in notes(store)


def test_early_stores_are_sound(store: Path) -> None:
    later = ["fingerprint", "label", "extra", "supersedes"]
    for number in (4, 5):
        (store / "index" / f"part-0000{number}.parquet").unlink()
        shutil.rmtree(store / f"part-0000{number}")
    for path in (store / "index").glob("*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(later).replace_schema_metadata(None), path)
    edit_json(store / "zarr.json", lambda root: root["attributes"].pop("records"))
    (store / "index.parquet").unlink()
    shutil.rmtree(store / "runs")
    rebuild_index(store)
    assert errors(store, deep=True) == []
    assert notes(store) == [("unchecked", None)] * 4


def test_columns_of_later_versions_are_a_note(store: Path) -> None:
    edit_record(store, lambda table: table.append_column("mood", pa.array(["good"] * table.num_rows)))
    assert notes(store) == [("record", RECORD)]
    assert errors(store) == []


def edit_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("mask", {"shape": [26, 4, 6]}, "shape is (26, 4, 6); expected (25, 4, 6)"),
        ("pts", {"data_type": "uint64"}, "dtype is uint64; expected int64"),
        (
            "box",
            {"dimension_names": ["frame", "corner"]},
            "dimension_names is ('frame', 'corner'); expected ('frame', 'y0",
        ),
        ("flags", {"zarr_format": 7}, "the array cannot be opened: "),
    ],
)
def test_arrays_of_another_form(store: Path, name: str, change: dict[str, Any], words: str) -> None:
    forget_checksums(store)
    edit_json(store / f"part-00000/{name}/zarr.json", lambda content: content.update(change))
    assert [line for line in errors(store) if words in line], errors(store)


def test_missing_arrays(store: Path) -> None:
    forget_checksums(store)
    shutil.rmtree(store / "part-00000/offset")
    shutil.rmtree(store / "part-00001/energy")
    assert errors(store) == [
        "array: part-00000/offset: the array is missing; expected one, as docs/store.md says",
        "array: part-00001/energy: the array is missing; expected one, as docs/store.md says",
    ]


def test_offsets_are_those_of_the_rows(store: Path) -> None:
    forget_checksums(store)
    edit_array(store, "offset", 1, 11)
    assert errors(store) == ["array: part-00000/offset: offset[1] is 11; expected 12, where the rows of the index end"]


@pytest.mark.parametrize(
    ("name", "rows", "value", "words"),
    [
        ("flags", 14, 64, "flags are 64; expected bits of 63 only"),
        ("energy_scale", 14, -1.0, "energy_scale is -1.0; expected 0 or more, finite"),
        ("energy_scale", 14, np.nan, "energy_scale is nan; expected 0 or more, finite"),
        ("box", 14, [0, 0, 1000, 1], "box is [0, 0, 1000, 1]; expected one inside "),
        ("box", 14, [5, 5, 5, 9], "box is [5, 5, 5, 9]; expected one inside "),
        ("box", 14, [-1, 0, 5, 9], "box is [-1, 0, 5, 9]; expected one inside "),
        ("mask", 14, True, "24 patches are masked; expected 18"),
    ],
)
def test_frames_that_break_a_rule(store: Path, name: str, rows: int, value: Any, words: str) -> None:
    forget_checksums(store)
    edit_array(store, name, rows, value)
    edit_array(store, name, rows + 1, value)
    assert errors(store) == []
    (line,) = errors(store, deep=True)
    assert line.startswith(f"frame: 1.mp4: frame 2: {words}"), line


def test_patches_of_the_box_are_hidden(store: Path) -> None:
    forget_checksums(store)
    group: Any = zarr.open_group(str(store / "part-00000"), mode="r+")
    mask = group["mask"][3]
    y0, x0 = group["box"][3][:2]
    row, col = round(y0 * 4 / tiny_videos.HEIGHT), round(x0 * 6 / tiny_videos.WIDTH)
    assert mask[row, col]
    other = np.argwhere(~mask)[0]
    mask[row, col], mask[tuple(other)] = False, True
    group["mask"][3] = mask
    (line,) = errors(store, deep=True)
    assert line.startswith("frame: 0.mp4: frame 3: the patches in its box are not all masked; expected otherwise")


@pytest.mark.parametrize("scheme", ["motion-guided", "centre-box", "tube", "random-frame", "weighted-motion"])
@pytest.mark.parametrize(("grid", "ratio"), [("14x14", 0.75), ("5x7", 0.1), ("60x70", 0.9), ("3x3", 0.0), ("3x3", 1.0)])
def test_the_rules_hold_for_real_schemes(mixed: Path, tmp_path: Path, scheme: str, grid: str, ratio: float) -> None:
    spec = replace(SPEC, scheme=scheme, grid=PatchGrid.parse(grid), ratio=ratio)
    list(extract([str(mixed / "0.mp4"), str(mixed / "1.mp4")], tmp_path / "m.zarr", spec, "inline"))
    assert found(tmp_path / "m.zarr", deep=True) == []


def test_attributes(store: Path) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["attributes"]["mask_true_means"] = "visible"
        content["attributes"]["spec"]["grid"] = "4"
        del content["attributes"]["units"]

    edit_json(store / "zarr.json", spoil)
    lines = errors(store)
    assert lines[0] == "attributes: zarr.json: attribute mask_true_means is 'visible'; expected 'masked'"
    assert lines[1] == "attributes: zarr.json: there is no attribute units; expected one"
    assert lines[2].startswith("attributes: zarr.json: attribute spec cannot be used: ValueError: ")
    assert len(lines) == 3


def test_litter_is_a_note(store: Path) -> None:
    (store / "index/.part-00009.parquet.1").write_bytes(b"half")
    (store / ".writing/part-00008.elsewhere.1").mkdir(parents=True)
    (store / "note.partial").write_bytes(b"half")
    (store / "README").write_bytes(b"mine")
    (store / ".writing/part-00009").mkdir()
    assert notes(store) == [
        ("litter", ".writing/part-00008.elsewhere.1"),
        ("open", ".writing/part-00009"),
        ("litter", "note.partial"),
        ("litter", "index/.part-00009.parquet.1"),
    ]
    assert errors(store, deep=True) == []


def test_what_somebody_is_writing_is_no_litter(store: Path) -> None:
    (store / "index/part-00005.parquet").unlink()
    shutil.rmtree(store / "runs")
    (store / "index/.part-00005.parquet.1").write_bytes(b"half")
    (store / ".writing/part-00008.elsewhere.1").mkdir(parents=True)
    rebuild_index(store)
    locks = Locks(store / ".lock")
    assert locks.take(5)
    assert locks.take(8)
    assert found(store, deep=True) == []
    locks.close()
    assert len(found(store)) == 3


def test_a_store_that_grows_meanwhile_gives_no_error(mixed: Path, tmp_path: Path) -> None:
    store = tmp_path / "m.zarr"
    outcomes = prepare([str(mixed)], store, SPEC, engines.build("inline")).outcomes()
    seen = []
    for _ in outcomes:
        seen += found(store, deep=True)
    assert {(f.severity, f.kind) for f in seen} == {("note", "index")}
    checking = verify(store, deep=True, on_part=lambda _: list_more(mixed, store))
    assert [f for f in checking if f.severity == "error"] == []


def list_more(mixed: Path, store: Path) -> None:
    list(extract([str(mixed)], store, SPEC, "inline", resume=Resume(retry_failed=True)))


def test_a_stale_index_is_a_note(store: Path) -> None:
    index = store / "index.parquet"
    remedy = f"stale; mgmtool index {store} rebuilds it"
    for change in (index.unlink, lambda: shutil.copy(store / RECORD, index)):
        change()
        (finding,) = found(store)
        assert (finding.kind, finding.severity) == ("index", "note")
        assert finding.message.endswith(remedy)
    assert rebuild_index(store) == (7, 6)
    assert found(store) == []


def test_a_damaged_index_is_an_error(store: Path) -> None:
    index = store / "index.parquet"
    content = index.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for bad, words in ((b"no", "absent"), (flipped, "broken"), (content[:-1], "broken")):
        index.write_bytes(bad)
        (finding,) = found(store)
        assert (finding.kind, finding.severity, finding.file) == ("index", "error", "index.parquet")
        assert finding.message == f"the seal is {words}: not what was written; mgmtool index {store} rebuilds it"
    table = put(pq.read_table(pa.BufferReader(content)), 0, fps=1.0)
    index.write_bytes(parquet_bytes([table], table.schema))
    (line,) = errors(store)
    assert line.startswith("index: index.parquet: rows of 1 parts, the first of them 0, are not those of the records; ")
    assert rebuild_index(store) == (7, 6)
    assert found(store) == []


def test_places_that_are_no_store(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone", "memory://nowhere/x.zarr"):
        with pytest.raises(StoreError, match="mask store"):
            found(path)
        with pytest.raises(StoreError, match="mask store"):
            rebuild_index(path)


def test_rebuild_index_of_a_remote_store(remote: str, sound: Path) -> None:
    fsspec.filesystem("memory").rm(f"{remote}/index.parquet")
    assert rebuild_index(remote) == (7, 6)
    content = fsspec.filesystem("memory").cat_file(f"{remote}/index.parquet")
    assert pq.read_table(pa.BufferReader(content)).equals(pq.read_table(sound / "index.parquet"))


def test_cli_verify(store: Path, tmp_path: Path) -> None:
    out = mgmtool("verify", store, "--deep")
    size = sum(path.stat().st_size for path in store.glob("part-*/**/*") if path.is_file())
    assert out.startswith(f"{store}: 6 parts, 7 videos, 54 frames, ")
    assert f" {size} bytes read; 0 errors, 0 notes; " in out
    assert mgmtool("verify", store, "-q") == ""
    (store / "part-00000/box/c/0/0").unlink()
    (store / "index.parquet").unlink()
    lines = mgmtool("verify", store, code=3).splitlines()
    assert lines[0].startswith("error: part-00000/box/c/0/0: the file is missing; expected ")
    assert lines[1].startswith("note: index.parquet: there is no index.parquet: stale; mgmtool index ")
    assert len(lines) == 3
    assert len(mgmtool("verify", store, "-q", code=3).splitlines()) == 1
    events = [json.loads(line) for line in mgmtool("verify", store, "--json", code=3).splitlines()]
    assert [event["event"] for event in events] == ["finding", "finding", "summary"]
    assert events[0].keys() == {"event", "kind", "severity", "message", "part", "file", "id"}
    assert (events[2]["errors"], events[2]["notes"], events[2]["parts"], events[2]["bytes"]) == (1, 1, 6, 0)
    mgmtool("verify", tmp_path / "gone", code=1)


def test_cli_verify_names_a_frame_in_one_harmless_line(store: Path) -> None:
    edit_record(store, lambda table: put(table, 0, id="a\x1b[31m\n.mp4"))
    forget_checksums(store)
    edit_array(store, "flags", 3, 64)
    lines = mgmtool("verify", store, "--deep", "-q", code=3).splitlines()
    assert r"error: part 0 'a\x1b[31m\n.mp4': frame 3: flags are 64; expected bits of 63 only" in lines


def test_cli_index(store: Path, sound: Path) -> None:
    (store / "index.parquet").unlink()
    before = stores.array_files(store)
    assert mgmtool("index", store) == f"{store}: 7 rows of 6 parts\n"
    assert stores.array_files(store) == before
    assert pq.read_table(store / "index.parquet").equals(pq.read_table(sound / "index.parquet"))
    mgmtool("index", store / "index", code=1)


def test_cli_failures(sound: Path, mixed: Path) -> None:
    lines = mgmtool("failures", sound).splitlines()
    assert len(lines) == 4
    classes = list(tiny_videos.NOT_VIDEOS.values())
    assert lines[-1].startswith(f"{sound}: 3 failed (2 open, 1 no_video_stream)")
    assert sorted(line.split()[0] for line in lines[:-1]) == sorted(classes)
    paths = mgmtool("failures", sound, "--paths-only", "--failure", "open").splitlines()
    assert paths == [str(mixed / "empty.mp4"), str(mixed / "text.mp4")]
    nul = mgmtool("failures", sound, "--paths-only", "-0", text=False)
    assert nul == b"".join(os.fsencode(mixed / f"{name}") + b"\0" for name in ("empty.mp4", "text.mp4", "audio.mp4"))
    events = [json.loads(line) for line in mgmtool("failures", sound, "--json").splitlines()]
    assert events[0].keys() == {"event", "failure", "id", "path", "message", "part", "retried"}
    assert events[-1] == {
        "event": "summary",
        "store": str(sound),
        "failed": 3,
        "failures": {"open": 2, "no_video_stream": 1},
        "retried": 0,
    }
    assert mgmtool("failures", sound, "--failure", "timeout") == f"{sound}: 0 failed\n"


@pytest.mark.parametrize(
    "words", [("--failure", "opne"), ("-0",), ("--paths-only", "--json"), ("--paths-only", "--failure", "")]
)
def test_cli_failures_wrong_usage(sound: Path, words: tuple[str, ...]) -> None:
    mgmtool("failures", sound, *words, code=2)


def test_unknown_failure_class_names_the_nearest_and_all(sound: Path) -> None:
    from mgmtool.cli.commands.failures import Listing

    listing = Listing(store=sound, classes=("opne",), paths_only=False, nul=False, as_json=False)
    with pytest.raises(
        UsageError, match=r"unknown failure class 'opne' \(did you mean 'open'\?\); expected one of: open, "
    ):
        listing.check()


def test_failures_that_no_longer_count_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    tiny_videos.write_mixed(folder)
    list(extract([str(folder)], tmp_path / "m.zarr", SPEC, "inline"))
    (folder / "empty.mp4").write_bytes(tiny_videos.clip())
    list(extract([str(folder)], tmp_path / "m.zarr", SPEC, "inline", resume=Resume(retry_failed=True)))
    assert [video.id for video in failed_videos(Store.open(tmp_path / "m.zarr"))] == ["text.mp4", "audio.mp4"]
    assert found(tmp_path / "m.zarr", deep=True) == []


@pytest.mark.parametrize(
    "values",
    [
        {"fps": 24.0},
        {"rotation": 90},
        {"path": "/elsewhere/0.mp4"},
        {"codec": "vp9"},
        {"mirrored": True},
        {"mtime_ns": 1},
    ],
)
def test_an_edited_row_breaks_the_seal(store: Path, values: dict[str, Any]) -> None:
    path = store / RECORD
    pq.write_table(put(pq.read_table(path), 0, **values), path)
    assert errors(store)[0].startswith(f"record: {RECORD}: the seal is broken: ")
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    assert errors(store)[0].startswith(f"record: {RECORD}: the record has no seal: ")


def test_swapped_ids_break_the_seal(store: Path) -> None:
    path = store / RECORD
    table = pq.read_table(path)
    names = table["id"].to_pylist()
    table = put(put(table, 0, id=names[1]), 1, id=names[0])
    pq.write_table(table, path)
    assert errors(store)[0].startswith(f"record: {RECORD}: the seal is broken: ")


def test_every_flipped_bit_of_a_record_and_of_the_index_is_found(store: Path) -> None:
    for name in (RECORD, "index.parquet"):
        path = store / name
        content = path.read_bytes()
        for at in {0, len(content) - 1, *range(7, len(content), 997), content.rindex(b"mgmtool.seal") + 3}:
            path.write_bytes(content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :])
            assert [f for f in found(store) if f.severity == "error" and f.file == name], at
        path.write_bytes(content)
    assert found(store) == []


@pytest.mark.parametrize(
    ("path", "value", "was"),
    [
        ("spec.seed", 5, 0),
        ("spec.ratio", 0.5, 0.75),
        ("input_root", "/other", None),
        ("versions.numpy", "0", None),
        ("units.box", "", None),
    ],
)
def test_an_edited_root_differs_from_the_records(store: Path, path: str, value: Any, was: Any) -> None:
    def edit(root: dict[str, Any]) -> None:
        *above, name = path.split(".")
        target = root["attributes"]
        for key in above:
            target = target[key]
        target[name] = value

    edit_json(store / "zarr.json", edit)
    lines = [line for line in errors(store) if line.startswith("attributes: ")]
    assert len(lines) == 1
    assert lines[0].startswith(f"attributes: zarr.json: attribute {path} is {value!r}; the record of part 0 says ")
    assert was is None or lines[0].endswith(f" {was!r}")


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"node_type": "group", "attributes": {}}'])
def test_a_lost_root_is_damage_where_records_say_what_it_was(store: Path, content: bytes | None) -> None:
    (store / "zarr.json").unlink()
    if content is not None:
        (store / "zarr.json").write_bytes(content)
    lines = errors(store)
    assert lines[0].startswith("attributes: zarr.json: the root is lost or damaged: ")
    mgmtool("verify", store, code=3)


def test_a_lost_record_is_an_error_unless_a_run_is_going_on(store: Path) -> None:
    for number in range(6):
        record = store / f"index/part-0000{number}.parquet"
        content = record.read_bytes()
        record.unlink()
        assert [(f.kind, f.part) for f in found(store) if f.severity == "error"] == [("missing", number)]
        record.write_bytes(content)
    (store / "index/part-00005.parquet").unlink()
    locks = Locks(store / ".lock")
    assert locks.take((1 << 40) + 1)
    assert errors(store) == []
    locks.close()


@pytest.mark.parametrize("number", [0, 3, 5])
def test_a_part_that_is_gone_is_an_error(store: Path, number: int) -> None:
    def missing() -> list[tuple[int | None, str]]:
        return [(f.part, f.message) for f in found(store) if f.severity == "error" and f.kind == "missing"]

    (store / f"index/part-0000{number}.parquet").unlink()
    shutil.rmtree(store / f"part-0000{number}")
    assert [part for part, _ in missing()] == [number]
    (store / "index.parquet").unlink()
    (finding,) = missing()
    if number == 5:  # the last one leaves no gap
        assert finding == (
            None,
            "the runs in runs/ committed 6 parts, 1 of which are gone without a trace; expected all",
        )
    else:
        assert finding[0] == number
    shutil.rmtree(store / "runs")
    assert len(missing()) == (number != 5)
