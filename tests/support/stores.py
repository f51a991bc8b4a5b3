"""What two mask stores have in common, byte by byte; and volumes made up to fill one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mgmtool.store import StoreWriter
from mgmtool.store.checksums import METADATA_KEY
from mgmtool.store.index import ROOT_KEY
from mgmtool.types import ExtractSpec, MaskVolume, Orientation, Outcome, PatchGrid, VideoFacts, VideoInfo, VideoRef

SPEC = ExtractSpec(grid=PatchGrid(3, 4), energy_grid=PatchGrid(2, 5))
VERSIONS = {"pyav": "1.2.3"}
ROOT = "/videos"


def array_files(store: Path) -> dict[str, bytes]:
    """Every file of the Zarr side of a store, by name within the store, without the UUID, which no two stores share."""
    files = [store / "zarr.json", *sorted(path for path in store.glob("part-*/**/*") if path.is_file())]
    contents = {path.relative_to(store).as_posix(): path.read_bytes() for path in files}
    return contents | {"zarr.json": _without_uuid(contents["zarr.json"])}


def _without_uuid(content: bytes) -> bytes:
    return re.sub(rb'"uuid": "[0-9a-f-]{36}"', b'"uuid": ""', content)


def index_tables(store: Path) -> dict[str, pa.Table]:
    """Every Parquet table of a store, checksums included, without the one column that measures time and the store's UUID."""
    files = [*store.glob("*.parquet"), *sorted((store / "index").iterdir())]
    tables = {path.relative_to(store).as_posix(): pq.read_table(path).drop_columns(["seconds"]) for path in files}
    for name, table in tables.items():
        metadata = dict(table.schema.metadata or {})
        assert ({METADATA_KEY, ROOT_KEY} <= metadata.keys()) == name.startswith("index/"), name
        metadata = {key: _without_uuid(value) for key, value in metadata.items()}
        tables[name] = table.replace_schema_metadata(metadata)
    return tables


def assert_same(one: Path, other: Path) -> None:
    """Two stores hold the same bytes, the seconds of the index aside."""
    files, others = array_files(one), array_files(other)
    assert files.keys() == others.keys()
    assert [name for name, content in files.items() if others[name] != content] == []
    tables, more = index_tables(one), index_tables(other)
    assert tables.keys() == more.keys()
    assert [name for name, table in tables.items() if not more[name].equals(table, check_metadata=True)] == []
    assert visible(one) == visible(other)


def visible(store: Path) -> list[str]:
    """Names at the top of a store, hidden ones included, but for locks and for records of runs, which say when and where."""
    return sorted(path.name for path in store.iterdir() if path.name not in {"runs", ".lock"})


def make_volume(frames: int, seed: int = 0, spec: ExtractSpec = SPEC, energy: bool = True) -> MaskVolume:
    """Make up a volume of random content."""
    random = np.random.default_rng(seed)
    return MaskVolume(
        mask=random.random((frames, spec.grid.rows, spec.grid.cols)) < 0.75,
        box=random.integers(0, 2000, (frames, 4), np.int16),
        pts=np.cumsum(random.integers(1, 10**12, frames, np.int64)),
        flags=random.integers(0, 64, frames, np.uint8),
        energy=random.integers(0, 256, (frames, spec.energy_grid.rows, spec.energy_grid.cols), np.uint8)
        if energy
        else None,
        energy_scale=random.random(frames, np.float32) if energy else None,
    )


def done(video_id: str, frames: int, part: int = 0, seconds: float = 0.5) -> Outcome:
    """Outcome of a video that worked."""
    orientation = Orientation(transpose=True, flip_x=True)
    info = VideoInfo(480, 270, orientation, "h264", "mov,mp4", Fraction(30000, 1001), Fraction(1, 15360), frames)
    facts = VideoFacts(info, "codec", frames, frames // 2, 1, 2, ("edit_list", "header_count"), "asked for")
    return Outcome(VideoRef(video_id, f"{ROOT}/{video_id}", 1000, 10**18), facts, seconds=seconds, part=part)


def failed(video_id: str, part: int = 0) -> Outcome:
    """Outcome of a video that did not."""
    return Outcome(VideoRef(video_id, f"{ROOT}/{video_id}"), None, "open", "cannot be opened", 0.25, part)


def open_writer(path: Path, spec: ExtractSpec = SPEC, energy: bool = True, input_root: str = ROOT) -> StoreWriter:
    """Create or reopen a store with made-up facts around it."""
    return StoreWriter.open(path, spec, energy=energy, input_root=input_root, versions=VERSIONS)


def write_part(
    writer: StoreWriter,
    number: int,
    lengths: dict[str, int | None],
    seconds: float = 0.5,
    supersedes: Mapping[str, int] | None = None,
) -> dict[str, MaskVolume]:
    """Commit a part of made-up volumes; a length of None is a failed video. Returns the volumes by id."""
    older = supersedes or {}
    energy = any(column.name == "energy" for column in writer._arrays)
    volumes = {}
    with writer.part(number) as part:
        for seed, (video_id, frames) in enumerate(lengths.items()):
            if frames is None:
                part.end_video(failed(video_id, number), older.get(video_id))
                continue
            volumes[video_id] = make_volume(frames, 100 * number + seed, writer.spec, energy)
            part.append(volumes[video_id])
            part.end_video(done(video_id, frames, number, seconds), older.get(video_id))
        part.commit()
    return volumes


def assert_volumes_equal(one: MaskVolume, other: MaskVolume) -> None:
    """Two volumes have the same arrays, dtypes and shapes included."""
    arrays, others = one.arrays(), other.arrays()
    assert arrays.keys() == others.keys()
    for name, values in arrays.items():
        assert values.dtype == others[name].dtype, name
        np.testing.assert_array_equal(values, others[name], err_msg=name, strict=True)
