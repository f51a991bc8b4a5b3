"""Exports: every format holds what the store holds, a killed run leaves no trace, and nothing leaves the output."""

from __future__ import annotations

import dataclasses
import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr

from mgmtool import export, plugins
from mgmtool.errors import OutputError, SpecMismatchError, StoreError, UsageError
from mgmtool.export.webdataset import key_of
from mgmtool.store import Store
from mgmtool.store.export_parquet import EXPORT_SCHEMA
from mgmtool.testing import FormatContract
from mgmtool.types import ExtractSpec, MaskVolume, PatchGrid
from support import calling, stores

FORMATS = export.names()
PARTS: list[dict[str, int | None]] = [
    {"a/b.v2.mp4": 5, "a/b.mp4": 3, "bad.mp4": None},
    {"ünï ço dé 🏃.mkv": 4, "new\nline.mp4": 1, "100%.mp4": 2, "no ending": 6},
    {"worse.avi": None},
    {"z/.hidden": 7, "z/two..dots.": 2},
]
IDS = [name for part in PARTS for name, frames in part.items() if frames is not None]
CLAIM = ".mgmtool-export.json"

every_format = pytest.mark.parametrize("name", FORMATS)


def make_store(path: Path, parts: list[dict[str, int | None]] = PARTS, **options: Any) -> dict[str, MaskVolume]:
    """Write a store and return its volumes by id."""
    writer = stores.open_writer(path, **options)
    volumes: dict[str, MaskVolume] = {}
    for number, lengths in enumerate(parts):
        volumes |= stores.write_part(writer, number, lengths)
    writer.finish()
    return volumes


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "m.zarr"
    make_store(path)
    return path


def options_of(name: str, shard_videos: int = 3) -> dict[str, Any]:
    """Small shards, where there are any."""
    known = {field.name for field in dataclasses.fields(plugins.FORMATS.load(name))}
    return {"shard_videos": shard_videos} if "shard_videos" in known else {}


def run(store: Path | str, output: Path, name: str, **options: Any) -> list[export.Exported]:
    return list(export.export(store, output, name, **{**options_of(name), **options}))


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of an output, hidden ones included, by its name within."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


# --- one reader for each format: id, facts and arrays, in order ----------------------------------------------------------

Read = tuple[str, dict[str, Any], dict[str, Any]]


def read_webdataset(output: Path) -> Iterator[Read]:
    for path in sorted(output.glob("*.tar")):
        arrays: dict[str, Any] = {}
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member)
                assert file is not None
                ending = member.name.rpartition("/")[2].partition(".")[2]
                if ending == "json":
                    facts = json.load(file)
                    assert unquote(member.name.removesuffix(".json")) == facts["id"]
                    yield facts["id"], facts, arrays
                    arrays = {}
                else:
                    arrays[ending.removesuffix(".npy")] = np.load(io.BytesIO(file.read()), allow_pickle=False)


def read_npz(output: Path) -> Iterator[Read]:
    for video_id in sorted((p.relative_to(output).as_posix() for p in output.rglob("*.npz")), key=_place):
        with np.load(output / video_id, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads(arrays.pop("facts.json"))
        yield video_id.removesuffix(".npz"), facts, arrays


def _place(name: str) -> int:
    ids = [*IDS, *(f"v{i}.mp4" for i in range(20))]
    return ids.index(name.removesuffix(".npz"))


def read_hf_parquet(output: Path) -> Iterator[Read]:
    dtypes = {"mask": "?", "box": "<i2", "pts": "<i8", "flags": "u1", "energy": "u1", "energy_scale": "<f4"}
    for path in sorted((output / "data").glob("*.parquet")):
        for row in pq.read_table(path).to_pylist():
            shapes = {"mask": row["mask_shape"], "box": (-1, 4), "energy": row["energy_shape"]}
            arrays = {
                name: np.frombuffer(row[name], dtype).reshape(shapes.get(name, -1))
                for name, dtype in dtypes.items()
                if row[name] is not None
            }
            facts = {key: value for key, value in row.items() if key not in dtypes and not key.endswith("_shape")}
            seconds = facts.pop("pts_seconds")
            np.testing.assert_array_equal(seconds, arrays["pts"] * (row["time_base_num"] / row["time_base_den"]))
            yield row["id"], facts, arrays


READERS = {"webdataset": read_webdataset, "npz": read_npz, "hf-parquet": read_hf_parquet}


# --- the family ---------------------------------------------------------------------------------------------------------


def test_the_known_formats_are_found() -> None:
    assert sorted(READERS) == FORMATS


def test_options_out_of_range_are_refused() -> None:
    for name in ("webdataset", "hf-parquet"):
        with pytest.raises(UsageError, match=f"^{name} option shard_videos is 0; expected 1 or more$"):
            export.build(name, {"shard_videos": 0})


class TestEveryFormat(FormatContract):
    names = FORMATS
    options: ClassVar[dict[str, dict[str, Any]]] = {name: options_of(name) for name in FORMATS}
    parts = PARTS

    def contents(self, name: str, output: Path) -> Iterator[Read]:
        return READERS[name](output)


@every_format
def test_facts_have_what_a_reader_needs(name: str, store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "o", name)
    for _, facts, _ in READERS[name](tmp_path / "o"):
        assert {"id", "num_frames", "fps", "height", "width", "rotation", "index_risk", "part"} <= facts.keys()


@every_format
def test_the_umask_does_not_change_the_bytes(name: str, store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "one", name)
    umask = os.umask(0o077)
    try:
        run(store, tmp_path / "two", name)
    finally:
        os.umask(umask)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@every_format
@pytest.mark.parametrize("parts", [[], [{"bad.mp4": None}]], ids=["no part", "only failures"])
def test_an_export_of_no_masks_is_a_claim(name: str, parts: list[dict[str, int | None]], tmp_path: Path) -> None:
    make_store(tmp_path / "m.zarr", parts)
    assert run(tmp_path / "m.zarr", tmp_path / "o", name) == []
    assert list(tree(tmp_path / "o")) == [CLAIM]


# --- what is in an export -----------------------------------------------------------------------------------------------


def test_shards_are_filled_in_order(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "w", "webdataset")
    assert sorted(tree(tmp_path / "w")) == [CLAIM, "masks-000000.tar", "masks-000001.tar", "masks-000002.tar"]
    run(store, tmp_path / "p", "hf-parquet")
    assert sorted(tree(tmp_path / "p")) == [CLAIM, *(f"data/masks-0000{i}.parquet" for i in range(3))]
    assert pq.read_schema(tmp_path / "p" / "data" / "masks-00000.parquet").equals(EXPORT_SCHEMA)
    sizes = [pq.read_metadata(path).num_rows for path in sorted((tmp_path / "p" / "data").iterdir())]
    assert sizes == [3, 3, 2]


def test_row_groups_are_bounded(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgmtool.store.export_parquet._ROW_GROUP_BYTES", 200)
    run(store, tmp_path / "o", "hf-parquet", shard_videos=100)
    assert pq.read_metadata(tmp_path / "o" / "data" / "masks-00000.parquet").num_row_groups > 2
    assert [video_id for video_id, _, _ in read_hf_parquet(tmp_path / "o")] == IDS


def test_npz_can_be_compressed(store: Path, tmp_path: Path) -> None:
    for compress, kind in ((False, zipfile.ZIP_STORED), (True, zipfile.ZIP_DEFLATED)):
        run(store, tmp_path / str(compress), "npz", compress=compress)
        with zipfile.ZipFile(tmp_path / str(compress) / "a" / "b.v2.mp4.npz") as archive:
            assert {info.compress_type for info in archive.infolist()} == {kind}
    assert len(list(read_npz(tmp_path / "True"))) == len(IDS)


# --- the same bytes, whatever happened in between -----------------------------------------------------------------------


@every_format
def test_nothing_in_the_bytes_tells_the_time_or_the_user(name: str, store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "o", name)
    for path in (tmp_path / "o").rglob("*"):
        if path.suffix == ".tar":
            with tarfile.open(path) as archive:
                assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in archive} == {
                    (0, 0, 0, "", "", 0o644)
                }
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@every_format
def test_a_lost_file_and_litter_are_made_good(name: str, store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "whole", name)
    run(store, tmp_path / "o", name)
    last = max(p for p in (tmp_path / "o").rglob("*") if p.is_file() and p.name != CLAIM)
    last.unlink()
    (last.parent / ".0123456789abcdef.partial").write_bytes(b"half")
    (tmp_path / "o" / ".fedcba9876543210.partial").write_bytes(b"")
    outcomes = run(store, tmp_path / "o", name)
    assert 0 < sum(not outcome.skipped for outcome in outcomes) < len(IDS)
    assert tree(tmp_path / "o") == tree(tmp_path / "whole")


@every_format
def test_a_run_that_is_killed_is_gone_on_with(name: str, store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "whole", name)
    script = (
        "import os, signal, sys; from mgmtool import export\n"
        "store, output, name, options = sys.argv[1:4] + [eval(sys.argv[4])]\n"
        "outcomes = export.export(store, output, name, **options)\n"
        "for _ in range(5): next(outcomes)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    arguments = [store, tmp_path / "o", name, options_of(name)]
    ended = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=False)
    assert ended.returncode == -signal.SIGKILL
    finished = {name: content for name, content in tree(tmp_path / "o").items() if not name.endswith(".partial")}
    assert finished.items() <= tree(tmp_path / "whole").items()
    run(store, tmp_path / "o", name)
    assert tree(tmp_path / "o") == tree(tmp_path / "whole")


def test_a_run_that_is_killed_before_its_claim_is_gone_on_with(store: Path, tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / ".0123456789abcdef.partial").write_bytes(b"{")
    assert len(run(store, tmp_path / "o", "npz")) == len(IDS)
    assert ".0123456789abcdef.partial" not in tree(tmp_path / "o")


@every_format
@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_a_store_that_has_grown_is_gone_on_with(name: str, known: int, tmp_path: Path) -> None:
    parts: list[dict[str, int | None]] = [{"v0.mp4": 1, "v1.mp4": 2}, {"v2.mp4": 3}, {"v3.mp4": 1, "v4.mp4": 5}]
    make_store(tmp_path / "m.zarr", parts[:known])
    run(tmp_path / "m.zarr", tmp_path / "o", name)
    writer = stores.open_writer(tmp_path / "m.zarr")
    for number, lengths in enumerate(parts[known:], known):
        stores.write_part(writer, number, lengths)
    run(tmp_path / "m.zarr", tmp_path / "o", name)
    run(tmp_path / "m.zarr", tmp_path / "whole", name)
    assert tree(tmp_path / "o") == tree(tmp_path / "whole")
    assert [video_id for video_id, _, _ in READERS[name](tmp_path / "o")] == [f"v{i}.mp4" for i in range(5)]


# --- outputs that are refused -------------------------------------------------------------------------------------------


def test_an_export_of_another_kind_is_refused(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "o", "webdataset")
    before = tree(tmp_path / "o")
    with pytest.raises(SpecMismatchError, match="with format='webdataset', this run has 'npz'; expected the same"):
        run(store, tmp_path / "o", "npz")
    with pytest.raises(SpecMismatchError, match=r"with options\.shard_videos=3, this run has 4"):
        run(store, tmp_path / "o", "webdataset", shard_videos=4)
    assert tree(tmp_path / "o") == before


def test_an_export_of_another_store_is_refused(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "o", "npz")
    other = ExtractSpec(grid=PatchGrid(3, 4), energy_grid=PatchGrid(2, 5), seed=7)
    make_store(tmp_path / "seed.zarr", spec=other)
    with pytest.raises(SpecMismatchError, match=r"with store\.spec\.seed=0, this run has 7"):
        run(tmp_path / "seed.zarr", tmp_path / "o", "npz")
    make_store(tmp_path / "root.zarr", input_root="/elsewhere")
    with pytest.raises(SpecMismatchError, match=r"with store\.input_root='/videos', this run has '/elsewhere'"):
        run(tmp_path / "root.zarr", tmp_path / "o", "npz")
    make_store(tmp_path / "ids.zarr", [{"v0.mp4": 4}, *PARTS[1:]])
    with pytest.raises(SpecMismatchError, match="is an export of other videos than the store has"):
        run(tmp_path / "ids.zarr", tmp_path / "o", "npz")
    make_store(tmp_path / "shorter.zarr", PARTS[:1])
    with pytest.raises(SpecMismatchError, match="is an export of other videos than the store has"):
        run(tmp_path / "shorter.zarr", tmp_path / "o", "npz")


def test_outputs_of_something_else_are_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"file is a file; expected a new folder"):
        run(store, tmp_path / "file", "npz")
    with pytest.raises(OutputError, match=r"cannot use .*below: Not a directory"):
        run(store, tmp_path / "file" / "below", "npz")
    with pytest.raises(OutputError, match=r"m\.zarr is a folder of something else; expected a new or empty folder"):
        run(store, store, "npz")
    (tmp_path / "o").mkdir()
    for text in ("", "[]", "{}", '{"parts": [1]}', '{"parts": [["x", 1, "y"]]}'):
        (tmp_path / "o" / CLAIM).write_text(text)
        with pytest.raises(OutputError, match=r"cannot read .*json: .*; expected what an export wrote"):
            run(store, tmp_path / "o", "npz")


def test_two_runs_at_once_are_refused(store: Path, tmp_path: Path) -> None:
    first = export.export(store, tmp_path / "o", "npz")
    next(first)
    with pytest.raises(OutputError, match=r"another run is writing to .*; expected one at a time"):
        run(store, tmp_path / "o", "npz")
    first.close()
    assert len(run(store, tmp_path / "o", "npz")) == len(IDS)


def test_file_systems_without_locks_will_do(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(number: int) -> Any:
        def flock(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        return flock

    monkeypatch.setattr(fcntl, "flock", refuse(37))
    assert len(run(store, tmp_path / "o", "npz")) == len(IDS)
    monkeypatch.setattr(fcntl, "flock", refuse(5))
    with pytest.raises(OutputError, match=r"cannot lock .*: Input/output error"):
        run(store, tmp_path / "o", "npz")


def test_not_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no mask store at"):
        export.export(tmp_path / "none.zarr", tmp_path / "o", "npz")
    assert not (tmp_path / "o").exists()


def test_a_damaged_store_is_named_and_leaves_no_half_file(tmp_path: Path) -> None:
    make_store(tmp_path / "m.zarr")
    for path in (tmp_path / "m.zarr" / "part-00001" / "mask" / "c").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-7] + b"damaged")
    with pytest.raises(StoreError, match=r"masks of 'ünï ço dé 🏃\.mkv' in part 1 cannot be read"):
        run(tmp_path / "m.zarr", tmp_path / "o", "webdataset", shard_videos=2)
    assert list(tree(tmp_path / "o")) == [CLAIM, "masks-000000.tar"]


def test_a_store_that_contradicts_itself_is_named(tmp_path: Path) -> None:
    for name in ("box", "energy_scale"):
        make_store(tmp_path / name / "m.zarr", [{"v0.mp4": 3, "v1.mp4": 4}])
        group = zarr.open_group(str(tmp_path / name / "m.zarr" / "part-00000"), mode="r+")
        group[name].resize((5, *group[name].shape[1:]))
        with pytest.raises(
            StoreError, match=rf"masks of 'v1\.mp4' in part 0 cannot be read: '{name}' has 5 rows; expected at least 7"
        ):
            run(tmp_path / name / "m.zarr", tmp_path / name / "o", "npz")
    make_store(tmp_path / "index" / "m.zarr")
    (tmp_path / "index" / "m.zarr" / "index" / "part-00001.parquet").write_bytes(b"damaged")
    with pytest.raises(StoreError, match=r"m\.zarr cannot be read: "):
        run(tmp_path / "index" / "m.zarr", tmp_path / "index" / "o", "npz")


def test_stores_behind_a_url(store: Path, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.put(f"{store}/", "/export-test/m.zarr/", recursive=True)
    try:
        run("memory://export-test/m.zarr", tmp_path / "remote", "webdataset")
    finally:
        memory.rm("/export-test", recursive=True)
    run(store, tmp_path / "local", "webdataset")
    assert tree(tmp_path / "remote") == tree(tmp_path / "local")


# --- ids nobody would choose --------------------------------------------------------------------------------------------

HOSTILE = ["../up.mp4", "/etc/absolute.mp4", "a/../../b.mp4", "..", "a/./b.mp4", "a//b.mp4", "a/", "", "nul\0.mp4"]
LONG = "x" * 300 + ".mp4"
DEEP = "/".join(["y" * 200] * 30)


def test_npz_never_leaves_the_output(tmp_path: Path) -> None:
    ids = [*HOSTILE, LONG, DEEP, "good.mp4"]
    make_store(tmp_path / "in" / "m.zarr", [dict.fromkeys(ids, 1)])
    for skipped in (False, True):
        outcomes = run(tmp_path / "in" / "m.zarr", tmp_path / "out" / "o", "npz")
        assert [(outcome.id, outcome.ok) for outcome in outcomes] == [(i, i == "good.mp4") for i in ids]
        assert outcomes[-1].skipped is skipped
        for outcome in outcomes[: len(HOSTILE)]:
            assert outcome.message is not None
            assert outcome.message.startswith(f"id is {outcome.id!r}; expected a relative path")
    assert outcomes[-3].message == "id has a name of 308 bytes with .npz; expected at most 255, for a file"
    assert str(outcomes[-2].message).startswith("path of the file has 6")
    assert list(tree(tmp_path / "out")) == [f"o/{CLAIM}", "o/good.mp4.npz"]


def test_npz_of_ids_that_contradict_each_other(tmp_path: Path) -> None:
    make_store(tmp_path / "m.zarr", [{"a": 1, "a.npz/b": 2, "c.npz/d": 3, "c": 4, "c.npz/d.npz/e/f": 1}])
    outcomes = run(tmp_path / "m.zarr", tmp_path / "o", "npz")
    assert [outcome.ok for outcome in outcomes] == [True, False, True, False, False]
    assert str(outcomes[1].message).endswith("a.npz is not a folder; expected one for 'b.npz'")
    assert str(outcomes[3].message).endswith("c.npz is a folder; expected none, for a file")
    assert [outcome.ok for outcome in run(tmp_path / "m.zarr", tmp_path / "o", "npz")] == [o.ok for o in outcomes]


def test_webdataset_holds_hostile_ids_under_harmless_names(tmp_path: Path) -> None:
    ids = [*HOSTILE, LONG, DEEP, "__meta__/x.mp4", "__a__", "good.mp4"]
    make_store(tmp_path / "m.zarr", [dict.fromkeys(ids, 1)])
    outcomes = run(tmp_path / "m.zarr", tmp_path / "o", "webdataset", shard_videos=2)
    refused = [outcome.id for outcome in outcomes if not outcome.ok]
    assert refused == ["a/", ""]
    assert outcomes[6].message == "id is 'a/'; expected a file name at its end, for a member of a tar file"
    assert [video_id for video_id, _, _ in read_webdataset(tmp_path / "o")] == [i for i in ids if i not in refused]
    for path in (tmp_path / "o").glob("*.tar"):
        with tarfile.open(path) as archive:
            for member in archive:
                assert not member.name.startswith(("/", "__"))
                assert ".." not in member.name.split("/")
    again = run(tmp_path / "m.zarr", tmp_path / "o", "webdataset", shard_videos=2)
    assert [(o.id, o.ok) for o in again] == [(o.id, o.ok) for o in outcomes]


@pytest.mark.parametrize(
    ("video_id", "key"),
    [
        ("a/b.v2.mp4", "a/b%2Ev2%2Emp4"),
        ("100%.mp4", "100%25%2Emp4"),
        ("été 🏃", "été 🏃"),
        ("new\nline", "new%0Aline"),
        ("\u2028", "%E2%80%A8"),
        ("/a", "%2Fa"),
        ("__a__/b", "%5F_a__/b"),
        ("a%2Eb", "a%252Eb"),
    ],
)
def test_keys_have_no_dot_and_can_be_turned_back(video_id: str, key: str) -> None:
    assert key_of(video_id) == key
    assert unquote(key) == video_id


def test_values_too_large_for_parquet_are_refused(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgmtool.export.hf_parquet.LARGEST_VALUE", 60)
    outcomes = run(store, tmp_path / "o", "hf-parquet")
    assert [outcome.ok for outcome in outcomes] == [True, True, True, True, True, False, False, True]
    assert outcomes[5].message == "mask of 'no ending' has 72 bytes; expected at most 60, for a value of Parquet"
    assert len(list(read_hf_parquet(tmp_path / "o"))) == 6


def test_a_file_of_which_every_video_is_refused_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_store(tmp_path / "m.zarr", [{"v0.mp4": 9, "v1.mp4": 9, "v2.mp4": 1}])
    monkeypatch.setattr("mgmtool.export.hf_parquet.LARGEST_VALUE", 60)
    run(tmp_path / "m.zarr", tmp_path / "o", "hf-parquet", shard_videos=2)
    assert list(tree(tmp_path / "o")) == [CLAIM, "data/masks-00001.parquet"]


# --- readers of others --------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_webdataset_reads_it(store: Path, tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset")
    run(store, tmp_path / "o", "webdataset", shard_videos=1000)
    samples = list(wds.WebDataset(str(tmp_path / "o" / "masks-000000.tar"), shardshuffle=False).decode())
    opened = Store.open(store)
    assert [sample["json"]["id"] for sample in samples] == IDS
    assert [unquote(sample["__key__"]) for sample in samples] == IDS
    for sample in samples:
        arrays = {key.removesuffix(".npy"): value for key, value in sample.items() if key.endswith(".npy")}
        stores.assert_volumes_equal(MaskVolume(**arrays), opened.volume(sample["json"]["id"]))


@pytest.mark.filterwarnings("ignore")
def test_hugging_face_datasets_reads_it(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    run(store, tmp_path / "o", "hf-parquet")
    cache = str(tmp_path / "cache")
    rows = datasets.load_dataset("parquet", data_dir=str(tmp_path / "o"), split="train", cache_dir=cache)
    assert rows["id"][:] == IDS
    for row in rows:
        mask = np.frombuffer(row["mask"], "?").reshape(row["mask_shape"])
        np.testing.assert_array_equal(mask, Store.open(store).volume(row["id"]).mask)


# --- the command line ---------------------------------------------------------------------------------------------------


@pytest.fixture
def call(call: calling.Call) -> calling.Call:
    return partial(call, "export")


@every_format
def test_done_is_0_and_one_line(name: str, call: Any, store: Path, tmp_path: Path) -> None:
    output = tmp_path / "o"
    code, out, err = call(store, "--to", name, "-o", output)
    assert (code, err) == (0, "")
    assert out.startswith(f"{output}: 8 exported, 0 there before, 0 failed, 30 frames; 2 failed in the store; ")
    code, out, err = call(store, "--to", name, "-o", output)
    assert (code, err) == (0, "")
    assert out.startswith(f"{output}: 0 exported, 8 there before, 0 failed, 30 frames; 2 failed in the store; ")


def test_some_failed_is_3_and_each_is_named(call: Any, tmp_path: Path) -> None:
    make_store(tmp_path / "m.zarr", [{"../up.mp4": 1, "\x1b[2Jx/../y": 1, "good.mp4": 2}])
    code, out, err = call(tmp_path / "m.zarr", "--to", "npz", "-o", tmp_path / "o")
    assert code == 3
    assert "1 exported, 0 there before, 2 failed, 2 frames; " in out
    first, second = err.splitlines()
    assert first.startswith("failed ../up.mp4: id is '../up.mp4'; expected a relative path without '.', '..' and empty")
    assert "\x1b" not in second
    code, out, err = call(tmp_path / "m.zarr", "--to", "npz", "-o", tmp_path / "o", "-q")
    assert (code, out, err) == (3, "", "")


def test_json_is_one_summary(call: Any, store: Path, tmp_path: Path) -> None:
    code, out, err = call(store, "--to", "webdataset", "-o", tmp_path / "o", "--shard-videos", 5, "--json")
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert summary.pop("seconds") >= 0
    assert summary == {
        "store": str(store),
        "output": str(tmp_path / "o"),
        "format": "webdataset",
        "exported": 8,
        "skipped": 0,
        "failed": 0,
        "left_out": 2,
        "num_frames": 30,
    }
    assert sorted(tree(tmp_path / "o")) == [CLAIM, "masks-000000.tar", "masks-000001.tar"]


def test_compress_is_passed_on(call: Any, store: Path, tmp_path: Path) -> None:
    assert call(store, "--to", "npz", "-o", tmp_path / "o", "--compress")[0] == 0
    assert json.loads((tmp_path / "o" / CLAIM).read_text())["options"] == {"compress": True}


def test_options_of_a_format_may_be_given_by_name(call: Any, store: Path, tmp_path: Path) -> None:
    assert call(store, "--to", "npz", "-o", tmp_path / "o", "--format-option", "compress=yes")[0] == 0
    assert json.loads((tmp_path / "o" / CLAIM).read_text())["options"] == {"compress": True}


def test_progress_is_drawn_on_stderr(call: Any, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgmtool.cli.console._PLAIN_SECONDS", 0.0)
    code, _, err = call(store, "--to", "npz", "-o", tmp_path / "o", "--progress", "plain")
    assert code == 0
    assert [line.split()[0] for line in err.splitlines()] == [f"{i}/8" for i in range(1, 9)]
    assert "8/8" in call(store, "--to", "npz", "-o", tmp_path / "o", "--progress", "bar")[2]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["{store}", "--to", "npy", "-o", "{out}"],
            2,
            "'npy' (did you mean 'npz'?); expected one of: hf-parquet, npz, ",
        ),
        (["{store}", "--to", "npz", "-o", "{out}", "--shard-videos", "5"], 2, "npz has no option 'shard_videos'"),
        (["{store}", "--to", "webdataset", "-o", "{out}", "--compress"], 2, "webdataset has no option 'compress'"),
        (["{store}", "--to", "webdataset", "-o", "{out}", "--shard-videos", "0"], 2, "shard_videos is 0; expected 1"),
        (["{store}", "--to", "npz", "-o", "{out}", "--format-option", "a"], 2, "'a'; expected KEY=VALUE, for example "),
        (["{store}", "--to", "npz", "-o", "{out}", "--format-option", "a=1"], 2, "npz has no option 'a'"),
        (
            ["{store}", "--to", "npz", "-o", "{out}", "--compress", "--format-option", "compress=false"],
            2,
            "--compress and --format-option compress=false are the same option; expected one of them",
        ),
        (["{store}", "--to", "npz"], 2, "Missing option '-o'"),
        (["{store}", "-o", "{out}"], 2, "Missing option '--to'"),
        (["{out}/none", "--to", "npz", "-o", "{out}"], 1, "no mask store at"),
        (["{store}", "--to", "npz", "-o", "{store}"], 1, "is a folder of something else"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str], code: int, words: str, call: Any, store: Path, tmp_path: Path
) -> None:
    ended, out, err = call(*(argument.format(store=store, out=tmp_path / "o") for argument in arguments))
    assert (ended, out) == (code, "")
    (line,) = err.splitlines()
    assert words in line
    assert not (tmp_path / "o").exists()


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from mgmtool.cli import main\n"
        "try: main(['export', '--help'])\n"
        "finally: assert not {'zarr', 'av', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
