"""The reader in docs/store.md, which knows the specification and nothing of mgmtool, reads what mgmtool reads."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zarr
from test_docs import ROOT, blocks, section

from mgmtool import open_store
from mgmtool.extraction import extract
from mgmtool.store.layout import ATTRIBUTES, frame_arrays
from mgmtool.types import ExtractSpec, PatchGrid, Resume
from support.stores import assert_volumes_equal, done, make_volume, open_writer, write_part
from support.tiny_videos import clip, write_clips

PAGE = ROOT / "docs" / "store.md"
ARRAYS = ("mask", "energy", "energy_scale", "box", "pts", "flags")


@pytest.fixture(scope="module")
def reader() -> type[Any]:
    code = next(code for code in blocks(PAGE, "python") if "class Reader" in code)
    names: dict[str, Any] = {}
    exec(code.partition("\n\nreader = ")[0], names)
    return names["Reader"]


def test_it_has_thirty_lines_and_two_libraries() -> None:
    code = next(code for code in blocks(PAGE, "python") if "class Reader" in code)
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    assert set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)) == {"pathlib", "pyarrow", "zarr"}


def test_it_reads_the_same_masks(reader: type[Any], tmp_path: Path) -> None:
    """Videos of several parts, one that fails, and one that was done again after it had failed."""
    write_clips(tmp_path / "videos", 3)
    (tmp_path / "videos" / "1.mp4").write_bytes(b"")
    spec, where = ExtractSpec(grid=PatchGrid(7, 9), part_videos=2), tmp_path / "masks.zarr"
    list(extract([str(tmp_path / "videos")], where, spec, engine="inline"))
    with pytest.raises(KeyError, match=r"^'1\.mp4 failed \(open\)"):
        reader(where).read("1.mp4", "mask")
    (tmp_path / "videos" / "1.mp4").write_bytes(clip(20, 5))
    list(extract([str(tmp_path / "videos")], where, spec, engine="inline", resume=Resume(retry_failed=True)))
    ours, theirs = open_store(where), reader(where)
    assert sorted(theirs.rows) == sorted(ours) == ["0.mp4", "1.mp4", "2.mp4"]
    assert theirs.rows["1.mp4"]["supersedes"] == 0
    for name in ours:
        for array, values in ours.volume(name).arrays().items():
            np.testing.assert_array_equal(theirs.read(name, array), values, strict=True)


def test_a_row_that_was_superseded_does_not_count(reader: type[Any], tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "masks.zarr")
    first = write_part(writer, 0, {"a.mp4": 5, "b.mp4": 3})
    second = write_part(writer, 3, {"a.mp4": 7}, supersedes={"a.mp4": 0})
    (tmp_path / "masks.zarr" / "part-00004").mkdir()  # litter: it has no record
    found = reader(tmp_path / "masks.zarr")
    assert_volumes_equal(second["a.mp4"], type(second["a.mp4"])(**{name: found.read("a.mp4", name) for name in ARRAYS}))
    np.testing.assert_array_equal(found.read("b.mp4", "mask"), first["b.mp4"].mask)


def test_another_version_is_refused(reader: type[Any], tmp_path: Path) -> None:
    zarr.create_group(str(tmp_path / "masks.zarr"), attributes={"format": "mgmtool", "version": 2})
    with pytest.raises(ValueError, match="no mask store of version 1"):
        reader(tmp_path / "masks.zarr")


def table(title: str) -> list[list[str]]:
    lines = section(PAGE.read_text("utf-8"), title).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def test_the_arrays_are_as_specified(tmp_path: Path) -> None:
    """Name, type, axes, fill value, chunks, shards and codecs of the page against what is written."""
    write_part(open_writer(tmp_path / "masks.zarr"), 0, {"a.mp4": 5})
    rows = {cells[0].strip("`"): cells for cells in table("Arrays of a part")}
    part = zarr.open_group(str(tmp_path / "masks.zarr" / "part-00000"), mode="r")
    assert sorted(rows) == sorted(name for name, _ in part.arrays()) == sorted(ATTRIBUTES["axes"])
    text = section(PAGE.read_text("utf-8"), "Encoding")
    for name, (_, dtype, shape, axes, fill, _) in rows.items():
        meta = json.loads((tmp_path / "masks.zarr" / "part-00000" / name / "zarr.json").read_text())
        assert meta["data_type"] == dtype
        assert [f"`{axis}`" for axis in meta["dimension_names"]] == axes.split(", ")
        assert len(meta["shape"]) == shape.count(",") + 1
        assert json.dumps(meta["fill_value"]) == fill
        assert meta["attributes"] == {}
        outer, codecs = meta["chunk_grid"]["configuration"]["chunk_shape"], meta["codecs"]
        if name != "offset":
            assert f"shards of {outer[0]:,} frames" in text
            (sharding,) = codecs
            assert sharding["name"] == "sharding_indexed"
            assert f"chunks of {sharding['configuration']['chunk_shape'][0]} frames" in text
            assert sharding["configuration"]["index_location"] == "end"
            codecs = sharding["configuration"]["codecs"]
        blosc = codecs[1]["configuration"]
        assert [codec["name"] for codec in codecs] == ["bytes", "blosc"]
        assert (blosc["cname"], blosc["clevel"], blosc["shuffle"]) == ("zstd", 5, "bitshuffle")


def test_arrays_of_fill_values_are_not_written(reader: type[Any], tmp_path: Path) -> None:
    """What the page says of missing files: flags that are all 0 have no file, and read as 0."""
    writer = open_writer(tmp_path / "masks.zarr")
    with writer.part(0) as part:
        part.append(replace(make_volume(4), flags=np.zeros(4, np.uint8)))
        part.end_video(done("a.mp4", 4))
        part.commit()
    folder = tmp_path / "masks.zarr" / "part-00000"
    assert not (folder / "flags" / "c").exists()
    assert (folder / "mask" / "c").exists()
    np.testing.assert_array_equal(reader(tmp_path / "masks.zarr").read("a.mp4", "flags"), np.zeros(4, np.uint8))


def test_attributes_and_columns_are_as_specified(tmp_path: Path) -> None:
    write_part(open_writer(tmp_path / "masks.zarr"), 0, {"a.mp4": 5, "b.mp4": None})
    attributes = dict(zarr.open_group(str(tmp_path / "masks.zarr"), mode="r").attrs)
    rows = table("Attributes of the root group")
    assert {name for cells in rows for name in re.findall(r"`(\w+)`", cells[0])} == attributes.keys()
    spec = next(cells[1] for cells in rows if cells[0] == "`spec`")
    assert attributes["spec"].keys() <= set(re.findall(r"`(\w+)`", spec))
    record = pq.read_table(tmp_path / "masks.zarr" / "index" / "part-00000.parquet")
    named = {name for cells in table("The index") for name in re.findall(r"`(\w+)`", cells[0])}
    assert named <= set(record.column_names)
    (whole, failed) = record.to_pylist()
    offset = zarr.open_group(str(tmp_path / "masks.zarr" / "part-00000"), mode="r")["offset"][:]
    assert offset.tolist() == [whole["row_start"], whole["row_stop"]] == [0, 5]
    assert failed["row_start"] == failed["row_stop"]
    files = json.loads(record.schema.metadata[b"mgmtool.files"])
    there = {path.relative_to(tmp_path / "masks.zarr" / "part-00000").as_posix() for path in
             (tmp_path / "masks.zarr" / "part-00000").rglob("*") if path.is_file()}  # fmt: skip
    assert files.keys() == there


def test_stores_without_energy_lack_both_arrays() -> None:
    names = {array.name for array in frame_arrays(ExtractSpec(), energy=False)}
    assert names == set(ARRAYS) - {"energy", "energy_scale"}


def test_names_that_are_no_unicode(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    name = b"caf\xe9.mp4".decode("utf-8", "surrogateescape")
    (tmp_path / "videos" / name).write_bytes(clip())
    list(extract([str(tmp_path / "videos")], tmp_path / "masks.zarr", engine="inline"))
    assert pq.read_table(tmp_path / "masks.zarr" / "index.parquet")["id"].to_pylist() == [r"caf\udce9.mp4"]
    assert r"the id `caf\udce9.mp4`" in PAGE.read_text("utf-8").replace("\n", " ")
