"""The store on disk: what is written, what is read back, and what a broken run leaves behind."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorstore as ts
import zarr

from mgmtool import files
from mgmtool.cli import main
from mgmtool.errors import SpecMismatchError, StoreBusyError, StoreError, StoreWriteError, UnknownVideoError
from mgmtool.storage import folder as folders
from mgmtool.storage import place, storable
from mgmtool.storage.folder import Folder
from mgmtool.store import Store, StoreWriter, layout, part
from mgmtool.store.layout import RUNS, TOP
from mgmtool.store.records import committed_numbers
from mgmtool.store.root import read_root
from mgmtool.store.writer import Committed
from mgmtool.types import DecodeOptions, ExtractSpec, KnownVideo, PatchGrid, Shard
from support import stores
from support.stores import SPEC, open_writer, write_part

needs_locks = pytest.mark.skipif(
    not hasattr(files.fcntl, "F_OFD_SETLK"), reason="without locks of open files, one process never excludes itself"
)
MIXED = {"a.mp4": 5, "b.mp4": None, "sub/c.mp4": 1, "d.mkv": 130, "e.mp4": None}
FRAME_ARRAYS = {
    "mask": ("bool", (3, 4), ("frame", "patch_row", "patch_col")),
    "energy": ("uint8", (2, 5), ("frame", "energy_row", "energy_col")),
    "energy_scale": ("float32", (), ("frame",)),
    "box": ("int16", (4,), ("frame", "y0_x0_y1_x1")),
    "pts": ("int64", (), ("frame",)),
    "flags": ("uint8", (), ("frame",)),
}


def fail_with(error: OSError) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise error

    return refuse


def no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def group_of(store: Path, number: int = 0) -> Any:
    return zarr.open_group(str(store / layout.part_name(number)), mode="r", zarr_format=3)


def dead_process() -> int:
    """Id of a process that is gone."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def edit_attributes(store: Path, **changes: Any) -> None:
    path = store / "zarr.json"
    content = json.loads(path.read_text())
    content["attributes"] |= changes
    path.write_text(json.dumps(content))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A store of two parts with failures in between."""
    store = tmp_path / "m.zarr"
    opened = open_writer(store)
    write_part(opened, 0, MIXED)
    write_part(opened, 1, {"z.mp4": 7})
    opened.finish()
    return store


def test_volumes_come_back_as_they_were(tmp_path: Path) -> None:
    opened = open_writer(tmp_path / "m.zarr")
    volumes = write_part(opened, 0, MIXED) | write_part(opened, 1, {"z.mp4": 7})
    opened.finish()
    store = Store.open(tmp_path / "m.zarr")
    assert list(volumes) == ["a.mp4", "sub/c.mp4", "d.mkv", "z.mp4"]
    for video_id, volume in volumes.items():
        stores.assert_volumes_equal(store.volume(video_id), volume)


def test_volume_may_come_in_pieces(tmp_path: Path) -> None:
    volume = stores.make_volume(9)
    with open_writer(tmp_path / "m.zarr").part(0) as part:
        for rows in (slice(0, 1), slice(1, 1), slice(1, 9)):
            part.append(type(volume)(**{name: values[rows] for name, values in volume.arrays().items()}))
        part.end_video(stores.done("a.mp4", 9))
        part.commit()
    stores.assert_volumes_equal(Store.open(tmp_path / "m.zarr").volume("a.mp4"), volume)


def test_store_without_energy_has_none(tmp_path: Path) -> None:
    volumes = write_part(open_writer(tmp_path / "m.zarr", energy=False), 0, {"a.mp4": 3})
    stores.assert_volumes_equal(Store.open(tmp_path / "m.zarr").volume("a.mp4"), volumes["a.mp4"])
    assert set(group_of(tmp_path / "m.zarr")) == {"mask", "box", "pts", "flags", "offset"}


def test_part_of_failures_only(tmp_path: Path) -> None:
    opened = open_writer(tmp_path / "m.zarr")
    write_part(opened, 0, {"a.mp4": None, "b.mp4": None})
    group = group_of(tmp_path / "m.zarr")
    assert {name: group[name].shape[0] for name in FRAME_ARRAYS} == dict.fromkeys(FRAME_ARRAYS, 0)
    assert group["offset"][:].tolist() == [0]
    assert Store.open(tmp_path / "m.zarr").index["status"].to_pylist() == ["failed", "failed"]


def test_row_count_that_contradicts_the_outcome_is_refused(tmp_path: Path) -> None:
    with open_writer(tmp_path / "m.zarr").part(0) as part:
        part.append(stores.make_volume(4))
        with pytest.raises(StoreError, match=r"a\.mp4: 4 rows of masks for 5 frames"):
            part.end_video(stores.done("a.mp4", 5))


@pytest.mark.parametrize("name", FRAME_ARRAYS)
def test_arrays_are_as_documented(mixed: Path, name: str) -> None:
    dtype, row, axes = FRAME_ARRAYS[name]
    array = group_of(mixed)[name]
    assert array.dtype == np.dtype(dtype)
    assert array.shape == (136, *row)
    assert array.chunks == (1024, *row)
    assert array.shards == (80 * 1024, *row)
    assert array.metadata.dimension_names == axes
    assert array.fill_value == 0


def test_offsets_give_the_rows_of_the_videos_that_are_done(mixed: Path) -> None:
    offset = group_of(mixed)["offset"]
    assert offset.dtype == np.int64
    assert offset[:].tolist() == [0, 5, 6, 136]
    assert offset.metadata.dimension_names == ("video",)
    rows = [row for row in Store.open(mixed).index.to_pylist() if row["part"] == 0]
    assert [(row["row_start"], row["row_stop"]) for row in rows] == [(0, 5), (5, 5), (5, 6), (6, 136), (136, 136)]


def test_attributes_explain_the_store(mixed: Path) -> None:
    attributes = Store.open(mixed).attributes
    assert attributes["format"] == "mgmtool"
    assert attributes["version"] == 1
    assert attributes["mask_true_means"] == "masked"
    assert attributes["input_root"] == stores.ROOT
    assert attributes["versions"].keys() == {"mgmtool", "numpy", "pyav"}
    assert attributes["axes"]["mask"] == ["frame", "patch_row", "patch_col"]
    assert attributes["units"].keys() >= {"box", "energy", "pts", "flags", "offset"}
    assert Store.open(mixed).spec == SPEC


def test_flag_bits_are_documented_as_they_are() -> None:
    from mgmtool.types import FrameFlag

    expected = ", ".join(f"{flag.value} {str(flag.name).lower().replace('_', ' ')}" for flag in FrameFlag)
    assert layout.ATTRIBUTES["units"]["flags"] == f"bits: {expected}"


def test_spec_survives_json() -> None:
    spec = ExtractSpec(
        "tube", {"a": 1.5}, "codec", {"cell": None}, PatchGrid(2, 3), 0.9, 7, False, PatchGrid(4, 5), 6, 8
    )
    assert ExtractSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize("name", ["mask", "energy", "energy_scale", "box", "pts", "flags"])
def test_tensorstore_reads_the_same(mixed: Path, name: str) -> None:
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{mixed}/part-00000/{name}"}}
    array = ts.open(spec, open=True, read=True).result()
    ours = getattr(Store.open(mixed).volume("d.mkv"), name)
    np.testing.assert_array_equal(array[6:136].read().result(), ours, strict=True)
    assert array.domain.labels == FRAME_ARRAYS[name][2]


def test_plain_zarr_reads_the_same(mixed: Path) -> None:
    group: Any = zarr.open_group(str(mixed), mode="r")
    for name, values in Store.open(mixed).volume("d.mkv").arrays().items():
        np.testing.assert_array_equal(group["part-00000"][name][6:136], values, strict=True)


def test_metadata_is_not_consolidated_and_holds_no_strings(mixed: Path) -> None:
    for path in mixed.rglob("zarr.json"):
        content = json.loads(path.read_text())
        assert not content.get("consolidated_metadata")
        assert content.get("data_type", "") not in {"string", "fixed_length_utf32"}


def test_index_columns_and_types(mixed: Path) -> None:
    expected = {
        **dict.fromkeys(["id", "path", "status", "failure", "message", "codec", "container"], pa.string()),
        **dict.fromkeys(["source", "source_reason", "fingerprint", "label", "extra"], pa.string()),
        **dict.fromkeys(["row_start", "row_stop", "num_frames", "time_base_num", "time_base_den"], pa.int64()),
        **dict.fromkeys(["pixel_aspect_num", "pixel_aspect_den"], pa.int64()),
        **dict.fromkeys(["corrupt_frames", "lost_packets", "size_bytes", "mtime_ns"], pa.int64()),
        **dict.fromkeys(["part", "height", "width", "supersedes"], pa.int32()),
        **dict.fromkeys(["fps", "seconds"], pa.float64()),
        "rotation": pa.int16(),
        "mirrored": pa.bool_(),
        "vector_share": pa.float32(),
        "index_risk": pa.list_(pa.string()),
    }
    for path in (mixed / "index.parquet", mixed / "index" / "part-00000.parquet"):
        schema = pq.read_schema(path)
        assert dict(zip(schema.names, schema.types, strict=True)) == expected
        assert not {
            schema.field(name).nullable for name in ("id", "path", "status", "part", "row_start", "row_stop")
        } - {False}


def test_index_row_of_a_video_that_is_done(mixed: Path) -> None:
    row = Store.open(mixed).videos.row("d.mkv")
    where = {"id": "d.mkv", "path": "/videos/d.mkv", "part": 0, "row_start": 6, "row_stop": 136, "num_frames": 130}
    ending = {
        "status": "done",
        "failure": None,
        "message": None,
        "source": "codec",
        "source_reason": "asked for",
        "seconds": 0.5,
        "vector_share": 0.5,
    }
    picture = {"height": 480, "width": 270, "rotation": 90, "mirrored": False, "codec": "h264", "container": "mov,mp4"}
    picture |= {"pixel_aspect_num": 1, "pixel_aspect_den": 1}
    time = {"time_base_num": 1, "time_base_den": 15360, "fps": pytest.approx(30000 / 1001)}
    damage = {"corrupt_frames": 1, "lost_packets": 2, "index_risk": ["edit_list", "header_count"]}
    absent = dict.fromkeys(["fingerprint", "label", "extra", "supersedes"])
    assert row == {**where, **ending, **picture, **time, **damage, **absent, "size_bytes": 1000, "mtime_ns": 10**18}


def test_index_row_of_a_video_that_failed(mixed: Path) -> None:
    row = Store.open(mixed).videos.row("b.mp4")
    known = {
        "id",
        "path",
        "status",
        "failure",
        "message",
        "part",
        "row_start",
        "row_stop",
        "size_bytes",
        "mtime_ns",
        "seconds",
    }
    assert row["status"] == "failed"
    assert (row["failure"], row["message"]) == ("open", "cannot be opened")
    assert {name for name, value in row.items() if value is not None} == known


def test_full_index_is_all_commit_records(mixed: Path) -> None:
    table = pq.read_table(mixed / "index.parquet")
    assert table["id"].to_pylist() == [*MIXED, "z.mp4"]
    assert table.equals(Store.open(mixed).index)


def test_failed_video_has_no_volume(mixed: Path) -> None:
    with pytest.raises(StoreError, match=r"'b\.mp4' failed \(open\): cannot be opened"):
        Store.open(mixed).volume("b.mp4")


def test_unknown_id_is_named(mixed: Path) -> None:
    with pytest.raises(
        StoreError,
        match=r"no video 'nope\.mp4'; expected one of its 4 ids, such as 'a\.mp4', a file name, or a path below /videos",
    ):
        Store.open(mixed).volume("nope.mp4")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sub/c.mp4", "sub/c.mp4"),
        ("/videos/sub/c.mp4", "sub/c.mp4"),
        ("c.mp4", "sub/c.mp4"),
        ("elsewhere/sub/c.mp4", "sub/c.mp4"),
        ("/elsewhere/c.mp4", "sub/c.mp4"),
        ("d.mkv", "d.mkv"),
    ],
)
def test_lookup_by_id_path_or_name(mixed: Path, name: str, expected: str) -> None:
    assert Store.open(mixed).lookup(name) == expected


@pytest.mark.parametrize("name", ["b/1.mp4", "/videos/b/1.mp4", "/videos/1.mp4", "memory://videos/b/1.mp4"])
def test_no_video_stands_in_for_one_of_the_same_file_name(tmp_path: Path, name: str) -> None:
    root = "memory://videos" if "://" in name else stores.ROOT
    write_part(open_writer(tmp_path / "m.zarr", input_root=root), 0, {"a/1.mp4": 1})
    store = Store.open(tmp_path / "m.zarr")
    for ask in (store.lookup, store.volume, store.videos.find, store.videos.row):
        with pytest.raises(
            UnknownVideoError, match=r"no video '.*1\.mp4'.*expected one of its 1 ids, such as 'a/1\.mp4'"
        ):
            ask(name)


@pytest.mark.parametrize(
    "words", [["info", "m.zarr", "b/1.mp4"], ["visualize", "b/1.mp4", "--store", "m.zarr", "-o", "x.png"]]
)
def test_commands_refuse_another_video_of_the_same_file_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_part(open_writer(tmp_path / "m.zarr"), 0, {"a/1.mp4": 1})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.mp4").write_bytes(b"another video")
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 1
    assert "m.zarr has no video 'b/1.mp4'" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


def test_paths_and_urls_are_found_as_they_were_extracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, root, names in (
        ("here.zarr", str(tmp_path), ["x/a.mp4", "./x/a.mp4", f"{tmp_path}/x/a.mp4"]),
        (
            "there.zarr",
            "https://host/v",
            ["x/a.mp4", "https://host/v/x/a.mp4", "https://me:secret@host/v/x/a.mp4?key=1"],
        ),
    ):
        write_part(open_writer(tmp_path / name, input_root=root), 0, {"x/a.mp4": 1, "y/a.mp4": None})
        store = Store.open(tmp_path / name)
        assert [store.lookup(each) for each in names] == ["x/a.mp4"] * 3
    monkeypatch.chdir(tmp_path.parent)
    assert Store.open(tmp_path / "here.zarr").lookup(f"{tmp_path.name}/x/a.mp4") == "x/a.mp4"
    with pytest.raises(
        UnknownVideoError, match=r"no video 'https://host/v/z\.mp4' \(did|no video 'https://host/v/z\.mp4';"
    ):
        store.lookup("https://me:secret@host/v/z.mp4?key=1")


def test_lookup_that_fits_several_videos_says_so(tmp_path: Path) -> None:
    write_part(open_writer(tmp_path / "m.zarr"), 0, {"x/a.mp4": 1, "y/a.mp4": 1})
    store = Store.open(tmp_path / "m.zarr")
    with pytest.raises(StoreError, match=r"several videos named 'a\.mp4'; give an id instead of 'a\.mp4'"):
        store.lookup("a.mp4")
    with pytest.raises(StoreError, match=r"no video 'b\.mp4'"):
        store.lookup("b.mp4")


def test_failures_and_sizes_are_counted(mixed: Path) -> None:
    store = Store.open(mixed)
    assert store.failures() == {"open": 2}
    assert set(store.array_bytes()) == {*FRAME_ARRAYS, "offset"}
    assert min(store.array_bytes().values()) > 0


def test_empty_store_reads_as_empty(tmp_path: Path) -> None:
    open_writer(tmp_path / "m.zarr").finish()
    assert Store.open(tmp_path / "m.zarr").index.num_rows == 0
    assert pq.read_table(tmp_path / "m.zarr" / "index.parquet").num_rows == 0


def test_nothing_is_visible_before_the_commit(tmp_path: Path) -> None:
    opened = open_writer(tmp_path / "m.zarr")
    with opened.part(0) as part:
        part.append(stores.make_volume(4))
        part.end_video(stores.done("a.mp4", 4))
        assert opened.committed() == Committed()
        assert Store.open(tmp_path / "m.zarr").index.num_rows == 0
        assert not (tmp_path / "m.zarr" / "part-00000").exists()
        part.commit()
    found = opened.committed()
    assert (found.parts, found.numbers) == ({0: ["a.mp4"]}, {0})
    assert found.videos == {"a.mp4": KnownVideo(0, True, 1000, 10**18)}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_a_part_that_is_left_without_commit_leaves_no_trace(tmp_path: Path, error: type[BaseException]) -> None:
    opened = open_writer(tmp_path / "m.zarr")
    before = stores.visible(tmp_path / "m.zarr")

    def break_off() -> None:
        with opened.part(0) as part:
            part.append(stores.make_volume(4))
            raise error

    with pytest.raises(error):
        break_off()
    assert stores.visible(tmp_path / "m.zarr") == before
    assert list((tmp_path / "m.zarr" / "index").iterdir()) == []


def test_an_interrupt_while_zarr_writes_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """zarr writes in a thread of its own, which knows nothing of the interrupt and would write on after the clean-up."""
    opened = open_writer(tmp_path / "m.zarr")
    before = stores.visible(tmp_path / "m.zarr")
    whole = zarr.storage.LocalStore.set
    begun: list[object] = []
    ended: list[object] = []

    async def slowly(*arguments: Any) -> None:
        begun.append(arguments)
        if len(begun) == 3:
            os.kill(os.getpid(), signal.SIGALRM)
        try:
            await asyncio.sleep(0.2)
            await whole(*arguments)
        finally:
            ended.append(arguments)

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(zarr.storage.LocalStore, "set", slowly)
    earlier = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            write_part(opened, 0, MIXED)
    finally:
        signal.signal(signal.SIGALRM, earlier)
    assert len(begun) == len(ended) >= 3
    assert stores.visible(tmp_path / "m.zarr") == before


def test_a_part_without_commit_record_is_litter(mixed: Path) -> None:
    (mixed / "index" / "part-00001.parquet").unlink()
    kept = stores.array_files(mixed)
    opened = open_writer(mixed)
    assert not (mixed / "part-00001").exists()
    assert list(opened.committed().parts) == [0]
    assert stores.array_files(mixed) == {name: data for name, data in kept.items() if "part-00001" not in name}
    volumes = write_part(opened, 1, {"z.mp4": 7})
    stores.assert_volumes_equal(Store.open(mixed).volume("z.mp4"), volumes["z.mp4"])


def test_what_nobody_holds_is_removed_and_what_is_held_is_kept(mixed: Path) -> None:
    """Neither host nor process number say who is alive; finished videos stay for the next run."""
    here, host, dead = place(mixed), socket.gethostname(), dead_process()
    litter = [
        "part-00003/grown-1/mask/c",
        f"part-00004.some.other.host.{dead}/mask",
        f"part-00005.{host}.{os.getppid()}/c",
    ]
    for name in ("part-00002/grown-1/mask", *litter):
        (mixed / ".writing" / name).mkdir(parents=True)
    (mixed / ".writing" / "part-00003" / "journal-1").write_bytes(b"finished")
    for name in ("index/.part-00002.parquet.1", "index/.part-00009.parquet.1", ".zarr.json.1", ".index.parquet.1"):
        (mixed / name).write_bytes(b"half")
    assert here.lock(2)
    assert here.lock(TOP)
    open_writer(mixed)
    assert sorted(path.relative_to(mixed / ".writing").as_posix() for path in (mixed / ".writing").rglob("*")) == [
        "part-00002", "part-00002/grown-1", "part-00002/grown-1/mask", "part-00003", "part-00003/journal-1",
    ]  # fmt: skip
    assert [path.name for path in (mixed / "index").glob(".*")] == [".part-00002.parquet.1"]
    assert sorted(path.name for path in mixed.glob(".*.1")) == [".index.parquet.1", ".zarr.json.1"]
    here.unlock(0, 0)
    open_writer(mixed)
    assert [path.name for path in (mixed / ".writing").iterdir()] == ["part-00003"]
    assert list(mixed.glob(".*.1")) + list((mixed / "index").glob(".*")) == []


def test_litter_of_other_shards_is_theirs(mixed: Path) -> None:
    for number in (4, 5):
        (mixed / f".writing/part-0000{number}/grown-1").mkdir(parents=True)
    StoreWriter.open(mixed, SPEC, energy=True, input_root=stores.ROOT, versions={}, shard=Shard(1, 2))
    assert [path.name for path in (mixed / ".writing").iterdir()] == ["part-00004"]


def test_of_drivers_that_make_one_store_together_the_first_decides(tmp_path: Path) -> None:
    path = tmp_path / "m.zarr"
    path.mkdir()
    (path / ".zarr.json.elsewhere.1").write_bytes(b"half")
    before, late = read_root(place(path)), place(path)
    open_writer(path)
    with pytest.raises(FileExistsError):
        late.create("zarr.json", b"{}")
    assert before is None
    assert read_root(late)["spec"] == SPEC.to_json()
    assert stores.visible(path) == ["index", "zarr.json"]


def test_a_driver_that_is_late_adds_to_the_store_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both found nothing; the second finds out when it makes its own."""
    path, other = tmp_path / "m.zarr", replace(SPEC, seed=3)
    real = Folder.create

    def late(self: Folder, name: str, content: bytes) -> None:
        monkeypatch.setattr(Folder, "create", real)
        open_writer(path)
        real(self, name, content)

    monkeypatch.setattr(Folder, "create", late)
    with pytest.raises(SpecMismatchError, match="was made with seed=0, this run asks for 3"):
        open_writer(path, other)


def test_a_store_is_made_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", mock.Mock(side_effect=OSError(errno.EPERM, "no")))
    here = place(tmp_path / "m.zarr")
    here.create("zarr.json", b"first")
    with pytest.raises(FileExistsError):
        here.create("zarr.json", b"second")
    assert (here.read("zarr.json"), here.names()) == (b"first", ["zarr.json"])


def test_half_written_records_do_not_count(mixed: Path) -> None:
    (mixed / "index" / ".part-00009.parquet.1").write_bytes(b"half")
    (mixed / "index" / "notes.parquet").write_bytes(b"something else")
    assert committed_numbers(place(mixed)) == [0, 1]
    assert Store.open(mixed).index.num_rows == 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scheme": "tube"}, ["scheme='motion-guided', this run asks for 'tube' (--scheme motion-guided)"]),
        (
            {"scheme_options": {"c": 2.0}},
            ["scheme_options={}, this run asks for {'c': 2.0} (without --scheme-option c)"],
        ),
        (
            {"grid": PatchGrid(7, 7), "ratio": 0.5, "seed": 3},
            [
                "grid='3x4', this run asks for '7x7' (--grid 3x4)",
                "ratio=0.75, this run asks for 0.5 (--ratio 0.75)",
                "seed=0, this run asks for 3 (--seed 0)",
            ],
        ),
        ({"energy": False}, ["energy=True, this run asks for False (--energy)"]),
        ({"part_videos": 3}, ["part_videos=256, this run asks for 3 (--part-videos 256)"]),
        ({"part_bytes": 3}, ["part_bytes=2147483648, this run asks for 3 (part_bytes=2147483648 in Python)"]),
        (
            {"reading": DecodeOptions(stream=2, strict=True)},
            [
                "stream=None, this run asks for 2 (without --stream)",
                "strict=False, this run asks for True (without --strict)",
            ],
        ),
    ],
)
def test_another_spec_is_refused_with_every_option_that_differs(
    mixed: Path, changes: dict[str, Any], words: list[str]
) -> None:
    content = stores.array_files(mixed)
    with pytest.raises(SpecMismatchError) as caught:
        open_writer(mixed, replace(SPEC, **changes))
    assert str(caught.value) == (
        f"{mixed} was made with {'; and with '.join(words)}; use the same options, another output, or --overwrite"
    )
    assert stores.array_files(mixed) == content


def test_options_of_a_scheme_that_a_store_has_are_given_as_flags(tmp_path: Path) -> None:
    open_writer(tmp_path / "m.zarr", replace(SPEC, scheme_options={"c": 2.0, "d": "a b", "e": 1}, energy=False))
    with pytest.raises(SpecMismatchError) as caught:
        open_writer(tmp_path / "m.zarr", replace(SPEC, scheme_options={"e": 1, "f": 2}))
    assert "(--scheme-option c=2.0, --scheme-option 'd=a b', without --scheme-option f)" in str(caught.value)
    assert "energy=False, this run asks for True (--no-energy)" in str(caught.value)


def test_another_root_is_refused(mixed: Path) -> None:
    with pytest.raises(SpecMismatchError, match=r"ids relative to /videos, these inputs are under /others"):
        open_writer(mixed, input_root="/others")


def test_same_spec_is_gone_on_with(mixed: Path) -> None:
    content = stores.array_files(mixed)
    assert list(open_writer(mixed).committed().parts) == [0, 1]
    assert stores.array_files(mixed) == content


def test_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    open_writer(tmp_path)
    assert Store.open(tmp_path).spec == SPEC


def test_folders_above_are_made(tmp_path: Path) -> None:
    open_writer(tmp_path / "x" / "y" / "m.zarr")
    assert Store.open(tmp_path / "x" / "y" / "m.zarr").spec == SPEC


def make_file(path: Path) -> None:
    path.write_text("mine")


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("mine")


def make_group(path: Path) -> None:
    zarr.create_group(str(path), attributes={"whose": "mine"})


def make_array(path: Path) -> None:
    zarr.create_array(str(path), shape=(3,), dtype="int64")


def make_broken(path: Path) -> None:
    path.mkdir()
    (path / "zarr.json").write_text("{")


def make_newer(path: Path) -> None:
    open_writer(path)
    edit_attributes(path, version=2)


FOREIGN = [
    pytest.param(make_file, "is a file", id="file"),
    pytest.param(make_folder, "not a mask store", id="folder"),
    pytest.param(make_group, "not a mask store", id="zarr-group"),
    pytest.param(make_array, "not a mask store", id="zarr-array"),
    pytest.param(make_broken, "not a mask store", id="broken-json"),
    pytest.param(make_newer, "version 2; this mgmtool reads 1", id="newer-version"),
]


def content_of(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in [path, *path.rglob("*")] if file.is_file()}


@pytest.mark.parametrize(("make", "words"), FOREIGN)
def test_foreign_output_is_refused_untouched(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    path = tmp_path / "out"
    make(path)
    before = content_of(path)
    with pytest.raises(StoreError, match=words) as caught:
        open_writer(path)
    assert str(path) in str(caught.value)
    assert content_of(path) == before


@pytest.mark.parametrize(("make", "words"), FOREIGN)
def test_foreign_place_is_not_read(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    path = tmp_path / "out"
    make(path)
    with pytest.raises(StoreError, match=words if "version" in words else "not a mask store") as caught:
        Store.open(path)
    assert str(path) in str(caught.value)


def test_missing_place_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no mask store at .*gone\.zarr: no such folder"):
        Store.open(tmp_path / "gone.zarr")


@pytest.mark.parametrize("make", [param.values[0] for param in FOREIGN[1:]])
def test_remove_refuses_what_is_not_ours(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "out"
    make(path)
    before = content_of(path)
    with pytest.raises(StoreError):
        StoreWriter.remove(path)
    assert content_of(path) == before


@needs_locks
@pytest.mark.parametrize("held", [7, RUNS + 5])
def test_a_store_that_somebody_writes_is_not_removed(mixed: Path, held: int) -> None:
    before, other = stores.array_files(mixed), place(mixed)
    assert other.lock(held)
    with pytest.raises(StoreBusyError, match=r"another run is writing .*cannot be removed before that run has ended"):
        StoreWriter.remove(mixed)
    with pytest.raises(StoreBusyError):
        StoreWriter.open(mixed, SPEC, energy=True, input_root=stores.ROOT, versions={}, overwrite=True)
    assert stores.array_files(mixed) == before
    other.unlock(held)
    StoreWriter.open(mixed, SPEC, energy=True, input_root=stores.ROOT, versions={}, overwrite=True)
    assert stores.visible(mixed) == ["index", "zarr.json"]
    assert Store.open(mixed).index.num_rows == 0


def test_a_commit_goes_into_the_store_it_was_begun_for_alone(mixed: Path) -> None:
    opened = open_writer(mixed)

    def replaced(begin: Callable[[], Any]) -> None:
        with begin() as begun:
            begun.append(stores.make_volume(3))
            begun.end_video(stores.done("z.mp4", 3, 2))
            root = json.loads((mixed / "zarr.json").read_text())
            root["attributes"]["uuid"] = "another"
            (mixed / "zarr.json").write_text(json.dumps(root))
            begun.commit()

    with pytest.raises(StoreError, match="replaced by another one while this run was writing it"):
        replaced(lambda: opened.part(2))
    assert committed_numbers(place(mixed)) == [0, 1]
    assert not (mixed / "part-00002").exists()
    with pytest.raises(StoreError, match="replaced"):
        opened.part(3)
    with pytest.raises(StoreError, match="replaced"), opened.hold(Shard()):
        pass
    (mixed / "zarr.json").unlink()
    with pytest.raises(StoreError, match="removed"):
        opened.part(3)


@pytest.mark.parametrize("harm", ["removed", "cut", "changed", "added"])
def test_what_is_committed_is_what_was_written(tmp_path: Path, harm: str) -> None:
    opened = open_writer(tmp_path / "m.zarr")

    def commit() -> None:
        with opened.part(0) as begun:
            begun.append(stores.make_volume(300))
            for array in begun._growing:
                array.flush()
            (chunk,) = (tmp_path / "m.zarr" / ".writing" / "part-00000").glob("grown-*/energy/c/0/0/0")
            content = chunk.read_bytes()
            if harm == "removed":
                chunk.unlink()
            elif harm == "added":
                chunk.with_name("1").write_bytes(b"x")
            else:
                chunk.write_bytes(content[:-1] + (b"" if harm == "cut" else bytes([content[-1] ^ 1])))
            begun.end_video(stores.done("a.mp4", 300))
            begun.commit()

    words = {
        "removed": "0 is gone",
        "cut": r"0 has \d+ bytes, \d+ were",
        "changed": "0 has other",
        "added": "1 was not",
    }
    with pytest.raises(StoreWriteError, match=f"cannot commit part 0 of .*: energy/c/0/0/{words[harm]}"):
        commit()
    assert committed_numbers(place(tmp_path / "m.zarr")) == []
    write_part(open_writer(tmp_path / "m.zarr"), 0, MIXED)


def test_remove_takes_a_store_away_whatever_its_spec(mixed: Path) -> None:
    StoreWriter.remove(mixed)
    assert not mixed.exists()
    StoreWriter.remove(mixed)


def shrink_shards(monkeypatch: pytest.MonkeyPatch, chunk: int = 4, shard: int = 16) -> None:
    monkeypatch.setattr(part, "CHUNK_FRAMES", chunk)
    monkeypatch.setattr(part, "SHARD_FRAMES", shard)


@pytest.mark.parametrize("step", [1, 3, 15, 16, 17, 33, 200])
def test_appends_of_any_size_over_several_shards_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    shrink_shards(monkeypatch)
    volume = stores.make_volume(75)
    for name, size in (("whole", 75), ("pieces", step)):
        with open_writer(tmp_path / name).part(0) as part:
            for start in range(0, 75, size):
                rows = slice(start, start + size)
                part.append(type(volume)(**{name: values[rows] for name, values in volume.arrays().items()}))
            part.end_video(stores.done("a.mp4", 75))
            part.commit()
    assert len(list((tmp_path / "whole" / "part-00000" / "pts" / "c").iterdir())) == 5
    stores.assert_same(tmp_path / "whole", tmp_path / "pieces")
    stores.assert_volumes_equal(Store.open(tmp_path / "pieces").volume("a.mp4"), volume)


def test_videos_across_shards_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_shards(monkeypatch)
    lengths: dict[str, int | None] = {"a": 10, "b": 6, "c": None, "d": 1, "e": 48, "f": 17}
    volumes = write_part(open_writer(tmp_path / "m.zarr"), 0, lengths)
    store = Store.open(tmp_path / "m.zarr")
    for video_id, volume in volumes.items():
        stores.assert_volumes_equal(store.volume(video_id), volume)


def test_seconds_is_the_only_column_that_may_differ(tmp_path: Path) -> None:
    for name, seconds in (("one", 0.5), ("other", 7.25)):
        opened = open_writer(tmp_path / name)
        write_part(opened, 0, MIXED, seconds)
        opened.finish()
    stores.assert_same(tmp_path / "one", tmp_path / "other")
    tables = [pq.read_table(tmp_path / name / "index.parquet") for name in ("one", "other")]
    differing = [name for name in tables[0].column_names if not tables[0][name].equals(tables[1][name])]
    assert differing == ["seconds"]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        pytest.param(zarr.Array, "__setitem__", id="arrays"),
        pytest.param(zarr.Group, "create_array", id="metadata"),
        pytest.param(part, "_write_offsets", id="offsets"),
        pytest.param(folders, "sync", id="sync"),
        pytest.param(Path, "rename", id="rename"),
        pytest.param(pq.ParquetWriter, "write_table", id="record"),
        pytest.param(folders, "create", id="record-name"),
    ],
)
def test_a_full_disk_keeps_what_was_committed(
    mixed: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    before = content_of(mixed)
    opened = open_writer(mixed)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fail_with(no_space()))
        with pytest.raises(StoreWriteError) as caught:
            write_part(opened, 2, {"y.mp4": 3})
    assert str(caught.value) == f"cannot write {mixed}: No space left on device; what was committed before stays valid"
    assert isinstance(caught.value, OSError)
    assert list(opened.committed().parts) == [0, 1]
    assert Store.open(mixed).index["id"].to_pylist() == [*MIXED, "z.mp4"]
    open_writer(mixed)
    assert content_of(mixed) == before


def test_a_full_disk_while_a_part_begins_leaves_nothing(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stores.visible(mixed)
    monkeypatch.setattr(part, "_GrowingArray", fail_with(no_space()))
    with pytest.raises(StoreWriteError, match="No space left on device"):
        write_part(open_writer(mixed), 2, {"y.mp4": 3})
    assert stores.visible(mixed) == before


def test_a_full_disk_while_the_index_is_gathered(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content_of(mixed)
    monkeypatch.setattr(Path, "replace", fail_with(no_space()))
    with pytest.raises(StoreWriteError, match=r"cannot write .*m\.zarr: No space left on device"):
        open_writer(mixed).finish()
    assert content_of(mixed) == before


def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "mkdir", fail_with(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(StoreWriteError, match=r"cannot write .*m\.zarr: Permission denied"):
        open_writer(tmp_path / "m.zarr")


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreWriteError, match=r"cannot write .*m\.zarr: Not a directory"):
        open_writer(tmp_path / "file" / "m.zarr")


def test_paths_that_are_not_unicode_are_kept_readable(tmp_path: Path) -> None:
    outcome = stores.done("a.mp4", 1)
    odd = replace(outcome, video=replace(outcome.video, path=os.fsdecode(b"/videos/caf\xe9.mp4")))
    with open_writer(tmp_path / "m.zarr", input_root=os.fsdecode(b"/vid\xe9os")).part(0) as part:
        part.append(stores.make_volume(1))
        part.end_video(odd)
        part.commit()
    store = Store.open(tmp_path / "m.zarr")
    assert store.videos.row("a.mp4")["path"] == "/videos/caf\\udce9.mp4" == storable(odd.video.path)
    open_writer(tmp_path / "m.zarr", input_root=os.fsdecode(b"/vid\xe9os"))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("part-00000", 0),
        ("part-00017", 17),
        ("part-123456", 123456),
        ("part-0017", None),
        ("part-", None),
        ("xpart-00001", None),
    ],
)
def test_part_names(name: str, number: int | None) -> None:
    assert layout.part_number(name) == number
    if number is not None:
        assert layout.part_name(number) == name
