"""A damaged store is made whole again: what is wrong is dropped, what is sound stays, the same extraction does the rest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mgmtool.errors import StoreBusyError, StoreError
from mgmtool.extraction import extract
from mgmtool.files import Locks
from mgmtool.store import Repair, Store, repair, verify
from mgmtool.types import ExtractSpec, PatchGrid, Resume
from support import tiny_videos
from support.calling import exit_code

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
RECORD = "index/part-00001.parquet"


@pytest.fixture(scope="module")
def sound(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of four parts; nobody changes it."""
    store = tmp_path_factory.mktemp("sound") / "m.zarr"
    list(extract([str(mixed)], store, SPEC, "inline"))
    return store


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "m.zarr"))


def files(store: Path) -> dict[str, bytes]:
    """Every file but what runs and repairs say of themselves, and the lock."""
    there = {path.relative_to(store).as_posix(): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    return {name: content for name, content in there.items() if not name.startswith(("runs/", ".lock"))}


def rows(content: bytes) -> list[dict[str, object]]:
    return list(pq.read_table(pa.BufferReader(content)).drop_columns(["seconds"]).to_pylist())


def assert_same(store: Path, sound: Path) -> None:
    """Compare every byte; of Parquet files the rows, but for the seconds."""
    now, before = files(store), files(sound)
    assert now.keys() == before.keys()
    for name, content in before.items():
        assert rows(now[name]) == rows(content) if name.endswith(".parquet") else now[name] == content, name


def errors(store: Path) -> list[str]:
    return [f"{f.kind}: {f.message}" for f in verify(store, deep=True) if f.severity == "error"]


def flip(path: Path, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int((len(content) - 1) * at)] ^= 4
    path.write_bytes(bytes(content))


def drop_part(store: Path, number: int = 1) -> None:
    (store / f"index/part-0000{number}.parquet").unlink()
    shutil.rmtree(store / f"part-0000{number}")


def edit_root(store: Path, name: str, value: object) -> None:
    root = json.loads((store / "zarr.json").read_text())
    root["attributes"]["spec"][name] = value
    (store / "zarr.json").write_text(json.dumps(root, indent=2))


DAMAGE: dict[str, tuple[Callable[[Path], object], Repair]] = {
    "array": (lambda s: flip(s / "part-00001/mask/c/0/0/0"), Repair(dropped=[1], index=True, kept=3)),
    "array gone": (lambda s: (s / "part-00001/pts/c/0").unlink(), Repair(dropped=[1], index=True, kept=3)),
    "record": (lambda s: flip(s / RECORD), Repair(dropped=[1], index=True, kept=3)),
    "record unreadable": (lambda s: (s / RECORD).write_bytes(b"no"), Repair(dropped=[1], index=True, kept=3)),
    "record gone": (lambda s: (s / RECORD).unlink(), Repair(dropped=[1], index=True, kept=3)),
    "part gone": (drop_part, Repair(missing=[1], index=True, kept=3)),
    "last part gone": (lambda s: drop_part(s, 3), Repair(missing=[3], index=True, kept=3)),
    "last part gone, and the index": (
        lambda s: (drop_part(s, 3), (s / "index.parquet").unlink()),
        Repair(lost=1, index=True, kept=3),
    ),
    "root gone": (lambda s: (s / "zarr.json").unlink(), Repair(root=True, kept=4)),
    "root empty": (lambda s: (s / "zarr.json").write_bytes(b""), Repair(root=True, kept=4)),
    "root flipped": (lambda s: flip(s / "zarr.json", 0.02), Repair(root=True, kept=4)),
    "root edited": (lambda s: edit_root(s, "seed", 7), Repair(root=True, kept=4)),
    "index": (lambda s: flip(s / "index.parquet"), Repair(index=True, kept=4)),
    "root and record": (
        lambda s: (edit_root(s, "grid", "8x8"), flip(s / RECORD, 0.9)),
        Repair(root=True, dropped=[1], index=True, kept=3),
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_repaired_and_extract_makes_the_store_whole(name: str, store: Path, sound: Path, mixed: Path) -> None:
    spoil, expected = DAMAGE[name]
    spoil(store)
    before = files(store)
    assert errors(store)
    found = repair(store, dry_run=True)
    assert files(store) == before
    assert found.wrong
    expected.findings = found.findings
    assert found == expected
    assert repair(store) == found
    untouched = {file: content for file, content in before.items() if "00001" not in file and "/" in file}
    assert {file: files(store)[file] for file in untouched} == untouched
    assert errors(store) == []
    assert not repair(store).wrong
    list(extract([str(mixed)], store, SPEC, "inline"))
    assert_same(store, sound)
    assert list(verify(store, deep=True)) == []


def test_a_sound_store_is_not_touched(store: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.name != ".lock"}
    assert repair(store) == Repair(kept=4)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.name != ".lock"} == before


def test_the_record_of_another_store_is_dropped(store: Path, mixed: Path, tmp_path: Path, sound: Path) -> None:
    other = tmp_path / "other.zarr"
    list(extract([str(mixed)], other, ExtractSpec(**{**vars_of(SPEC), "seed": 3}), "inline"))
    shutil.copy(other / RECORD, store / RECORD)
    shutil.rmtree(store / "part-00001")
    shutil.copytree(other / "part-00001", store / "part-00001")
    assert any("attribute spec.seed is 0; the record of part 1 says 3" in line for line in errors(store))
    assert repair(store).dropped == [1]
    list(extract([str(mixed)], store, SPEC, "inline"))
    assert_same(store, sound)


def vars_of(spec: ExtractSpec) -> dict[str, object]:
    return {name: getattr(spec, name) for name in ("grid", "energy_grid", "part_videos")}


def test_parts_that_supersede_a_dropped_one_stay_if_it_comes_back(store: Path, mixed: Path) -> None:
    again = Resume(retry_failed=True)
    list(extract([str(mixed)], store, SPEC, "inline", resume=again))
    list(extract([str(mixed)], store, SPEC, "inline", resume=again))
    whole = files(store)
    assert len([name for name in whole if name.startswith("index/")]) == 8
    failed = next(number for number in range(4) if b"open" in (store / f"index/part-0000{number}.parquet").read_bytes())
    flip(store / f"index/part-0000{failed}.parquet")
    assert repair(store).dropped == [failed]
    assert errors(store) == []
    list(extract([str(mixed)], store, SPEC, "inline"))
    assert errors(store) == []
    assert files(store).keys() == whole.keys()
    # The next link of a chain goes with the one before it: its rows would count beside those it does not supersede.
    flip(store / "index/part-00004.parquet")
    dropped = repair(store).dropped
    assert dropped[0] == 4
    assert len(dropped) == 2
    assert errors(store) == []


def test_repair_refuses_while_a_run_holds_the_store(store: Path) -> None:
    flip(store / RECORD)
    before = files(store)
    locks = Locks(store / ".lock")
    for number in (0, (1 << 40) + (2 << 20 | 1)):
        assert locks.take(number)
        for dry_run in (False, True):
            with pytest.raises(StoreBusyError, match=r"a run is writing .*; it cannot be repaired"):
                repair(store, dry_run=dry_run)
        locks.give(number)
    assert files(store) == before
    locks.close()
    assert repair(store).dropped == [1]


def test_what_cannot_be_repaired(store: Path, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone"):
        with pytest.raises(StoreError, match="mask store"):
            repair(path)
        assert not (path / ".lock").exists()
    shutil.rmtree(store / "index")
    (store / "zarr.json").unlink()
    with pytest.raises(StoreError, match="is not a mask store"):
        repair(store)


def test_a_remote_store_is_repaired(sound: Path, mixed: Path) -> None:
    import fsspec

    memory, url = fsspec.filesystem("memory"), "memory://repair/m.zarr"
    memory.put(f"{sound}/", url, recursive=True)
    try:
        memory.pipe_file(f"{url}/{RECORD}", b"no")
        memory.rm(f"{url}/zarr.json")
        found = repair(url)
        assert (found.dropped, found.root, found.kept) == ([1], True, 3)
        assert memory.find(f"{url}/part-00001") == []
        assert [f for f in verify(url, deep=True) if f.severity == "error"] == []
        list(extract([str(mixed)], url, SPEC, "inline"))
        assert list(verify(url, deep=True)) == []
    finally:
        memory.rm("/repair", recursive=True)


def test_cli_repair(store: Path, mixed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert exit_code("repair", store) == 0
    assert capfd.readouterr().out == f"{store}: nothing is wrong; 4 parts\n"
    flip(store / RECORD)
    edit_root(store, "seed", 7)
    assert exit_code("repair", store, "--dry-run") == 3
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "error: zarr.json: attribute spec.seed is 7; the records say 0"
    assert lines[1].startswith(f"error: {RECORD}: ")
    assert lines[-4:] == [
        f"{store}: zarr.json would be rebuilt from the commit records",
        f"{store}: would be dropped: part 1",
        f"{store}: index.parquet would be rebuilt",
        f"{store}: 3 parts are sound and stay as they are; the same extract command makes it whole",
    ]
    assert exit_code("repair", store, "--json") == 0
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    summary = events.pop()
    assert {event["event"] for event in events} == {"finding"}
    assert summary == {
        "event": "summary",
        "store": str(store),
        "wrong": True,
        "dry_run": False,
        "root": True,
        "dropped": [1],
        "missing": [],
        "lost": 0,
        "index": True,
        "kept": 3,
    }
    assert exit_code("repair", store, "-q", "--dry-run") == 0
    assert exit_code("verify", store, "-q") == 0
    assert capfd.readouterr().out == ""
    assert exit_code("repair", tmp_path / "gone") == 1
    assert exit_code("repair") == 2


def test_a_lost_root_says_what_to_do(store: Path, mixed: Path) -> None:
    (store / "zarr.json").unlink()
    for act in (lambda: Store.open(store), lambda: list(extract([str(mixed)], store, SPEC, "inline"))):
        with pytest.raises(
            StoreError, match=r"not a mask store; it has commit records: mgmtool repair .* rebuilds the root"
        ):
            act()


def test_what_a_dropped_part_held_is_done_once_when_the_list_has_changed(tmp_path: Path) -> None:
    """Videos that were done again are not done a third time though the part they were first in does not come back."""
    folder, store = tmp_path / "v", tmp_path / "m.zarr"
    tiny_videos.write_mixed(folder)
    list(extract([str(folder)], store, SPEC, "inline"))
    list(extract([str(folder)], store, SPEC, "inline", resume=Resume(retry_failed=True)))
    (folder / "000.mp4").write_bytes(tiny_videos.clip())
    list(extract([str(folder)], store, SPEC, "inline"))
    ids = sorted(Store.open(store).index["id"].to_pylist())
    flip(store / RECORD)
    assert repair(store).dropped == [1]
    list(extract([str(folder)], store, SPEC, "inline"))
    assert errors(store) == []
    assert sorted(Store.open(store).index["id"].to_pylist()) == ids
