"""A power cut at any moment: the store opens or is not there, what was committed is whole, and the next run ends as any."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mgmtool import engines
from mgmtool.extraction import extract, prepare
from mgmtool.files import sync
from mgmtool.store import Store, verify
from mgmtool.types import ExtractSpec, PatchGrid
from support import power, stores, tiny_videos

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at files by their inodes")

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
INLINE = engines.build("inline")
RESUMED = 12
"""Disks on which a run is resumed."""


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    tiny_videos.write_clips(folder, 3)
    (folder / "3.mp4").write_text("not a video")
    return folder


@pytest.fixture(scope="module")
def reference(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("reference") / "m.zarr"
    list(extract([str(videos)], store, SPEC, INLINE))
    return store


def committed(disk: power.Disk) -> int:
    return sum(name.startswith("a/m.zarr/index/part-") for name in disk)


def check(disk: power.Disk, folder: Path) -> None:
    """The store of a disk is not there, or it opens and every record has its arrays."""
    power.restore(disk, folder)
    store = folder / "a" / "m.zarr"
    if (store / "zarr.json").exists():
        assert (store / "zarr.json").stat().st_size > 0, sorted(disk)
        # A part that got its place but not yet its record is told of, and does not count.
        wrong = [finding for finding in verify(store, deep=True) if finding.severity == "error"]
        assert [finding for finding in wrong if finding.kind != "missing"] == []
        for video_id in Store.open(store).index["id"].to_pylist():
            assert video_id
    else:
        assert committed(disk) == 0, sorted(disk)


def try_all(recorder: power.Recorder, tmp_path: Path, resume: Callable[[Path], None]) -> None:
    disks = list({frozenset(disk.items()): disk for _, disk in recorder.disks}.values())
    for number, disk in enumerate(disks):
        check(disk, tmp_path / "disk")
        if number % max(1, len(disks) // RESUMED) == 0:
            resume(tmp_path / "disk" / "a" / "m.zarr")
        shutil.rmtree(tmp_path / "disk")


def test_a_power_cut_while_a_store_is_made(videos: Path, reference: Path, tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    with power.recorded(tmp_path / "live") as recorder:

        def told(_: object) -> None:
            recorder.promised += 1

        for _ in prepare([str(videos)], tmp_path / "live" / "a" / "m.zarr", SPEC, INLINE).outcomes(told):
            pass
    assert len(recorder.disks) > 200
    assert any(disk == {} for _, disk in recorder.disks), "nothing need be on disk at first"
    for promised, disk in recorder.disks:
        assert committed(disk) >= promised, sorted(disk)
    assert {committed(disk) for _, disk in recorder.disks} == {0, 1, 2}

    def resume(store: Path) -> None:
        outcomes = list(extract([str(videos)], store, SPEC, INLINE))
        assert len(outcomes) <= 4
        stores.assert_same(store, reference)

    try_all(recorder, tmp_path, resume)


def test_a_power_cut_while_a_store_is_overwritten(videos: Path, reference: Path, tmp_path: Path) -> None:
    store = tmp_path / "live" / "a" / "m.zarr"
    list(extract([str(videos)], store, dataclasses.replace(SPEC, seed=3), INLINE))
    with power.recorded(tmp_path / "live") as recorder:
        for path in itertools.chain([tmp_path / "live"], (tmp_path / "live").rglob("*")):  # it is all on disk by now
            sync(path)
        recorder.disks.clear()
        prepare([str(videos)], store, SPEC, INLINE, overwrite=True)

    def resume(store: Path) -> None:
        list(prepare([str(videos)], store, SPEC, INLINE, overwrite=True).outcomes())
        stores.assert_same(store, reference)

    try_all(recorder, tmp_path, resume)
