"""A store that contradicts itself is a ``StoreError`` of one line, for whoever reads it: never a traceback of a library."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mgmtool
from mgmtool import export
from mgmtool.errors import StoreError
from mgmtool.report import write_report
from mgmtool.store.index import SCHEMA
from support import stores
from support.calling import Call

HUGE = 10**15
PART = "part-00000"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("store") / "m.zarr"
    writer = stores.open_writer(place)
    stores.write_part(writer, 0, {"a.mp4": 7, "b.mp4": 5})
    writer.finish()
    return place


def edit_json(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def edit_array(name: str, **fields: Any) -> Callable[[Path], None]:
    return lambda place: edit_json(place / PART / name / "zarr.json", lambda content: content.update(fields))


def edit_root(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    return lambda place: edit_json(place / "zarr.json", lambda content: change(content["attributes"]))


def edit_rows(**values: Any) -> Callable[[Path], None]:
    """Give columns of the first row other values; the schema does not refuse a null that is not allowed to be one."""

    def edit(place: Path) -> None:
        for file in (place / "index" / f"{PART}.parquet", place / "index.parquet"):
            table = pq.read_table(file)
            rows = table.to_pylist()
            rows[0].update(values)
            schema = pa.schema([field.with_nullable(True) for field in SCHEMA], table.schema.metadata)
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)

    return edit


ATTACKS = {
    "rows beyond the arrays": edit_rows(row_stop=70, num_frames=70),
    "rows of a petabyte": edit_rows(row_stop=HUGE, num_frames=HUGE),
    "rows before the start": edit_rows(row_start=-7, num_frames=14),
    "rows that end before they start": edit_rows(row_start=7, row_stop=0),
    "another number of frames": edit_rows(num_frames=3),
    "no rows": edit_rows(row_start=None),
    "no size": edit_rows(height=None, width=None),
    "a picture without height": edit_rows(height=0),
    "no time base": edit_rows(time_base_den=0),
    "no id": edit_rows(id=None),
    "no status": edit_rows(status=None),
    "no part": edit_rows(part=-1),
    "no such part": edit_rows(part=77),
    "huge flags": edit_array("flags", shape=[HUGE]),
    "huge masks": edit_array("mask", shape=[HUGE, 14, 14]),
    "huge chunks": edit_array("energy", shape=[HUGE, HUGE, HUGE]),
    "flags of another type": edit_array("flags", data_type="float64"),
    "flags with two axes": edit_array("flags", shape=[12, 2]),
    "masks without axes": edit_array("mask", shape=[]),
    "a negative shape": edit_array("mask", shape=[-1, 4, 6]),
    "a shape of text": edit_array("flags", shape="many"),
    "an unknown codec": edit_array("flags", codecs=[{"name": "rot13"}]),
    "no metadata": lambda place: (place / PART / "flags" / "zarr.json").write_text("{}"),
    "no spec": edit_root(lambda attributes: attributes.pop("spec")),
    "a spec of text": edit_root(lambda attributes: attributes.update(spec="motion-guided")),
    "a spec with an unknown field": edit_root(lambda attributes: attributes["spec"].update(colour="red")),
    "a grid of nothing": edit_root(lambda attributes: attributes["spec"].update(grid=None)),
    "no input root": edit_root(lambda attributes: attributes.pop("input_root")),
    "an input root of a number": edit_root(lambda attributes: attributes.update(input_root=7)),
}


@pytest.fixture(params=ATTACKS)
def hostile(request: pytest.FixtureRequest, path: Path, tmp_path: Path) -> Path:
    place = shutil.copytree(path, tmp_path / "hostile.zarr")
    ATTACKS[request.param](place)
    return place


def harmless(action: Callable[[], Any]) -> bool:
    """Whether it works; an error of ours, in one line, is all that may come of it otherwise."""
    told = None
    try:
        action()
    except StoreError as error:
        told = str(error)
    assert "\n" not in (told or "")
    return told is None


@pytest.mark.parametrize("cache", [None, "ram", "mmap"])
def test_the_loader(hostile: Path, tmp_path: Path, cache: str | None) -> None:
    def read() -> None:
        store = mgmtool.open_store(hostile, cache, cache_folder=tmp_path / "cache")
        _ = store.spec
        store["a.mp4"]
        store.preload()
        store.clip("a.mp4", [0, 1], grid=(4, 6))
        store.clip("a.mp4", range(6), grid=(4, 6), scheme="tube")

    harmless(read)


def test_export_and_report(hostile: Path, tmp_path: Path) -> None:
    for name in export.names():
        harmless(lambda name=name: list(export.prepare(hostile, tmp_path / name, name).outcomes()))  # type: ignore[misc]
    harmless(lambda: write_report(hostile, tmp_path / "page.html", gallery=1))


def test_the_command_line(hostile: Path, tmp_path: Path, call: Call) -> None:
    for number, arguments in enumerate(
        (["info"], ["info", "a.mp4"], ["failures"], ["export", "--to", "npz"], ["report"])
    ):
        command, *more = arguments
        output = ["-o", tmp_path / f"out-{number}.html"] if command in {"export", "report"} else []
        ended = call(command, hostile, *more, *output)
        assert ended.code in {0, 1}
        assert ended.code == 0 or len(ended.err.splitlines()) == 1


def test_attacks_are_noticed(path: Path, tmp_path: Path) -> None:
    """So that the tests above test something."""
    noticed = 0
    for number, attack in enumerate(ATTACKS.values()):
        place = shutil.copytree(path, tmp_path / str(number))
        attack(place)
        noticed += not harmless(
            lambda place=place: (mgmtool.open_store(place).spec, mgmtool.open_store(place)["a.mp4"])
        )  # type: ignore[misc]
    assert noticed >= len(ATTACKS) - 5


def test_overlapping_rows_are_no_report(path: Path, tmp_path: Path) -> None:
    place = shutil.copytree(path, tmp_path / "m.zarr")
    table = pq.read_table(place / "index" / f"{PART}.parquet")
    rows = table.to_pylist()
    rows[1].update(row_start=2, row_stop=7)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), place / "index" / f"{PART}.parquet")
    with pytest.raises(StoreError, match=r"the index row of 'b\.mp4' contradicts itself"):
        write_report(place, tmp_path / "page.html", gallery=0)
