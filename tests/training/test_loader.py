"""Masks for training: the very frames and crop of a sample, by any name of a video, and clear words where it cannot be."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mgmtool
from mgmtool import Clip, ExtractSpec, MaskStore, masking
from mgmtool.errors import StoreError, TracksFailure, UnknownVideoError, UsageError
from mgmtool.extraction.stream import whole_video
from mgmtool.training.clips import place_clip
from mgmtool.types import ClipRequest, Crop, FrameFlag, MaskVolume, PatchGrid, TokenLayout, VideoMotion
from support import loading, stores
from support.loading import BROKEN, FILMS, any_clips, assert_same_masks, extract_films, some_clips
from support.moving import ref

LOOKING = ("motion-guided", "motion-literal")
HIDING = ("random", "tube", "simulated-motion")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films in two folders, one turned, one broken; nobody changes them."""
    return loading.write_films(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def store(films: Path, tmp_path_factory: pytest.TempPathFactory) -> MaskStore:
    """Their masks, in three parts."""
    return mgmtool.open_store(extract_films(films, tmp_path_factory.mktemp("store") / "m.zarr"), "ram")


@pytest.fixture(scope="module")
def without_energy(films: Path, tmp_path_factory: pytest.TempPathFactory) -> MaskStore:
    return mgmtool.open_store(extract_films(films, tmp_path_factory.mktemp("boxes") / "m.zarr", energy=False))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> tuple[MaskStore, MaskVolume]:
    """A long video of random energy and many cuts, behind another one in its part; and its volume."""
    path = tmp_path_factory.mktemp("long") / "m.zarr"
    volumes = stores.write_part(stores.open_writer(path), 0, {"short.mp4": 7, "long.mp4": 400})
    return mgmtool.open_store(path), volumes["long.mp4"]


# What a store tells.


def test_a_store_lists_the_videos_that_are_done(store: MaskStore) -> None:
    assert list(store) == list(FILMS)
    assert len(store) == 4
    assert "a/0.mp4" in store
    assert BROKEN not in store
    assert "no.mp4" not in store
    assert 7 not in store


@pytest.mark.parametrize("name", FILMS)
def test_record_holds_what_was_extracted(films: Path, store: MaskStore, name: str) -> None:
    record = store[name]
    volume, facts = whole_video(ref(films / name), ExtractSpec())
    assert (record.id, record.path, record.num_frames) == (name, str(films / name), FILMS[name])
    assert (record.height, record.width) == ((64, 48) if "turned" in name else (48, 64))
    assert record.rotation == facts.info.orientation.rotation == (90 if "turned" in name else 0)
    assert record.fps == 25
    np.testing.assert_allclose(record.pts_seconds, np.arange(FILMS[name]) / 25, atol=1e-12)
    assert volume.energy is not None
    assert volume.energy_scale is not None
    assert record.energy is not None
    np.testing.assert_array_equal(record.energy, volume.energy * volume.energy_scale[:, None, None], strict=True)
    for array in ("mask", "box", "flags"):
        np.testing.assert_array_equal(getattr(record, array), getattr(volume, array), strict=True)
    assert record.index_risk == facts.index_risk


def test_record_of_a_store_without_energy_has_none(without_energy: MaskStore) -> None:
    assert without_energy["a/0.mp4"].energy is None


@pytest.mark.parametrize("cache", [None, "mmap", "ram"])
def test_records_may_be_written_to(store: MaskStore, tmp_path: Path, cache: str | None) -> None:
    opened = mgmtool.open_store(store.name, cache, cache_folder=tmp_path)
    before = opened.clip("a/0.mp4", range(16))
    opened["a/0.mp4"].flags[:] = int(FrameFlag.SCENE_CUT)
    opened.volume("a/0.mp4").mask[:] = False
    assert_same_masks([opened.clip("a/0.mp4", range(16))], [before])
    assert opened["a/0.mp4"].mask.any()


# Names.


def test_a_video_is_found_by_each_of_its_names(films: Path, store: MaskStore) -> None:
    for video_id in FILMS:
        assert store.lookup(video_id) == video_id
        assert store.lookup(str(films / video_id)) == video_id
        assert store.lookup(f"{films}/a/../{video_id}") == video_id
    assert store.lookup("0.mp4") == "a/0.mp4"
    assert store.lookup("./0.mp4") == "a/0.mp4"
    assert store.lookup("turned.mp4") == "b/turned.mp4"
    assert store.lookup("/another/disk/b/1.mp4") == "b/1.mp4"
    assert store.lookup("/flat/scratch/0.mp4") == "a/0.mp4"


def test_every_name_gives_the_same_mask(films: Path, store: MaskStore) -> None:
    names = ["a/0.mp4", "0.mp4", str(films / "a/0.mp4")]
    found = [store.clip(name, range(16), scheme="random", seed=3) for name in names]
    assert_same_masks(found, [found[0]] * 3)


@pytest.mark.parametrize("name", ["1.mp4", "/flat/scratch/1.mp4"])
def test_a_name_that_several_videos_have_is_refused(store: MaskStore, name: str) -> None:
    with pytest.raises(UnknownVideoError, match=rf"has several videos named '1\.mp4'; give an id instead of '{name}'"):
        store.clip(name, [0, 1])


@pytest.mark.parametrize("name", [BROKEN, "broken.mp4", "/another/disk/b/broken.mp4"])
def test_a_video_that_failed_says_how(store: MaskStore, name: str) -> None:
    with pytest.raises(UnknownVideoError, match=r"^'b/broken\.mp4' failed \(open\): \S"):
        store.clip(name, [0, 1])


@pytest.mark.parametrize("name", ["c.mp4", "", "c/0.mp4", "/another/disk/c.mp4", "0.MP4"])
def test_a_video_that_is_not_there_is_refused(store: MaskStore, name: str) -> None:
    with pytest.raises(KeyError) as caught:
        store.lookup(name)
    assert isinstance(caught.value, UnknownVideoError)
    hint = " (did you mean 'a/0.mp4'?)" if name == "c/0.mp4" else ""
    assert str(caught.value).startswith(
        f"{store.name} has no video {name!r}{hint}; expected one of its 4 ids, such as 'a/0.mp4', a file name, or a path below /"
    )
    with pytest.raises(StoreError, match="has no video"):
        store[name]


def test_no_video_stands_in_for_another_of_that_file_name(films: Path, store: MaskStore) -> None:
    """Below the input root a path is an id: b/0.mp4 is not there, whatever a/0.mp4 is."""
    for name in ("b/0.mp4", str(films / "b/0.mp4")):
        assert name not in store


def test_a_failed_video_does_not_leave_its_name_to_another(tmp_path: Path) -> None:
    stores.write_part(stores.open_writer(tmp_path / "m.zarr"), 0, {"a/x.mp4": None, "b/x.mp4": 4})
    store = mgmtool.open_store(tmp_path / "m.zarr")
    assert store.lookup("b/x.mp4") == "b/x.mp4"
    with pytest.raises(UnknownVideoError, match=r"'a/x\.mp4' failed \(open\)"):
        store.lookup("/elsewhere/a/x.mp4")
    with pytest.raises(UnknownVideoError, match=r"several videos named 'x\.mp4'"):
        store.lookup("x.mp4")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    name = b"\xff.mp4".decode("utf-8", "surrogateescape")
    (folder / name).write_bytes(loading.tiny_videos.clip(12, 0))
    store = mgmtool.open_store(extract_films(folder, tmp_path / "m.zarr"))
    assert list(store) == ["\\udcff.mp4"]
    for known in (name, str(folder / name), "\\udcff.mp4"):
        assert store.lookup(known) == "\\udcff.mp4"


# Masks.


@pytest.mark.parametrize("name", [*LOOKING, *HIDING])
def test_clip_has_the_exact_count_in_every_tubelet(store: MaskStore, name: str) -> None:
    for clip in some_clips(store, 24):
        (found,) = store.batch([clip], grid=(7, 9), ratio=0.6, scheme=name)
        assert found.mask.shape == (4, 7, 9)
        counts = found.mask.sum(axis=(1, 2)).tolist()
        assert sum(counts) == 4 * round(0.6 * 63)
        assert name == "random" or counts == [round(0.6 * 63)] * 4


@pytest.mark.parametrize("name", [*LOOKING, *HIDING])
def test_batch_is_clip_by_clip(store: MaskStore, name: str) -> None:
    clips = some_clips(store)
    singly = [
        store.clip(
            c.id,
            c.frames,
            crop=c.crop,
            hflip=c.hflip,
            seed=c.seed,
            scheme=name,
            grid=(6, 8),
            tubelet=4,
            ratio=0.5,
            invert=True,
            keep_visible=0.2,
        )
        for c in clips
    ]
    batch = store.batch(clips, scheme=name, grid=(6, 8), tubelet=4, ratio=0.5, invert=True, keep_visible=0.2)
    assert_same_masks(batch, singly)


def test_batch_of_clips_of_other_lengths(store: MaskStore) -> None:
    clips = [replace(clip, frames=list(clip.frames)[: 2 + 2 * (n % 4)]) for n, clip in enumerate(some_clips(store))]
    assert_same_masks(store.batch(clips), [store.batch([clip])[0] for clip in clips])
    assert store.batch([]) == []


@pytest.mark.parametrize("name", [*LOOKING, *HIDING])
def test_clip_is_what_place_clip_makes_of_the_volume(long: tuple[MaskStore, MaskVolume], name: str) -> None:
    """A clip reads its frames only; the cuts and the energy are those of the whole video."""
    store, volume = long
    rows, frames = store.videos.find("long.mp4"), list(range(100, 132))
    assert 5 < np.count_nonzero(volume.flags[100:132] & FrameFlag.SCENE_CUT) < 30
    found = store.clip("long.mp4", frames, crop=(10, 20, 100, 120), hflip=True, scheme=name, seed=5)
    request = ClipRequest(
        tuple(frames),
        TokenLayout.of(PatchGrid(14, 14), 0.75),
        Crop(10, 20, 100, 120),
        hflip=True,
        seed=masking.derive_seed(5, "long.mp4", *frames, "crop", 10, 20, 100, 120),
    )
    whole = VideoMotion.of(volume, rows.height, rows.width)
    if name in HIDING:  # what does not look at motion makes its count exact without it, as in a store of its own
        whole = replace(whole, energy=None, energy_scale=None)
    assert_same_masks([found], [place_clip(whole, request, masking.build(name))])


def test_cuts_between_the_frames_of_a_clip_count(films: Path, tmp_path: Path) -> None:
    """The box jumps at no cost where the scene changes, so flags have to come from the frames of the clip."""
    spec = stores.SPEC
    volume = stores.make_volume(60, 1, spec)
    flags = np.zeros(60, np.uint8)
    flags[[41, 47]] = int(FrameFlag.SCENE_CUT)
    with stores.open_writer(tmp_path / "m.zarr").part(0) as part:
        part.append(replace(volume, flags=flags))
        part.end_video(stores.done("v.mp4", 60))
        part.commit()
    store = mgmtool.open_store(tmp_path / "m.zarr")
    stiff = masking.build("motion-guided", {"smoothness": 1e6})
    box = store.clip("v.mp4", range(36, 52), scheme=stiff, ratio=0.25).box
    steps = np.flatnonzero((np.diff(box, axis=0) != 0).any(axis=1))
    assert set(steps.tolist()) <= {2, 5}, "tubelets 3 and 6 start a scene; within a scene a stiff box stays"
    assert len(steps) > 0


def test_order_and_repeats_of_frames_are_those_of_the_sample(store: MaskStore) -> None:
    frames = [30, 31, 4, 5, 4, 5, 17, 17]
    scheme = masking.build("motion-guided", {"smoothness": 0.0})
    found = store.clip("a/0.mp4", frames, scheme=scheme)
    np.testing.assert_array_equal(found.mask[1], found.mask[2])
    for number in range(4):
        alone = store.clip("a/0.mp4", frames[2 * number : 2 * number + 2], scheme=scheme)
        np.testing.assert_array_equal(alone.mask[0], found.mask[number])


def test_numbers_of_numpy_give_the_masks_of_python_numbers(store: MaskStore) -> None:
    clip = Clip("a/0.mp4", [3, 4, 9, 9], (2, 3, 40, 50), True, 7, 40)
    numpys: Any = Clip(
        "a/0.mp4", np.array([3, 4, 9, 9]), np.array([2, 3, 40, 50], np.int32), np.True_, np.uint64(7), np.int64(40)
    )
    for name in ("motion-guided", "random"):
        expected = store.batch([clip], scheme=name)
        assert_same_masks(store.batch([numpys], scheme=name), expected)
        mixed = replace(clip, frames=tuple(map(np.int16, clip.frames)), crop=tuple(map(np.int64, clip.crop or ())))
        assert_same_masks(store.batch([mixed], scheme=name), expected)
        assert_same_masks(
            store.batch([clip], scheme=name, grid=(np.int64(14), np.int64(14)), ratio=np.float32(0.75)), expected
        )


@pytest.mark.parametrize(
    "change", [{"seed": 8}, {"frames": [3, 4, 9, 10]}, {"crop": (2, 3, 40, 49)}, {"id": "b/1.mp4"}]
)
def test_random_masks_depend_on_id_frames_crop_and_seed(store: MaskStore, change: dict[str, Any]) -> None:
    clip = Clip("a/0.mp4", [3, 4, 9, 9], (2, 3, 40, 50), seed=7)
    one, same, other = store.batch([clip, clip, replace(clip, **change)], scheme="random")
    assert_same_masks([same], [one])
    assert (one.mask != other.mask).any()


def test_no_crop_is_the_crop_of_the_whole_picture(store: MaskStore) -> None:
    for name in ("motion-guided", "random"):
        whole = store.clip("b/turned.mp4", range(8), crop=(0, 0, 64, 48), scheme=name)
        assert_same_masks([store.clip("b/turned.mp4", range(8), scheme=name)], [whole])


def test_scheme_of_the_store_has_the_options_of_the_store(films: Path, tmp_path: Path) -> None:
    options = {"smoothness": 1e6}
    store = mgmtool.open_store(extract_films(films, tmp_path / "m.zarr", scheme_options=options))
    stiff = [store.clip("a/0.mp4", range(20), ratio=0.2, scheme=masking.build("motion-guided", options))]
    assert_same_masks([store.clip("a/0.mp4", range(20), ratio=0.2)], stiff)
    assert (np.diff(stiff[0].box, axis=0) == 0).all()
    loose = store.clip("a/0.mp4", range(20), ratio=0.2, scheme=masking.build("motion-guided"))
    assert (np.diff(loose.box, axis=0) != 0).any()


# Boxes instead of energy.


@pytest.mark.parametrize("hflip", [False, True])
def test_store_without_energy_places_its_boxes_in_the_crop(without_energy: MaskStore, hflip: bool) -> None:
    frames, crop = list(range(4, 20)), (4, 8, 40, 48)
    found = without_energy.clip("a/0.mp4", frames, crop=crop, hflip=hflip, grid=(10, 12), ratio=0.25)
    assert found.mask.sum(axis=(1, 2)).tolist() == [30] * 8
    assert not found.fallback.any()
    y0, x0, y1, x1 = without_energy["a/0.mp4"].box[frames[::2]].T.astype(float)
    middle = np.stack([(y0 + y1) / 2 - 4, (x0 + x1) / 2 - 8], axis=1) / 4  # in tokens of 4 pixels
    if hflip:
        middle[:, 1] = 12 - middle[:, 1]
    placed = (found.box[:, :2] + found.box[:, 2:]) / 2
    size = (found.box[:, 2:] - found.box[:, :2])[0]
    expected = np.clip(middle, size / 2, np.array([10, 12]) - size / 2)
    assert np.abs(placed - expected).max() <= 0.5


def test_crop_without_the_box_falls_back_to_the_centre(tmp_path: Path) -> None:
    volume = replace(stores.make_volume(8, energy=False), box=np.tile(np.int16([0, 0, 100, 100]), (8, 1)))
    with stores.open_writer(tmp_path / "m.zarr", energy=False).part(0) as part:
        part.append(volume)
        part.end_video(stores.done("v.mp4", 8))
        part.commit()
    found = mgmtool.open_store(tmp_path / "m.zarr").clip("v.mp4", range(8), crop=(200, 100, 112, 112))
    assert found.fallback.all()
    assert found.mask.sum(axis=(1, 2)).tolist() == [147] * 4


@pytest.mark.parametrize("made_with", ["simulated-motion", "centre-box"])
def test_motionless_store_has_boxes_to_place(films: Path, tmp_path: Path, made_with: str) -> None:
    store = mgmtool.open_store(extract_films(films, tmp_path / "m.zarr", scheme=made_with))
    for clip in some_clips(store):
        (found,) = store.batch([clip])
        assert found.mask.sum(axis=(1, 2)).tolist() == [147] * 4
        (own,) = store.batch([clip], scheme=made_with)
        assert own.mask.sum(axis=(1, 2)).tolist() == [147] * 4
    assert not store.clip("a/0.mp4", range(16)).fallback.any()


def test_store_with_neither_energy_nor_boxes_is_refused_by_schemes_that_look(films: Path, tmp_path: Path) -> None:
    store = mgmtool.open_store(extract_films(films, tmp_path / "m.zarr", scheme="tube"))
    assert store.clip("a/0.mp4", range(16), scheme="tube").mask.sum() == 8 * 147
    with pytest.raises(UsageError, match=r"'a/0\.mp4': the store holds neither energy nor boxes"):
        store.clip("0.mp4", range(16))


# Files of tracks.


def test_boxes_scheme_reads_the_file_of_the_video(tmp_path: Path, store: MaskStore) -> None:
    lines = [f"{t + 1},1,{2 * t},16,16,16" for t in range(40)]
    (tmp_path / "0.txt").write_text("\n".join(lines))
    scheme = masking.build("boxes", {"tracks_file": f"{tmp_path}/{{stem}}.txt"})
    found = store.clip("a/0.mp4", range(2, 18), grid=(12, 16), ratio=1 / 12, scheme=scheme)
    assert found.mask.sum(axis=(1, 2)).tolist() == [16] * 8
    centres = (found.box[:, 1] + found.box[:, 3]) / 2 * 4
    np.testing.assert_allclose(centres, [2 * t + 8 for t in range(2, 18, 2)], atol=2)
    with pytest.raises(TracksFailure, match=r"1\.txt"):
        store.clip("a/1.mp4", range(4), scheme=scheme)


def test_paths_and_bytes_name_a_video_as_text_does(films: Path, store: MaskStore) -> None:
    expected = store.clip("a/0.mp4", [0, 1], scheme="tube")
    for name in (Path("a/0.mp4"), b"a/0.mp4", films / "a" / "0.mp4", bytes(films / "a" / "0.mp4")):
        assert_same_masks([store.clip(name, [0, 1], scheme="tube")], [expected])
        assert_same_masks(store.batch([Clip(name, [0, 1])], scheme="tube"), [expected])  # type: ignore[arg-type]
        assert name in store
        assert store[name].id == store.lookup(name) == store.videos.row(name)["id"] == "a/0.mp4"
        assert len(store.volume(name)) == 40
    assert Path("a/none.mp4") not in store
    assert 7 not in store


@pytest.mark.parametrize("value", [1, 0, True, np.True_, np.int64(1), np.uint8(0)])
def test_a_flip_is_true_or_false_in_any_type(store: MaskStore, value: Any) -> None:
    expected = store.clip("a/0.mp4", [0, 1], hflip=bool(value), crop=(0, 0, 32, 32))
    assert_same_masks([store.clip("a/0.mp4", [0, 1], hflip=value, crop=(0, 0, 32, 32))], [expected])


# Errors.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames": [0, 40]}, "'a/0.mp4': frame index is 40; expected 0 to 39"),
        ({"frames": [0, -1]}, "'a/0.mp4': frame index is -1; expected 0 to 39"),
        ({"frames": []}, "'a/0.mp4': clip has 0 frames; expected 1 or more"),
        ({"frames": [0, 1, 2]}, "'a/0.mp4': clip has 3 frames; expected 1 or more tubelets of 2 frames"),
        ({"frames": [0, 1.5]}, "'a/0.mp4': frames is [0, 1.5]; expected whole numbers"),
        ({"frames": [[0, 1]]}, "'a/0.mp4': frames is [[0, 1]]; expected whole numbers"),
        ({"crop": (0, 1, 48, 64)}, "'a/0.mp4': crop is Crop(top=0, left=1, height=48, width=64); expected a rectangle"),
        ({"crop": (-1, 0, 8, 8)}, "'a/0.mp4': crop is Crop(top=-1, left=0, height=8, width=8); expected a rectangle"),
        ({"crop": (0, 0, 0, 8)}, "'a/0.mp4': crop is Crop(top=0, left=0, height=0, width=8); expected a rectangle"),
        ({"crop": (0, 0, 8)}, "'a/0.mp4': crop is (0, 0, 8); expected (top, left, height, width) in pixels"),
        ({"crop": (0, 0, 8.5, 8)}, "'a/0.mp4': crop is (0, 0, 8.5, 8); expected whole numbers"),
        ({"frames": [0, True]}, "'a/0.mp4': frames is [0, True]; expected whole numbers"),
        ({"frames": np.array([False, True])}, "'a/0.mp4': frames is array([False,  True]); expected whole numbers"),
        ({"crop": (0, 0, 8, True)}, "'a/0.mp4': crop is (0, 0, 8, True); expected whole numbers"),
        ({"hflip": 0.5}, "'a/0.mp4': hflip is 0.5; expected True or False"),
        ({"hflip": 2}, "'a/0.mp4': hflip is 2; expected True or False"),
        ({"hflip": "no"}, "'a/0.mp4': hflip is 'no'; expected True or False"),
        ({"id": 7}, "the id of a video is 7; expected text, a path, or bytes"),
        ({"id": None}, "the id of a video is None; expected text, a path, or bytes"),
        ({"seed": "x"}, "'a/0.mp4': seed is ['x']; expected whole numbers"),
        ({"num_frames": 39}, "'a/0.mp4' has 40 frames in the store, but 39 for its reader; expected the same number"),
    ],
)
def test_clip_that_does_not_fit_the_video_is_refused(store: MaskStore, change: dict[str, Any], message: str) -> None:
    clips = [Clip("b/1.mp4", [0, 1]), replace(Clip("a/0.mp4", [0, 1]), **change)]
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        store.batch(clips)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid": (0, 14)}, "grid is '0x14'; expected 1 to 256 rows and columns"),
        ({"grid": (14, 14, 14)}, "expected"),
        ({"grid": 14}, "grid is 14, "),
        ({"ratio": 1.5}, "ratio is 1.5; expected 0 to 1"),
        ({"tubelet": 0}, "tubelets of 0 frames"),
        ({"tubelet": 2.0}, "tubelet is 2.0"),
        ({"keep_visible": 1.5}, "keep_visible is 1.5; expected 0 to 1"),
        ({"scheme": "no-such"}, "no-such"),
    ],
)
def test_what_cannot_be_asked_is_refused(store: MaskStore, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        store.clip("a/0.mp4", [0, 1], **options)


# Anything at all.


@pytest.mark.parametrize("energy", [True, False], ids=["energy", "boxes"])
@given(data=st.data())
def test_any_batch_has_exact_counts_and_is_clip_by_clip(
    store: MaskStore, without_energy: MaskStore, energy: bool, data: st.DataObject
) -> None:
    asked = store if energy else without_energy
    tubelet = data.draw(st.integers(1, 3), "tubelet")
    clips = data.draw(st.lists(any_clips(asked, tubelet), min_size=1, max_size=4), "clips")
    rows, cols = data.draw(st.tuples(st.integers(1, 17), st.integers(1, 17)), "grid")
    ratio = data.draw(st.floats(0, 1), "ratio")
    name = data.draw(st.sampled_from([*LOOKING, *HIDING]), "scheme")
    options: dict[str, Any] = {"grid": (rows, cols), "ratio": ratio, "tubelet": tubelet, "scheme": name}
    batch = asked.batch(clips, **options)
    assert_same_masks(batch, [asked.batch([clip], **options)[0] for clip in clips])
    for clip, found in zip(clips, batch, strict=True):
        assert found.mask.shape == (len(clip.frames) // tubelet, rows, cols)
        counts, wanted = found.mask.sum(axis=(1, 2)), round(ratio * rows * cols)
        assert counts.mean() == wanted if name == "random" else (counts == wanted).all()
        y0, x0, y1, x1 = found.box.T
        none = (found.box == 0).all(axis=1)
        assert (none | ((y0 >= 0) & (y0 < y1) & (y1 <= rows) & (x0 >= 0) & (x0 < x1) & (x1 <= cols))).all()
