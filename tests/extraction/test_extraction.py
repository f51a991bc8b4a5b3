"""A folder to a store, end to end: the same bytes whoever did the work and however often it was interrupted."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mgmtool
from mgmtool import engines, training
from mgmtool.corpus import scan
from mgmtool.engines import Engine
from mgmtool.errors import InputError, OpenFailure, SpecMismatchError, StoreError, StoreWriteError, UsageError
from mgmtool.extraction import extract, extract_video, prepare
from mgmtool.extraction import stream as pipeline
from mgmtool.extraction.journal import JournalWriter
from mgmtool.store import Store
from mgmtool.types import Clip, ExtractSpec, FrameFlag, MaskVolume, Outcome, PatchGrid, TokenMask
from support import stores, tiny_videos

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
INLINE = engines.build("inline")
IDS = ["0.mp4", "1.mp4", "2.mp4", "3.mp4", "audio.mp4", "empty.mp4", "text.mp4"]


def run(folder: Path, output: Path, engine: str | Engine = "inline", spec: ExtractSpec = SPEC) -> list[Outcome]:
    return list(extract([str(folder)], output, spec, engine))


def local(workers: int) -> Engine:
    return engines.build("local", {"workers": workers, "timeout": 60})


@pytest.fixture(scope="module")
def reference(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the reference engine makes of them; nobody changes it."""
    store = tmp_path_factory.mktemp("reference") / "m.zarr"
    run(mixed, store)
    return store


def test_every_input_ends_done_or_failed_with_its_class(mixed: Path, tmp_path: Path) -> None:
    outcomes = run(mixed, tmp_path / "m.zarr")
    assert [outcome.video.id for outcome in outcomes] == IDS
    assert [outcome.part for outcome in outcomes] == [0, 0, 1, 1, 2, 2, 3]
    assert {o.video.id: o.failure for o in outcomes if not o.done} == tiny_videos.NOT_VIDEOS
    assert {o.video.id: o.facts.num_frames for o in outcomes if o.facts} == {f"{n}.mp4": 12 + n for n in range(4)}
    for outcome in outcomes:
        assert (outcome.facts is None) == (outcome.message is not None) == (not outcome.done)
        assert outcome.seconds > 0
        assert "\n" not in (outcome.message or "")


def test_the_store_holds_what_the_outcomes_say(reference: Path) -> None:
    store = Store.open(reference)
    assert store.index["id"].to_pylist() == IDS
    assert store.failures() == Counter(tiny_videos.NOT_VIDEOS.values())
    for number in range(4):
        volume = store.volume(f"{number}.mp4")
        assert volume.mask.shape == (12 + number, 4, 6)
        assert volume.mask.sum(axis=(1, 2)).tolist() == [18] * len(volume)
        assert volume.energy is not None
        assert volume.energy.shape == (12 + number, 3, 4)
        assert volume.flags[0] & FrameFlag.KEY_FRAME
        assert volume.flags[1:].any()


def test_the_box_lies_in_the_picture_and_is_hidden(reference: Path) -> None:
    volume = Store.open(reference).volume("0.mp4")
    for y0, x0, y1, x1 in volume.box.tolist():
        assert 0 <= y0 < y1 <= tiny_videos.HEIGHT
        assert 0 <= x0 < x1 <= tiny_videos.WIDTH


@pytest.mark.parametrize("workers", [1, 2])
def test_local_engine_writes_the_same_bytes(mixed: Path, reference: Path, tmp_path: Path, workers: int) -> None:
    run(mixed, tmp_path / "m.zarr", local(workers))
    stores.assert_same(tmp_path / "m.zarr", reference)


@pytest.mark.parametrize("stop", range(1, 8))
def test_interrupted_and_resumed_run_writes_the_same_bytes(
    mixed: Path, reference: Path, tmp_path: Path, stop: int
) -> None:
    output = tmp_path / "m.zarr"
    with closing(prepare([str(mixed)], output, SPEC, INLINE).outcomes()) as outcomes:
        first = [next(outcomes).video.id for _ in range(stop)]
    committed = (stop - 1) // 2 * 2  # the part in which the last outcome lies was not
    assert Store.open(output).index["id"].to_pylist() == IDS[:committed]
    assert "index.parquet" not in stores.visible(output)
    assert first == IDS[:stop]
    again = run(mixed, output)
    assert [outcome.video.id for outcome in again] == IDS[committed:]
    assert [outcome.video.id for outcome in again if outcome.resumed] == IDS[committed:stop]
    stores.assert_same(output, reference)


def test_run_interrupted_with_workers_and_resumed_without(mixed: Path, reference: Path, tmp_path: Path) -> None:
    with closing(prepare([str(mixed)], tmp_path / "m.zarr", SPEC, local(2)).outcomes()) as outcomes:
        for _ in range(5):
            next(outcomes)
    run(mixed, tmp_path / "m.zarr")
    stores.assert_same(tmp_path / "m.zarr", reference)


def test_hole_left_by_another_process_is_filled(mixed: Path, reference: Path, tmp_path: Path) -> None:
    run(mixed, tmp_path / "m.zarr")
    (tmp_path / "m.zarr" / "index" / "part-00001.parquet").unlink()
    assert [outcome.video.id for outcome in run(mixed, tmp_path / "m.zarr")] == ["2.mp4", "3.mp4"]
    stores.assert_same(tmp_path / "m.zarr", reference)


def test_a_run_is_prepared_without_decoding(mixed: Path, tmp_path: Path) -> None:
    ready = prepare([str(mixed)], tmp_path / "m.zarr", SPEC, INLINE)
    assert ready.remaining == 7
    assert [len(part.videos) for part in ready.parts] == [2, 2, 2, 1]
    assert not ready.earlier
    assert stores.visible(tmp_path / "m.zarr") == ["index", "zarr.json"]


def test_second_run_has_nothing_to_do(mixed: Path, reference: Path, tmp_path: Path) -> None:
    run(mixed, tmp_path / "m.zarr")
    ready = prepare([str(mixed)], tmp_path / "m.zarr", SPEC, INLINE)
    assert ready.remaining == 0
    assert ready.earlier == {"done": 4, "failed": 3}
    assert list(ready.outcomes()) == []
    stores.assert_same(tmp_path / "m.zarr", reference)


def test_lost_index_is_gathered_again(mixed: Path, reference: Path, tmp_path: Path) -> None:
    run(mixed, tmp_path / "m.zarr")
    (tmp_path / "m.zarr" / "index.parquet").unlink()
    assert run(mixed, tmp_path / "m.zarr") == []
    stores.assert_same(tmp_path / "m.zarr", reference)


def test_videos_added_later_make_new_parts(tmp_path: Path) -> None:
    folder, output = tmp_path / "videos", tmp_path / "m.zarr"
    tiny_videos.write_clips(folder, 3)
    run(folder, output)
    before = stores.array_files(output)
    (folder / "00.mp4").write_bytes(tiny_videos.clip(9))
    (folder / "sub").mkdir()
    (folder / "sub" / "0.mp4").write_bytes(tiny_videos.clip(8))
    assert [(outcome.video.id, outcome.part) for outcome in run(folder, output)] == [("00.mp4", 2), ("sub/0.mp4", 2)]
    assert stores.array_files(output).items() >= before.items()
    assert Store.open(output).index["id"].to_pylist() == ["0.mp4", "1.mp4", "2.mp4", "00.mp4", "sub/0.mp4"]
    assert len(Store.open(output).volume("sub/0.mp4")) == 8


def test_part_that_ran_full_of_bytes_is_cut(tmp_path: Path) -> None:
    paths = tiny_videos.write_clips(tmp_path / "videos", 3)
    spec = dataclasses.replace(SPEC, part_videos=100, part_bytes=min(path.stat().st_size for path in paths))
    assert [outcome.part for outcome in run(tmp_path / "videos", tmp_path / "m.zarr", spec=spec)] == [0, 1, 2]


def test_missing_file_of_a_list_is_a_failed_video(tmp_path: Path) -> None:
    (video,) = tiny_videos.write_clips(tmp_path, 1)
    found = scan([], (".mp4",), listed=[str(video), str(tmp_path / "gone.mp4")])
    outcomes = list(prepare(found, tmp_path / "m.zarr", SPEC, INLINE).outcomes())
    assert [outcome.failure for outcome in outcomes] == [None, "open"]
    assert "No such file" in (outcomes[1].message or "")


@pytest.mark.parametrize(
    "name", ["été 🏃 片.mp4", "two\nlines.mp4", "concat:a.mp4", "%03d.mp4", "a?b#c.mp4", "-x.mp4", "x.txt.mp4"]
)
def test_odd_names_are_extracted(tmp_path: Path, name: str) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / name).write_bytes(tiny_videos.clip())
    (outcome,) = run(tmp_path / "videos", tmp_path / "m.zarr")
    assert (outcome.video.id, outcome.failure) == (name, None)
    assert len(Store.open(tmp_path / "m.zarr").volume(name)) == 12


def test_name_that_is_not_unicode_is_done_or_failed(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    try:
        (tmp_path / "videos" / os.fsdecode(b"caf\xe9.mp4")).write_bytes(tiny_videos.clip())
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    (outcome,) = run(tmp_path / "videos", tmp_path / "m.zarr", local(1))
    assert (outcome.video.id, outcome.failure) == ("caf\\udce9.mp4", None)
    assert Store.open(tmp_path / "m.zarr").index["id"].to_pylist() == ["caf\\udce9.mp4"]


def in_small_pieces(monkeypatch: pytest.MonkeyPatch, chunk: int, lookahead: int) -> None:
    monkeypatch.setattr(pipeline, "CHUNK_FRAMES", chunk)
    monkeypatch.setattr(pipeline, "LOOKAHEAD", lookahead)


def test_long_videos_go_through_the_journal_chunk_by_chunk(
    mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(mixed, tmp_path / "whole.zarr")
    in_small_pieces(monkeypatch, 5, 20)
    sizes: list[int] = []
    add = JournalWriter.add

    def note(journal: JournalWriter, volume: MaskVolume) -> None:
        sizes.append(len(volume))
        add(journal, volume)

    monkeypatch.setattr(JournalWriter, "add", note)
    run(mixed, tmp_path / "pieces.zarr")
    stores.assert_same(tmp_path / "whole.zarr", tmp_path / "pieces.zarr")
    assert (max(sizes), sum(sizes)) == (5, 12 + 13 + 14 + 15)


def test_a_run_that_cannot_write_keeps_what_is_finished(
    mixed: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("mgmtool.store.PartWriter.append", broken_append)
        with pytest.raises(StoreWriteError):
            run(mixed, tmp_path / "m.zarr")
    assert [outcome.video.id for outcome in run(mixed, tmp_path / "m.zarr") if outcome.resumed] == ["0.mp4"]
    stores.assert_same(tmp_path / "m.zarr", reference)


def broken_append(*_: Any) -> None:
    raise StoreWriteError("no space")


def test_lookahead_as_long_as_the_video_hides_the_cutting(
    mixed: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_small_pieces(monkeypatch, 6, 9)
    volume = extract_video(mixed / "3.mp4", SPEC)
    stores.assert_volumes_equal(volume, Store.open(reference).volume("3.mp4"))


@pytest.mark.parametrize("scheme", ["random", "tube", "simulated-motion", "centre-box"])
def test_cutting_changes_nothing_for_schemes_that_do_not_look(
    mixed: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    spec = dataclasses.replace(SPEC, scheme=scheme)
    whole = extract_video(mixed / "3.mp4", spec)
    in_small_pieces(monkeypatch, 4, 0)
    stores.assert_volumes_equal(extract_video(mixed / "3.mp4", spec), whole)


def test_chunks_are_bounded(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_pieces(monkeypatch, 4, 2)
    (video,) = scan([str(mixed / "3.mp4")], ()).videos
    with pipeline.stream_masks(video, SPEC) as stream:
        assert [len(chunk) for chunk in stream.chunks] == [4, 4, 4, 3]
        assert stream.facts().num_frames == 15


def test_one_video_gives_what_the_store_holds(mixed: Path, reference: Path) -> None:
    store = Store.open(reference)
    for number in range(4):
        stores.assert_volumes_equal(extract_video(mixed / f"{number}.mp4", SPEC), store.volume(f"{number}.mp4"))


def test_one_video_that_is_none_raises_its_failure(mixed: Path) -> None:
    with pytest.raises(OpenFailure, match="the file is empty"):
        extract_video(mixed / "empty.mp4")


def test_public_names_are_the_ones_of_their_modules() -> None:
    assert mgmtool.extract is extract
    assert mgmtool.extract_video is extract_video
    assert mgmtool.open_store is training.open_store
    assert (mgmtool.MaskStore, mgmtool.Clip, mgmtool.TokenMask) == (training.MaskStore, Clip, TokenMask)
    assert (mgmtool.adapters.__name__, mgmtool.schemes.__name__) == ("mgmtool.adapters", "mgmtool.schemes")
    assert mgmtool.ExtractSpec is ExtractSpec
    assert (mgmtool.MaskVolume, mgmtool.Outcome, mgmtool.PatchGrid) == (MaskVolume, Outcome, PatchGrid)
    assert set(mgmtool.__all__) <= set(dir(mgmtool))
    with pytest.raises(AttributeError, match="no attribute 'extrakt'"):
        _ = mgmtool.extrakt


def test_import_of_the_package_is_light() -> None:
    heavy = "{'numpy', 'av', 'numba', 'zarr', 'pyarrow', 'click', 'psutil'} & set(sys.modules)"
    code = f"import sys, mgmtool; assert not {heavy}; mgmtool.PatchGrid(1, 1); assert 'av' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_extract_uses_workers_by_default(mixed: Path, reference: Path, tmp_path: Path) -> None:
    outcomes = mgmtool.extract([str(mixed)], tmp_path / "m.zarr", SPEC)
    assert isinstance(outcomes, Iterator)
    assert [outcome.video.id for outcome in outcomes] == IDS
    stores.assert_same(tmp_path / "m.zarr", reference)


def test_overwrite_makes_the_store_anew(mixed: Path, reference: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.zarr"
    run(mixed, output, spec=dataclasses.replace(SPEC, ratio=0.5))
    with pytest.raises(SpecMismatchError, match=r"ratio=0\.5, this run asks for 0\.75"):
        run(mixed, output)
    list(prepare([str(mixed)], output, SPEC, INLINE, overwrite=True).outcomes())
    stores.assert_same(output, reference)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scheme": "tubes"}, "unknown scheme 'tubes' (did you mean 'tube'?)"),
        ({"source": "codek"}, "unknown source 'codek' (did you mean 'codec'?)"),
        ({"scheme_options": {"smoth": 1}}, "motion-guided has no option 'smoth'"),
        ({"source_options": {"cell": 5}}, "auto option cell is 5"),
        ({"ratio": 1.5}, "ratio is 1.5; expected 0 to 1"),
    ],
)
def test_bad_spec_writes_nothing(mixed: Path, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        run(mixed, tmp_path / "m.zarr", spec=dataclasses.replace(SPEC, **changes))
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_missing_input_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        run(tmp_path / "gone", tmp_path / "m.zarr")
    assert list(tmp_path.iterdir()) == []


def test_missing_input_keeps_the_store_that_was_to_be_overwritten(mixed: Path, tmp_path: Path) -> None:
    run(mixed, tmp_path / "m.zarr")
    with pytest.raises(InputError):
        prepare([str(tmp_path / "gone")], tmp_path / "m.zarr", SPEC, INLINE, overwrite=True)
    assert Store.open(tmp_path / "m.zarr").index.num_rows == 7


def test_output_that_is_a_video_is_refused(mixed: Path, tmp_path: Path) -> None:
    (video,) = tiny_videos.write_clips(tmp_path, 1)
    before = video.read_bytes()
    with pytest.raises(StoreError, match="is a file"):
        prepare([str(mixed)], video, SPEC, INLINE, overwrite=True)
    assert video.read_bytes() == before


def test_scheme_without_motion_serves_videos_without_vectors(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(tiny_videos.clip(codec="ffv1", container="matroska"))
    spec = dataclasses.replace(SPEC, scheme="tube")
    assert extract_video(tmp_path / "a.mkv", spec).energy is None
    (outcome,) = run(tmp_path / "a.mkv", tmp_path / "tube.zarr", spec=spec)
    assert outcome.done
    (outcome,) = run(tmp_path / "a.mkv", tmp_path / "codec.zarr", spec=dataclasses.replace(SPEC, source="codec"))
    assert outcome.failure == "no_motion_vectors"


def test_the_index_says_which_source_was_used_and_why(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mkv").write_bytes(tiny_videos.clip(codec="ffv1", container="matroska"))
    (tmp_path / "in" / "b.mp4").write_bytes(tiny_videos.clip())
    run(tmp_path / "in", tmp_path / "auto.zarr")
    run(tmp_path / "in", tmp_path / "reencode.zarr", spec=dataclasses.replace(SPEC, source="reencode"))
    reasons = ["ffv1: no motion vectors in 12 frames, 1 of them key frames", "vectors in frame 1"]
    chosen, forced = (Store.open(tmp_path / name).index for name in ("auto.zarr", "reencode.zarr"))
    assert chosen.column("source").to_pylist() == ["reencode", "codec"]
    assert chosen.column("source_reason").to_pylist() == reasons
    assert forced.column("source").to_pylist() == ["reencode", "reencode"]
    assert forced.column("source_reason").to_pylist() == ["asked for", "asked for"]


def test_without_energy_masks_are_the_same(mixed: Path, reference: Path, tmp_path: Path) -> None:
    run(mixed, tmp_path / "m.zarr", spec=dataclasses.replace(SPEC, energy=False))
    bare, full = Store.open(tmp_path / "m.zarr").volume("2.mp4"), Store.open(reference).volume("2.mp4")
    assert bare.energy is bare.energy_scale is None
    np.testing.assert_array_equal(bare.mask, full.mask)
    np.testing.assert_array_equal(bare.box, full.box)


def test_seed_decides_what_random_schemes_draw(mixed: Path) -> None:
    drawn = [
        extract_video(mixed / "0.mp4", dataclasses.replace(SPEC, scheme="random", seed=seed)).mask.tobytes()
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_warm_up_serves_every_scheme() -> None:
    for scheme in ("motion-guided", "motion-literal", "tube"):
        pipeline.warm_up(dataclasses.replace(SPEC, scheme=scheme))
