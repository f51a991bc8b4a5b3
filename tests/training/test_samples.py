"""Samples: the frames asked for, the right way up; the crop that is told; and the mask of just these."""

from __future__ import annotations

import importlib
import os
import pickle
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import mgmtool
import mgmtool.tf
import mgmtool.training.tf
from mgmtool import MaskStore, adapters
from mgmtool.errors import OpenFailure, UsageError
from mgmtool.extraction import extract
from mgmtool.grain import MaskedClipSource
from mgmtool.training._resizing import resize
from mgmtool.training.draws import ClipDraws
from mgmtool.training.samples import ClipSamples, MaskedCrops
from mgmtool.types import TokenMask
from mgmtool.video.clip import read_frames
from mgmtool.video.pictures import read_pictures
from support.synthetic import write_clip

Array = NDArray[Any]

FRAMES = {"long.mp4": 40, "short.mp4": 5, "turned.mp4": 24}
SMALL: dict[str, Any] = {"num_frames": 4, "stride": 2, "size": 32, "grid": (4, 4)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films and their store; nobody changes them."""
    place = tmp_path_factory.mktemp("samples")
    films = place / "films"
    films.mkdir()
    for name, frames in FRAMES.items():
        write_clip(films / name, frames=frames, bframes=2, shown="turned-90" if name == "turned.mp4" else "upright")
    outcomes = list(extract([str(films)], place / "m.zarr", engine="inline"))
    assert [outcome.done for outcome in outcomes] == [True] * 3
    return place


@pytest.fixture(scope="module")
def store(folder: Path) -> MaskStore:
    return mgmtool.open_store(folder / "m.zarr")


def film(folder: Path, name: str) -> str:
    return str(folder / "films" / name)


def pictures(folder: Path, name: str) -> Array:
    return np.stack([picture.rgb for picture in read_pictures(film(folder, name))])


# Frames


@pytest.mark.parametrize("name", FRAMES)
def test_frames_are_those_of_the_one_numbering(folder: Path, name: str) -> None:
    everything = pictures(folder, name)
    wanted = [3, 0, 3, 2]
    read = read_frames(film(folder, name), wanted)
    assert read.rgb.shape == (4, 192, 256, 3)
    assert np.array_equal(read.rgb, everything[wanted])
    assert read.count is None
    assert read_frames(film(folder, name), [FRAMES[name] - 1]).count == FRAMES[name]


def test_reading_stops_after_the_last_frame_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def watched(path: str, wanted: Any, tally: Any, *rest: Any) -> Any:
        for picture in read_pictures(path, wanted, tally, *rest):
            seen.append(picture.index)
            yield picture

    monkeypatch.setattr("mgmtool.video.clip.read_pictures", watched)
    read_frames(film(folder, "long.mp4"), [2, 7])
    assert seen == [2, 7, 8]


def test_a_turned_film_comes_out_as_it_is_shown(folder: Path) -> None:
    marker = read_frames(film(folder, "turned.mp4"), [0]).rgb[0, 4:20, 4:20].reshape(-1, 3).mean(axis=0)
    assert marker[0] > 180 > 60 > marker[2]


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([2, 5], "frame index is 5; expected 0 to 4, the frames its reader finds"),
        ([1, -1], "frame index is -1; expected at least one, from 0 on"),
        ([], "frame index is None; expected at least one"),
    ],
)
def test_frames_that_are_not_there_are_refused(folder: Path, frames: list[int], said: str) -> None:
    with pytest.raises(UsageError, match=f"short.mp4: {said}"):
        read_frames(film(folder, "short.mp4"), frames)


# Draws


def test_clips_start_anywhere_and_stay_inside(store: MaskStore) -> None:
    draws = ClipDraws(store, num_frames=8, stride=3)
    starts = set()
    for epoch in range(300):
        drawn = draws.draw(0, epoch)
        assert drawn.frames == tuple(range(drawn.frames[0], drawn.frames[0] + 22, 3))
        starts.add(drawn.frames[0])
    assert starts == set(range(40 - 21))


def test_a_clip_of_a_short_video_repeats_its_last_frame(store: MaskStore, folder: Path) -> None:
    draws = ClipDraws(store, num_frames=6, stride=2)
    assert [draws.draw(1, epoch).frames for epoch in range(4)] == [(0, 2, 4, 4, 4, 4)] * 4
    sample = ClipSamples(store, **SMALL | {"num_frames": 6, "adapter": None})[1]
    assert sample["clip"].shape == (6, 32, 32, 3)
    assert np.array_equal(sample["clip"][2], sample["clip"][5])
    assert sample["mask"].shape == (3, 4, 4)


def test_draws_belong_to_seed_epoch_and_number(store: MaskStore) -> None:
    one = ClipDraws(store, seed=3)
    assert one.draw(2, 5) == ClipDraws(store, seed=3).draw(2, 5) == pickle.loads(pickle.dumps(one)).draw(2, 5)
    seeds = {ClipDraws(store, seed=s).draw(n, e).seed for s in range(3) for n in range(3) for e in range(3)}
    assert len(seeds) == 27
    assert (one.draw(-1, 0).id, len(one)) == ("turned.mp4", 3)
    with pytest.raises(IndexError):
        one.draw(3, 0)


def test_videos_are_found_where_they_are_now(store: MaskStore, folder: Path, tmp_path: Path) -> None:
    assert ClipDraws(store).draw(0).path == film(folder, "long.mp4")
    assert ClipDraws(store, tmp_path / "moved").draw(0).path == str(tmp_path / "moved" / "long.mp4")
    with pytest.raises(OpenFailure):
        ClipSamples(store, tmp_path / "moved")[0]


def test_a_name_of_any_bytes_is_found(tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path / "films") + b"/\xff\xe9.mp4"
    (tmp_path / "films").mkdir()
    try:
        shutil.copy(write_clip(tmp_path / "a.mp4", frames=3).path, odd)
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    list(extract([str(tmp_path / "films")], tmp_path / "m.zarr", engine="inline"))
    store = mgmtool.open_store(tmp_path / "m.zarr")
    for root in (None, tmp_path / "films"):
        assert os.fsencode(ClipDraws(store, root).draw(0).path) == odd
        assert ClipSamples(store, root, **SMALL)[0]["clip"].any()


@pytest.mark.parametrize("name", ["num_frames", "stride"])
def test_a_clip_of_no_length_is_refused(store: MaskStore, name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is 0; expected 1 or more"):
        ClipDraws(store, **{name: 0})


# Resizing


def one_row(row: Array, size: int) -> list[float]:
    """Triangle filter over one row of values, one output at a time."""
    step = len(row) / size
    reach = max(step, 1.0)
    out = []
    for place in range(size):
        weights = [max(0.0, 1 - abs(i + 0.5 - (place + 0.5) * step) / reach) for i in range(len(row))]
        out.append(sum(w * float(v) for w, v in zip(weights, row, strict=True)) / sum(weights))
    return out


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_resizing_is_a_triangle_filter(before: int, after: int, seed: int) -> None:
    row = np.random.default_rng(seed).integers(0, 256, before, np.uint8)
    picture = np.broadcast_to(row[None, None, :, None], (1, 3, before, 3))
    found = resize(picture, 3, after)
    assert found.shape == (1, 3, after, 3)
    assert found.dtype == np.uint8
    assert np.abs(found[0, 1, :, 2] - np.array(one_row(row, after))).max() < 0.51
    upright = resize(picture.swapaxes(1, 2), after, 3)
    assert np.array_equal(upright.swapaxes(1, 2), found)


def test_pictures_of_the_right_size_stay_as_they_are() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (2, 9, 14, 3), np.uint8)
    assert np.array_equal(resize(rgb, 9, 14), rgb)


# Samples


@pytest.mark.parametrize("crop", ["multi-scale", "random-resized", "centre"])
def test_the_mask_is_that_of_the_frames_crop_and_flip_of_the_sample(store: MaskStore, folder: Path, crop: str) -> None:
    samples = ClipSamples(store, crop=crop, adapter=None, ratio=0.5, **SMALL)
    for epoch in range(4):
        samples.set_epoch(epoch)
        sample = samples[2]
        top, left, height, width = sample["crop"].tolist()
        shown = pictures(folder, "turned.mp4")[sample["frames"], top : top + height, left : left + width]
        expected = resize(shown, 32, 32)
        assert np.array_equal(sample["clip"], expected[:, :, ::-1] if sample["hflip"] else expected)
        token = store.clip(
            sample["id"],
            sample["frames"].tolist(),
            crop=(top, left, height, width),
            hflip=bool(sample["hflip"]),
            grid=(4, 4),
            ratio=0.5,
            seed=samples.draws.draw(2, epoch).seed,
        )
        assert np.array_equal(sample["mask"], token.mask)


def test_a_mirrored_clip_is_the_mirror_image(store: MaskStore, folder: Path) -> None:
    frames = pictures(folder, "long.mp4")[:4]
    plain, mirrored = (MaskedCrops(store, size=192, crop="centre", hflip=share) for share in (0.0, 1.0))
    one, other = (crops.sample(frames, "long.mp4", range(4), 1) for crops in (plain, mirrored))
    assert np.array_equal(one.clip, frames[:, :, 32:224])
    assert np.array_equal(other.clip, one.clip[:, :, ::-1])
    assert other.clip.flags.c_contiguous
    assert (one.parameters.hflip, other.parameters.hflip) == (False, True)


def test_seed_and_epoch_decide_the_sample(store: MaskStore) -> None:
    def told(seed: int, epoch: int) -> list[Any]:
        samples = ClipSamples(store, seed=seed, epoch=epoch, **SMALL)
        return [(s["frames"].tolist(), s["crop"].tolist(), bool(s["hflip"]), s["mask"].tolist()) for s in samples]

    assert told(1, 2) == told(1, 2)
    assert all(one != other for one, other in zip(told(1, 2), told(1, 3), strict=True))
    assert all(one != other for one, other in zip(told(1, 2), told(2, 2), strict=True))


def test_masks_come_in_the_form_of_the_adapter(store: MaskStore) -> None:
    def shape(mask: TokenMask) -> tuple[int, ...]:
        return mask.mask.shape

    forms = [ClipSamples(store, **SMALL, adapter=form)[0]["mask"] for form in ("videomae", None, shape)]
    assert forms[0].dtype == bool
    assert np.array_equal(forms[0], adapters.videomae(forms[1]))
    assert forms[2] == (2, 4, 4)


def with_other_length(folder: Path, place: Path, frames: int) -> Path:
    """A folder in which one film has been rebuilt, with another number of frames."""
    shutil.copytree(folder / "films", place)
    write_clip(place / "short.mp4", frames=frames)
    return place


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (3, "short.mp4: frame index is 4; expected 0 to 2, the frames its reader finds"),
        (6, "'short.mp4' has 5 frames in the store, but .*/short.mp4 has more; expected the same number"),
    ],
)
def test_a_reader_that_counts_other_frames_is_an_error(
    store: MaskStore, folder: Path, tmp_path: Path, frames: int, said: str
) -> None:
    samples = ClipSamples(store, with_other_length(folder, tmp_path / "films", frames), **SMALL)
    assert samples[0]["clip"].any()
    with pytest.raises(UsageError, match=said):
        samples[1]


def test_pictures_of_another_shape_are_refused(store: MaskStore) -> None:
    crops, right = MaskedCrops(store), np.zeros((4, 192, 256, 3), np.uint8)
    said = r"frames are {}; expected uint8 array \(frames, height, width, 3\), with 4 frames"
    for frames, shown in [
        (right[:3], r"uint8 \(3, 192, 256, 3\)"),
        (right[0], r"uint8 \(192, 256, 3\)"),
        (right.transpose(0, 3, 1, 2), r"uint8 \(4, 3, 192, 256\)"),
        (right.astype(np.float32), r"float32 \(4, 192, 256, 3\)"),
        (right[:, :0], r"uint8 \(4, 0, 256, 3\)"),
        (list(right), r"list \(\)"),
    ]:
        with pytest.raises(UsageError, match=said.format(shown)):
            crops.sample(frames, "long.mp4", range(4), 0)
    turned = "'turned.mp4': frames are 256 x 192 pixels; expected 192 x 256, the displayed size in the store"
    with pytest.raises(UsageError, match=turned):
        crops.sample(right.swapaxes(1, 2), "turned.mp4", range(4), 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"adapter": "torch"}, "adapter is 'torch'; expected one of hugging_face"),
        ({"size": 0}, "size is 0; expected 1 pixel or more"),
        ({"crop": "none"}, "crop is 'none'; expected one of"),
    ],
)
def test_what_cannot_be_made_is_refused_at_once(store: MaskStore, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ClipSamples(store, **options)


# Frameworks


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys() == {"clip", "mask", "id", "frames", "crop", "hflip"}
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_source_for_grain_needs_no_grain(store: MaskStore, folder: Path) -> None:
    source = MaskedClipSource(store, folder / "films", seed=4, **SMALL)
    assert len(source) == 3
    assert repr(source) == f"MaskedClipSource('{folder / 'm.zarr'}', 4 frames, stride 2, seed 4, epoch 0)"
    assert [sample["id"] for sample in source] == list(FRAMES)
    assert_same(source[2], pickle.loads(pickle.dumps(source))[2])
    assert_same(source[2], source[-1])
    with pytest.raises(IndexError):
        source[3]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_grain_batches_the_source(store: MaskStore) -> None:
    grain = pytest.importorskip("grain")
    source = MaskedClipSource(store, **SMALL)
    (batch,) = grain.MapDataset.source(source).batch(3)
    assert batch["clip"].shape == (3, 4, 32, 32, 3)
    for number, sample in enumerate(source):
        assert_same({name: values[number] for name, values in batch.items()}, sample)


def test_the_generator_for_tensorflow_needs_no_tensorflow(store: MaskStore) -> None:
    made = list(mgmtool.tf.generator(store, order=[2, 0], seed=4, **SMALL))
    source = ClipSamples(store, seed=4, **SMALL)
    assert_same(made[0], source[2])
    assert_same(made[1], source[0])
    assert [sample["id"] for sample in mgmtool.tf.generator(store, **SMALL)] == list(FRAMES)


def test_an_example_for_tensorflow_is_shaped_like_every_sample(store: MaskStore) -> None:
    for adapter in ("videomae", "hugging_face", "vjepa", None):
        samples = ClipSamples(store, **SMALL, adapter=adapter)
        example = mgmtool.training.tf.example(samples)
        for sample in samples:
            assert example.keys() == sample.keys()
            for name in example:
                assert shapes(example[name]) == shapes(sample[name])


def shapes(value: Any) -> Any:
    if isinstance(value, tuple):
        return [shapes(part) for part in value]
    return np.shape(value), None if isinstance(value, str) else value.dtype


def test_a_dataset_of_tensorflow_batches(store: MaskStore) -> None:
    pytest.importorskip("tensorflow")
    (batch,) = mgmtool.tf.dataset(store, **SMALL).batch(3)
    for number, sample in enumerate(ClipSamples(store, **SMALL)):
        made = {name: values[number].numpy() for name, values in batch.items()}
        assert_same(made | {"id": made["id"].decode()}, sample)


def test_without_tensorflow_a_dataset_says_so(store: MaskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(UsageError, match=r"mgmtool\.tf\.dataset needs tensorflow; pip install tensorflow"):
        mgmtool.tf.dataset(store, **SMALL)


def test_epochs_cover_other_starts(store: MaskStore) -> None:
    samples = ClipSamples(store, **SMALL)
    starts = []
    for epoch in range(6):
        samples.set_epoch(epoch)
        starts.append(int(samples[0]["frames"][0]))
    assert any(one != other for one, other in pairwise(starts))


def test_without_torch_its_module_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ("mgmtool.torch", "mgmtool.training.torch"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ImportError, match=r"mgmtool\.torch needs torch; pip install 'mgmtool\[torch\]'"):
        importlib.import_module("mgmtool.torch")
