"""Training samples of a mask store: which frames, which crop, and the mask of just these. NumPy, for any framework."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mgmtool import adapters
from mgmtool.crops import CropParameters, CropPolicy
from mgmtool.errors import UsageError
from mgmtool.loader._resizing import resize
from mgmtool.loader.mask_store import MaskStore
from mgmtool.masking import Scheme, below, derive_seed, draws
from mgmtool.types import TokenMask, UInt8
from mgmtool.video.clip import ClipPictures, read_frames

__all__ = ["ClipDraw", "ClipDraws", "ClipPictures", "ClipSamples", "CropParameters", "MaskedCrops", "MaskedSample", "read_frames"]

Adapter = Callable[[TokenMask], Any]


@dataclass(frozen=True, slots=True)
class MaskedSample:
    """One training sample.

    Attributes
    ----------
    clip
        Pictures of the crop; the class that made the sample says in which form.
    mask
        What the adapter made of the mask; True = masked.
    parameters : CropParameters
        Where the crop is.
    """

    clip: Any
    mask: Any
    parameters: CropParameters


@dataclass(frozen=True)
class MaskedCrops:
    """Cuts clips and masks what the cut shows. Any worker makes the same sample of the same seed.

    Attributes
    ----------
    store : MaskStore
        Knows what moves.
    size : int
        Height and width of the clip that comes out, pixels.
    crop : str
        "multi-scale" as VideoMAE, "random-resized" as torchvision, or "centre"; see :mod:`mgmtool.crops`.
    hflip : float
        Chance that a clip is mirrored left to right, 0..1.
    grid, tubelet, ratio, scheme, invert, keep_visible
        What is hidden; see :meth:`mgmtool.MaskStore.clip`.
    scale, aspect : (float, float)
        Share of the picture's area, and width by height, of a "random-resized" crop.
    adapter : str, callable or None
        Form of the mask: an adapter of :mod:`mgmtool.adapters` by name, a function of a :class:`~mgmtool.types.TokenMask`, or
        None for bool (tubelets, rows, cols).
    """

    store: MaskStore
    _: KW_ONLY
    size: int = 224
    crop: str = "multi-scale"
    hflip: float = 0.5
    grid: tuple[int, int] = (14, 14)
    tubelet: int = 2
    ratio: float = 0.75
    scheme: str | Scheme = "motion-guided"
    invert: bool = False
    keep_visible: float = 0.0
    scale: tuple[float, float] = (0.5, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    adapter: str | Adapter | None = "videomae"
    _policy: CropPolicy = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(f"size is {self.size}; expected 1 pixel or more")
        if isinstance(self.adapter, str) and self.adapter not in adapters.names():
            raise UsageError(f"adapter is {self.adapter!r}; expected one of {', '.join(adapters.names())}")
        policy = CropPolicy(self.crop, self.hflip, self.scale, self.aspect)
        object.__setattr__(self, "_policy", policy)

    def draw(self, height: int, width: int, seed: int) -> CropParameters:
        """Draw the crop of a picture of ``height`` x ``width`` pixels; equal seeds give equal crops."""
        return self._policy.draw(height, width, seed)

    def apply(self, frames: Any, parameters: CropParameters) -> Any:
        """Cut, resize and mirror uint8 (frames, height, width, 3) to uint8 (frames, size, size, 3)."""
        top, left, height, width = parameters.crop
        clip = resize(frames[:, top : top + height, left : left + width], self.size, self.size)
        return np.ascontiguousarray(clip[:, :, ::-1]) if parameters.hflip else clip

    def mask(
        self,
        video_id: str,
        frame_indices: Sequence[int],
        parameters: CropParameters,
        seed: int,
        num_frames: int | None = None,
    ) -> Any:
        """Ask the store what is hidden in a crop, in the form that the adapter gives it; see :meth:`mgmtool.MaskStore.clip`."""
        found = self.store.clip(
            video_id,
            frame_indices,
            crop=parameters.crop,
            hflip=parameters.hflip,
            grid=self.grid,
            tubelet=self.tubelet,
            ratio=self.ratio,
            scheme=self.scheme,
            seed=seed,
            num_frames=num_frames,
            invert=self.invert,
            keep_visible=self.keep_visible,
        )
        return self._adapted(found)

    def sample(
        self, frames: Any, video_id: str, frame_indices: Sequence[int], seed: int, num_frames: int | None = None
    ) -> MaskedSample:
        """Cut and mask one clip.

        Parameters
        ----------
        frames : uint8 (frames, height, width, 3)
            Pictures in displayed orientation, as large as the store knows them.
        video_id : str
            The video, as for :meth:`mgmtool.MaskStore.clip`.
        frame_indices : sequence of int
            Which frames they are, one by one.
        seed : int
            With id and frames it decides crop, flip and whatever is random in the mask; give another one in every epoch.
        num_frames : int, optional
            How many frames the reader of the pictures counts; an error if the store counts others.

        Raises
        ------
        UsageError
            Pictures of another type, number or size, or what :meth:`mgmtool.MaskStore.clip` refuses.
        """
        height, width = self._shape(frames, len(frame_indices))
        rows = self.store.videos.find(video_id)
        if (height, width) != (rows.height, rows.width):
            raise UsageError(
                f"{rows.id!r}: frames are {height} x {width} pixels; expected {rows.height} x {rows.width}, the displayed "
                "size in the store"
            )
        parameters = self.draw(height, width, derive_seed(seed, rows.id, *frame_indices))
        mask = self.mask(video_id, frame_indices, parameters, seed, num_frames)
        return MaskedSample(self.apply(frames, parameters), mask, parameters)

    def _shape(self, frames: Any, count: int) -> tuple[int, int]:
        """Height and width of pictures, once they are found to be as expected."""
        return checked_shape(frames, (count, None, None, 3), "uint8 array (frames, height, width, 3)")[1:3]

    def _adapted(self, mask: TokenMask) -> Any:
        if self.adapter is None:
            return mask.mask
        adapt: Adapter = getattr(adapters, self.adapter) if isinstance(self.adapter, str) else self.adapter
        return adapt(mask)


def checked_shape(frames: Any, expected: Sequence[int | None], words: str) -> tuple[int, ...]:
    """Return the shape of an array or a tensor; refuse another type or shape, None standing for any length."""
    shape = tuple(frames.shape)
    fits = len(shape) == len(expected) and all(want in {None, got} for got, want in zip(shape, expected, strict=True))
    if not fits or 0 in shape or str(frames.dtype).removeprefix("torch.") != "uint8":
        raise UsageError(f"frames are {frames.dtype} {shape}; expected {words}, with {expected[0]} frames")
    return shape


@dataclass(frozen=True, slots=True)
class ClipDraw:
    """Which frames a sample takes.

    Attributes
    ----------
    id, path : str
        Video, and the file it is in.
    frames : tuple of int
        Frame indices, ascending; the last frame is repeated where the video is shorter than the clip.
    seed : int
        64 bits that belong to this sample.
    """

    id: str
    path: str
    frames: tuple[int, ...]
    seed: int


@dataclass(frozen=True)
class ClipDraws:
    """One clip of every video of a store, from a start that is drawn anew in every epoch.

    Attributes
    ----------
    store : MaskStore
        Its videos, in the order of its index.
    root : path or None
        Folder to which ids are relative, where the videos are now; by default they are where they were when they were
        extracted.
    num_frames : int
        Frames of a clip.
    stride : int
        Frames of the video from one frame of the clip to the next.
    seed : int
        With epoch and number of the video it decides everything.
    """

    store: MaskStore
    root: str | Path | None = None
    num_frames: int = 16
    stride: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("num_frames", "stride"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; expected 1 or more")

    def __len__(self) -> int:
        return len(self.store)

    def draw(self, index: int, epoch: int = 0) -> ClipDraw:
        """Draw the clip of the video of a number; an IndexError if there is none."""
        number = range(len(self))[index]
        rows = self.store.videos.find(self.store.videos.table["id"][number].as_py())
        seed = derive_seed(self.seed, epoch, number)
        room = max(len(rows) - (self.num_frames - 1) * self.stride, 1)
        start = int(below(draws(derive_seed(seed, "start"), 0, 1, 1)[0, 0], room))
        frames = tuple(min(start + k * self.stride, len(rows) - 1) for k in range(self.num_frames))
        return ClipDraw(rows.id, self._file(rows.id, rows.path), frames, seed)

    def _file(self, video_id: str, path: str) -> str:
        name = path if self.root is None else os.path.join(self.root, video_id)  # noqa: PTH118  any bytes the system has
        return name if os.path.exists(name) else _unescaped(name)  # noqa: PTH110


def _unescaped(name: str) -> str:
    r"""Undo the escapes ``\udcXX`` of an index: bytes of a file name that are not UTF-8."""
    return re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), name)


class ClipSamples:
    """Samples of a store by the number of the video, read with PyAV: a random-access data source, for any framework.

    Parameters
    ----------
    store : MaskStore
        Its videos that are done are the samples.
    root, num_frames, stride, seed
        As for :class:`ClipDraws`.
    epoch : int
        Pass over the data; see :meth:`set_epoch`.
    **options
        As for :class:`MaskedCrops`.
    """

    def __init__(
        self,
        store: MaskStore,
        root: str | Path | None = None,
        *,
        num_frames: int = 16,
        stride: int = 2,
        seed: int = 0,
        epoch: int = 0,
        **options: Any,
    ) -> None:
        self.crops = MaskedCrops(store, **options)
        self.draws = ClipDraws(store, root, num_frames, stride, seed)
        self.epoch = epoch

    def set_epoch(self, epoch: int) -> None:
        """Draw other clips, crops and masks from now on; in this process."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.draws)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Read one sample.

        Returns
        -------
        dict
            ``clip`` uint8 (num_frames, size, size, 3); ``mask`` as the adapter gives it, True = masked; ``id`` str; ``frames``
            int64 (num_frames,); ``crop`` int64 (4,), top, left, height and width; ``hflip`` bool.
        """
        drawn = self.draws.draw(index, self.epoch)
        read = read_frames(drawn.path, drawn.frames)
        sample = self.crops.sample(read.rgb, drawn.id, drawn.frames, drawn.seed, read.count)
        return {
            "clip": sample.clip,
            "mask": sample.mask,
            "id": drawn.id,
            "frames": np.array(drawn.frames, np.int64),
            "crop": np.array(sample.parameters.crop, np.int64),
            "hflip": np.bool_(sample.parameters.hflip),
        }

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        # What a checkpoint compares to see that it goes on with the same data.
        draws = self.draws
        return (
            f"{type(self).__name__}({draws.store.name!r}, {draws.num_frames} frames, stride {draws.stride}, "
            f"seed {draws.seed}, epoch {self.epoch})"
        )
