"""PyTorch: clips and masks come stacked, the same whoever makes them, and each mask belongs to its clip."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import mgmtool
from mgmtool import MaskStore, adapters
from mgmtool.errors import UsageError
from mgmtool.extraction import extract
from mgmtool.training.draws import ClipDraws
from mgmtool.training.samples import MaskedCrops, read_clip
from mgmtool.types import DecodeOptions, ExtractSpec
from mgmtool.video.clip import read_frames
from support.synthetic import write_clip

torch: Any = pytest.importorskip("torch")

from torch.utils.data import DataLoader, Dataset  # noqa: E402

from mgmtool.torch import CropParameters, MaskedClips, MaskedClipTransform  # noqa: E402

FRAMES = {"a.mp4": 30, "b.mp4": 24, "c.mp4": 5, "d.mp4": 40}
CLIP = {"num_frames": 4, "stride": 2}
SMALL: dict[str, Any] = {"size": 32, "grid": (4, 4)}

# Newer Pythons warn where a process with threads forks, which is what a DataLoader does.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four films, one of them turned, and their store; nobody changes them."""
    place = tmp_path_factory.mktemp("torch")
    films = place / "films"
    films.mkdir()
    for name, frames in FRAMES.items():
        write_clip(films / name, frames=frames, shown="turned-90" if name == "b.mp4" else "upright")
    outcomes = list(extract([str(films)], place / "m.zarr", engine="inline"))
    assert [outcome.done for outcome in outcomes] == [True] * 4
    return place


@pytest.fixture(scope="module")
def store(folder: Path) -> MaskStore:
    return mgmtool.open_store(folder / "m.zarr")


def write_two_streams(path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (64, 96, 3), np.uint8)
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        streams[0].bit_rate, streams[1].bit_rate = 20_000, 4_000_000
        for number in range(24):
            for stream, base in zip(streams, (0, 190), strict=True):
                frame = av.VideoFrame.from_ndarray(np.roll(noise, number * (base > 0), axis=1) + np.uint8(base))
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))


def dataset(store: MaskStore, root: Path | None = None, *, epoch: int | None = 0, **more: Any) -> MaskedClips:
    return MaskedClips(store, root, transform=MaskedClipTransform(store, **SMALL), epoch=epoch, **CLIP | more)


def frames_of(folder: Path, name: str, indices: list[int]) -> Any:
    return read_frames(str(folder / "films" / name), indices).rgb


def same(one: Any, other: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


# Transform


def test_a_clip_is_cut_resized_and_mirrored(store: MaskStore, folder: Path) -> None:
    frames = frames_of(folder, "a.mp4", [0, 2, 4, 6])
    transform = MaskedClipTransform(store, **SMALL)
    parameters = CropParameters(20, 30, 100, 90, True)
    clip = transform.apply(frames, parameters)
    assert (clip.shape, clip.dtype) == ((3, 4, 32, 32), torch.float32)
    assert clip.is_contiguous()
    assert 0 <= clip.min() < clip.max() <= 1
    bytes_ = MaskedClipTransform(store, **SMALL, dtype=torch.uint8).apply(frames, parameters)
    assert bytes_.dtype == torch.uint8
    assert (bytes_ / 255 - clip).abs().max() < 0.51 / 255
    numpy = MaskedCrops(store, **SMALL).apply(frames, parameters)
    assert np.abs(bytes_.permute(1, 2, 3, 0).numpy().astype(int) - numpy).max() <= 1


@pytest.mark.parametrize("crop", ["multi-scale", "random-resized", "centre"])
def test_the_mask_is_that_of_the_parameters(store: MaskStore, folder: Path, crop: str) -> None:
    transform = MaskedClipTransform(store, crop=crop, ratio=0.5, **SMALL)
    indices = [1, 3, 5, 7]
    frames = frames_of(folder, "b.mp4", indices)
    for seed in range(8):
        made = transform.sample(frames, "b.mp4", indices, seed)
        token = store.clip(
            "b.mp4",
            indices,
            crop=made.parameters.crop,
            hflip=made.parameters.hflip,
            grid=(4, 4),
            ratio=0.5,
            seed=seed,
        )
        assert np.array_equal(made.mask.numpy(), adapters.videomae(token))
        assert torch.equal(made.clip, transform.apply(frames, made.parameters))
        assert same(transform(frames, "b.mp4", indices, seed), (made.clip, made.mask))


def test_tensors_and_arrays_give_the_same(store: MaskStore, folder: Path) -> None:
    frames = frames_of(folder, "a.mp4", [0, 1, 2, 3])
    tensor = torch.from_numpy(frames).permute(0, 3, 1, 2)
    transform = MaskedClipTransform(store, **SMALL)
    assert same(transform(frames, "a.mp4", range(4), 7), transform(tensor, "a.mp4", range(4), 7))
    assert same(
        transform(frames, "a.mp4", range(4), 7), pickle.loads(pickle.dumps(transform))(tensor, "a.mp4", range(4), 7)
    )


def test_numbers_of_any_kind_draw_the_same(store: MaskStore, folder: Path) -> None:
    frames = frames_of(folder, "a.mp4", [0, 1, 2, 3])
    transform = MaskedClipTransform(store, **SMALL)
    expected = transform(frames, "a.mp4", range(4), 7)
    assert same(transform(frames, "a.mp4", torch.arange(4), torch.tensor(7)), expected)
    assert same(transform(frames, "a.mp4", np.arange(4), np.int64(7)), expected)


@pytest.mark.parametrize("adapter", ["hugging_face", "vjepa", None])
def test_whatever_the_adapter_gives_becomes_tensors(store: MaskStore, folder: Path, adapter: str | None) -> None:
    frames = frames_of(folder, "a.mp4", [0, 1, 2, 3])
    made = MaskedClipTransform(store, **SMALL, adapter=adapter).sample(frames, "a.mp4", range(4), 0)
    plain = MaskedCrops(store, **SMALL, adapter=adapter).sample(frames, "a.mp4", range(4), 0)
    parts = made.mask if isinstance(made.mask, tuple) else (made.mask,)
    arrays = plain.mask if isinstance(plain.mask, tuple) else (plain.mask,)
    assert all(np.array_equal(part.numpy(), array) for part, array in zip(parts, arrays, strict=True))


def test_crops_are_spread_like_those_of_torchvision(store: MaskStore) -> None:
    crops = pytest.importorskip("torchvision.transforms").RandomResizedCrop
    torch.manual_seed(0)
    picture, scale, aspect = torch.empty(3, 120, 160), (0.2, 1.0), (3 / 4, 4 / 3)
    theirs = np.array([crops.get_params(picture, scale, aspect) for _ in range(3000)])
    transform = MaskedClipTransform(store, crop="random-resized", scale=scale, aspect=aspect)
    ours = np.array([transform.draw(120, 160, seed).crop for seed in range(3000)])
    for quantile in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.abs(np.quantile(ours, quantile, axis=0) - np.quantile(theirs, quantile, axis=0)).max() < 6


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (torch.zeros(4, 192, 256, 3, dtype=torch.uint8), r"torch.uint8 \(4, 192, 256, 3\); expected uint8 tensor"),
        (torch.zeros(3, 3, 192, 256, dtype=torch.uint8), r"\(3, 3, 192, 256\); expected .*, with 4 frames"),
        (torch.zeros(4, 3, 192, 256), r"torch.float32 \(4, 3, 192, 256\); expected uint8 tensor"),
        (np.zeros((4, 3, 192, 256), np.uint8), r"uint8 \(4, 3, 192, 256\); expected uint8 array"),
        (torch.zeros(4, 3, 96, 128, dtype=torch.uint8), "frames are 96 x 128 pixels; expected 192 x 256"),
    ],
)
def test_frames_of_another_shape_are_refused(store: MaskStore, frames: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        MaskedClipTransform(store)(frames, "a.mp4", range(4), 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dtype": torch.float16}, r"dtype is torch.float16; expected torch.float32 or torch.uint8"),
        ({"crop": "left"}, "crop is 'left'"),
        ({"adapter": "none"}, "adapter is 'none'"),
    ],
)
def test_options_that_cannot_be_used_are_refused(store: MaskStore, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        MaskedClipTransform(store, **options)


# Dataset


def test_default_collate_stacks(store: MaskStore) -> None:
    clips = dataset(store)
    assert isinstance(clips, Dataset)
    assert len(clips) == 4
    (batch,) = DataLoader(clips, batch_size=4)
    clip, mask = batch
    assert (clip.shape, clip.dtype) == ((4, 3, 4, 32, 32), torch.float32)
    assert (mask.shape, mask.dtype) == ((4, 2 * 16), torch.bool)
    assert mask.sum(1).tolist() == [24] * 4


@pytest.mark.parametrize(("workers", "start"), [(1, "fork"), (2, "fork"), (1, "spawn"), (2, "spawn")])
def test_workers_make_the_same_samples_in_order(store: MaskStore, workers: int, start: str) -> None:
    clips = dataset(store, seed=5)
    expected = [clips[number] for number in range(4)]
    loader = DataLoader(clips, batch_size=None, num_workers=workers, multiprocessing_context=start)
    found = list(loader)
    assert len(found) == 4
    assert all(same(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_that_stay_alive_hear_of_the_next_epoch(store: MaskStore, start: str) -> None:
    clips = dataset(store)
    loader = DataLoader(clips, batch_size=None, num_workers=1, multiprocessing_context=start, persistent_workers=True)
    for epoch in range(2):
        clips.set_epoch(epoch)
        expected = [dataset(store, epoch=epoch)[number] for number in range(4)]
        assert all(same(one, other) for one, other in zip(loader, expected, strict=True))


def test_seed_and_epoch_decide_the_sample(store: MaskStore) -> None:
    clips = dataset(store, seed=1)
    first = [clips[number] for number in range(4)]
    assert all(same(clips[number], first[number]) for number in range(4))
    clips.set_epoch(1)
    assert not any(same(clips[number], first[number]) for number in range(4))
    clips.set_epoch(0)
    assert all(same(clips[number], first[number]) for number in range(4))
    assert not same(dataset(store, seed=2)[0], first[0])


LOADERS: dict[str, dict[str, Any]] = {
    "main process": {"num_workers": 0},
    "fresh workers": {"num_workers": 2},
    "persistent workers": {"num_workers": 2, "persistent_workers": True},
}


def passes_over(clips: MaskedClips, count: int, options: dict[str, Any]) -> list[list[Any]]:
    torch.manual_seed(3)
    loader = DataLoader(clips, batch_size=None, **options)
    return [list(loader) for _ in range(count)]


@pytest.mark.parametrize("options", LOADERS.values(), ids=LOADERS.keys())
def test_passes_differ_by_themselves_and_follow_from_the_seed_of_torch(
    store: MaskStore, options: dict[str, Any]
) -> None:
    first, second = passes_over(dataset(store, epoch=None), 2, options)
    assert not any(same(one, other) for one, other in zip(first, second, strict=True))
    again = passes_over(dataset(store, epoch=None), 2, options)
    assert all(same(one, other) for one, other in zip(first + second, again[0] + again[1], strict=True))


@pytest.mark.parametrize("options", LOADERS.values(), ids=LOADERS.keys())
def test_set_epoch_pins_every_pass_until_it_is_unpinned(store: MaskStore, options: dict[str, Any]) -> None:
    clips = dataset(store, epoch=None)
    clips.set_epoch(2)
    first, second = passes_over(clips, 2, options)
    expected = [dataset(store, epoch=2)[number] for number in range(4)]
    for found in (first, second):
        assert all(same(one, other) for one, other in zip(found, expected, strict=True))
    clips.set_epoch(None)
    (third,) = passes_over(clips, 1, options)
    assert not any(same(one, other) for one, other in zip(third, expected, strict=True))


def test_a_negative_epoch_is_refused(store: MaskStore) -> None:
    with pytest.raises(UsageError, match="epoch is -1; expected 0 or more, or None"):
        dataset(store, epoch=-1)


@pytest.mark.parametrize("decoder", ["pyav", "torchcodec"])
@pytest.mark.parametrize("stream", [None, 0, 1])
def test_the_frames_are_of_the_stream_that_the_masks_belong_to(
    tmp_path: Path, decoder: str, stream: int | None
) -> None:
    """Two streams of one size and length: dark and still, then bright; readers that choose the best take the second."""
    write_two_streams(tmp_path / "two.mkv")
    spec = ExtractSpec(reading=DecodeOptions(stream=stream))
    assert [o.done for o in extract([str(tmp_path / "two.mkv")], tmp_path / "m.zarr", spec, engine="inline")] == [True]
    try:
        clips = dataset(mgmtool.open_store(tmp_path / "m.zarr"), decoder=decoder)
        clip, _ = clips[0]
    except (UsageError, RuntimeError) as error:
        if decoder == "pyav":
            raise
        pytest.skip(f"torchcodec does not run here: {str(error).splitlines()[0]}")
    assert (clip.mean() > 0.5) == (stream == 1)


def test_a_sample_is_what_the_transform_makes_of_the_drawn_frames(store: MaskStore, folder: Path) -> None:
    draws, transform = ClipDraws(store, **CLIP), MaskedClipTransform(store, **SMALL)
    for number, name in enumerate(FRAMES):
        drawn = draws.draw(number)
        assert (drawn.id, drawn.num_frames) == (name, FRAMES[name])
        frames = read_clip(drawn).rgb
        assert np.array_equal(frames, frames_of(folder, name, list(drawn.frames)))
        assert same(dataset(store)[number], transform(frames, name, drawn.frames, drawn.seed))


def test_torchcodec_gives_the_same_masks_and_nearly_the_same_pictures(store: MaskStore) -> None:
    try:
        codec = dataset(store, decoder="torchcodec")
        made = [codec[number] for number in range(4)]
    except (UsageError, RuntimeError) as error:
        pytest.skip(f"torchcodec does not run here: {str(error).splitlines()[0]}")
    for (clip, mask), (other, same_mask) in zip(made, (dataset(store)[number] for number in range(4)), strict=True):
        assert torch.equal(mask, same_mask)
        assert (clip - other).abs().mean() < 0.02


@pytest.mark.parametrize(
    ("frames", "said"),
    [(3, "frame index is 4; expected 0 to 2"), (6, "'c.mp4' has 5 frames in the store, but .* has more")],
)
def test_a_reader_that_counts_other_frames_is_an_error(
    store: MaskStore, tmp_path: Path, frames: int, said: str
) -> None:
    write_clip(tmp_path / "c.mp4", frames=frames)
    with pytest.raises(UsageError, match=said):
        dataset(store, tmp_path)[2]


def test_what_the_reader_counts_reaches_the_store(store: MaskStore, folder: Path) -> None:
    frames = frames_of(folder, "a.mp4", [0, 1, 2, 3])
    with pytest.raises(UsageError, match=r"'a\.mp4' has 30 frames in the store, but 31"):
        MaskedClipTransform(store, **SMALL)(frames, "a.mp4", range(4), 0, num_frames=31)


def test_an_unknown_decoder_is_refused(store: MaskStore) -> None:
    with pytest.raises(UsageError, match="decoder is 'decord'; expected one of pyav, torchcodec"):
        dataset(store, decoder="decord")


def test_without_torchcodec_its_decoder_says_so(store: MaskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    with pytest.raises(UsageError, match="decoder 'torchcodec' cannot be imported"):
        dataset(store, decoder="torchcodec")
