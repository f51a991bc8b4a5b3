"""What every export format keeps, on a small store of made-up masks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mgmtool import export
from mgmtool.export import FORMATS, Exported
from mgmtool.plugins import Family
from mgmtool.store import Store, StoreWriter
from mgmtool.testing.plugin import PluginContract, cases
from mgmtool.types import ExtractSpec, MaskVolume, Orientation, Outcome, PatchGrid, VideoFacts, VideoInfo, VideoRef

SPEC = ExtractSpec(grid=PatchGrid(3, 4), energy_grid=PatchGrid(2, 5))
PARTS: Sequence[Mapping[str, int | None]] = (
    {"a/b.v2.mp4": 5, "a/b.mp4": 3, "bad.mp4": None},
    {"with space.mkv": 4, "100%.mp4": 2, "no ending": 6},
    {"worse.avi": None},
    {"z/.hidden": 7, "z/two..dots.": 2},
)
"""Videos of each part by id, with their frames; None is a video that failed."""


def make_volume(frames: int, seed: int, *, energy: bool = True) -> MaskVolume:
    """Make up masks."""
    random = np.random.default_rng(seed)
    grid, cells = SPEC.grid, SPEC.energy_grid
    return MaskVolume(
        mask=random.random((frames, grid.rows, grid.cols)) < 0.75,
        box=random.integers(0, 2000, (frames, 4), np.int16),
        pts=np.cumsum(random.integers(1, 10**12, frames, np.int64)),
        flags=random.integers(0, 64, frames, np.uint8),
        energy=random.integers(0, 256, (frames, cells.rows, cells.cols), np.uint8) if energy else None,
        energy_scale=random.random(frames, np.float32) if energy else None,
    )


def make_store(path: Path, parts: Sequence[Mapping[str, int | None]] = PARTS, *, energy: bool = True) -> None:
    """Write a store of made-up masks."""
    info = VideoInfo(480, 270, Orientation(), "h264", "mp4", Fraction(30000, 1001), Fraction(1, 15360), 0)
    writer = StoreWriter.open(path, SPEC, energy=energy, input_root="/videos", versions={})
    for number, lengths in enumerate(parts):
        with writer.part(number) as part:
            for seed, (video_id, frames) in enumerate(lengths.items()):
                video = VideoRef(video_id, f"/videos/{video_id}")
                if frames is None:
                    part.end_video(Outcome(video, None, "open", "cannot be opened", part=number))
                    continue
                part.append(make_volume(frames, 100 * number + seed, energy=energy))
                facts = VideoFacts(info, "codec", frames, frames // 2, 0, 0, (), "asked for")
                part.end_video(Outcome(video, facts, part=number))
            part.commit()
    writer.finish()


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file of an output, hidden ones included, by its name within."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _stops(test: FormatContract) -> range:
    return range(1, sum(frames is not None for lengths in test.parts for frames in lengths.values()))


class FormatContract(PluginContract):
    """Tests of export formats.

    Attributes
    ----------
    names : sequence of str
        The formats to test.
    options : mapping of str to mapping
        Options of each; a format that puts several videos in a file should put few in it here.
    parts : sequence of mapping
        Videos of each part of the store by id, with their frames; None is a video that failed.
    """

    family: ClassVar[Family[Any]] = FORMATS
    parts: ClassVar[Sequence[Mapping[str, int | None]]] = PARTS

    def contents(self, name: str, output: Path) -> Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]] | None:
        """Read an output: id, facts and arrays of each video, in order. None where that is not tested."""
        del name, output
        return None

    def export(self, name: str, folder: Path, output: str = "output") -> list[Exported]:
        """Export the store ``folder/store.zarr``, which is made if it is not there."""
        if not (folder / "store.zarr").exists():
            make_store(folder / "store.zarr", self.parts)
        return list(export.export(folder / "store.zarr", folder / output, name, **self.options.get(name, {})))

    @property
    def done(self) -> dict[str, int]:
        """Videos that have masks, with their frames."""
        return {name: frames for part in self.parts for name, frames in part.items() if frames is not None}

    def test_every_video_is_exported_in_order(self, name: str, tmp_path: Path) -> None:
        outcomes = self.export(name, tmp_path)
        assert {outcome.id: outcome.num_frames for outcome in outcomes} == self.done
        assert [outcome.id for outcome in outcomes] == list(self.done)
        assert all(outcome.ok and not outcome.skipped and outcome.message is None for outcome in outcomes)

    def test_ids_arrays_and_facts_are_those_of_the_store(self, name: str, tmp_path: Path) -> None:
        self.export(name, tmp_path)
        found = self.contents(name, tmp_path / "output")
        if found is None:
            return
        store, seen = Store.open(tmp_path / "store.zarr"), []
        for video_id, facts, arrays in found:
            seen.append(video_id)
            expected, row = store.volume(video_id).arrays(), store.videos.row(video_id)
            assert arrays.keys() == expected.keys()
            for column, values in expected.items():
                np.testing.assert_array_equal(arrays[column], values, err_msg=column, strict=True)
            assert facts == {key: row[key] for key in facts}
        assert seen == list(self.done)

    def test_a_store_without_energy(self, name: str, tmp_path: Path) -> None:
        make_store(tmp_path / "store.zarr", [{"v0.mp4": 3, "v1.mp4": 4}], energy=False)
        assert [outcome.ok for outcome in self.export(name, tmp_path)] == [True, True]
        for _, _, arrays in self.contents(name, tmp_path / "output") or ():
            assert set(arrays) == {"mask", "box", "pts", "flags"}

    @cases(parts=[[], [{"bad.mp4": None}]])
    def test_a_store_without_masks(self, name: str, parts: list[dict[str, None]], tmp_path: Path) -> None:
        make_store(tmp_path / "store.zarr", parts)
        assert self.export(name, tmp_path) == []
        assert all(path.startswith(".") for path in tree(tmp_path / "output"))
        assert self.export(name, tmp_path) == []

    def test_the_same_store_gives_the_same_bytes(self, name: str, tmp_path: Path) -> None:
        self.export(name, tmp_path, "one")
        self.export(name, tmp_path, "two")
        assert tree(tmp_path / "one") == tree(tmp_path / "two")

    def test_a_second_run_writes_nothing(self, name: str, tmp_path: Path) -> None:
        self.export(name, tmp_path)
        files = [path for path in (tmp_path / "output").rglob("[!.]*") if path.is_file()]
        before = {path: path.stat().st_mtime_ns for path in files}
        outcomes = self.export(name, tmp_path)
        assert {outcome.id: outcome.num_frames for outcome in outcomes} == self.done
        assert all(outcome.ok and outcome.skipped for outcome in outcomes)
        assert {path: path.stat().st_mtime_ns for path in files} == before

    @cases(stop=_stops)
    def test_a_run_that_is_stopped_is_resumed(self, name: str, stop: int, tmp_path: Path) -> None:
        self.export(name, tmp_path, "whole")
        outcomes = export.export(tmp_path / "store.zarr", tmp_path / "output", name, **self.options.get(name, {}))
        for _ in range(stop):
            next(outcomes)
        outcomes.close()
        assert tree(tmp_path / "output").items() <= tree(tmp_path / "whole").items()
        self.export(name, tmp_path)
        assert tree(tmp_path / "output") == tree(tmp_path / "whole")
