"""Training samples of a mask store: which frames, which crop, and the mask of just these. NumPy, for any framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.masking import Scheme, derive_seed
from mgmtool.store.videos import VideoName
from mgmtool.training import adapters
from mgmtool.training._resizing import resize
from mgmtool.training.crops import CropParameters, CropPolicy
from mgmtool.training.draws import ClipDraw, ClipDraws
from mgmtool.training.mask_store import MaskStore
from mgmtool.types import TokenMask
from mgmtool.video.clip import ClipPictures, read_frames

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
        "multi-scale" as VideoMAE, "random-resized" as torchvision, or "centre"; see :mod:`mgmtool.training.crops`.
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
        video_id: VideoName,
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
        return self.adapt(found)

    def sample(
        self, frames: Any, video_id: VideoName, frame_indices: Sequence[int], seed: int, num_frames: int | None = None
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
        height, width = self.frame_size(frames, len(frame_indices))
        rows = self.store.videos.find(video_id)
        if (height, width) != (rows.height, rows.width):
            raise UsageError(
                f"{rows.id!r}: frames are {height} x {width} pixels; expected {rows.height} x {rows.width}, the displayed "
                "size in the store"
            )
        # Numbers of a tensor print, and so seed, as no others do.
        parameters = self.draw(height, width, derive_seed(int(seed), rows.id, *map(int, frame_indices)))
        mask = self.mask(video_id, frame_indices, parameters, seed, num_frames)
        return MaskedSample(self.apply(frames, parameters), mask, parameters)

    def frame_size(self, frames: Any, count: int) -> tuple[int, int]:
        """Return height and width of the frames in pixels.

        Raises
        ------
        UsageError
            Another type, shape or number of frames than this class takes.
        """
        _, height, width, _ = checked_shape(frames, (count, None, None, 3), "uint8 array (frames, height, width, 3)")
        return height, width

    def adapt(self, mask: TokenMask) -> Any:
        """Put a mask in the form that the codebase takes."""
        if self.adapter is None:
            return mask.mask
        adapt: Adapter = getattr(adapters, self.adapter) if isinstance(self.adapter, str) else self.adapter
        return adapt(mask)


def read_clip(drawn: ClipDraw) -> ClipPictures:
    """Read the frames of a clip with PyAV.

    Raises
    ------
    UsageError
        The file ends before the last frame of the clip, or goes on behind the last one that the store knows.
    VideoError
        The file cannot be read.
    """
    read = read_frames(drawn.path, drawn.frames, drawn.reading)
    if read.count is None and max(drawn.frames) == drawn.num_frames - 1:
        raise UsageError(
            f"{drawn.id!r} has {drawn.num_frames} frames in the store, but {drawn.path} has more; expected the same number, "
            "or the i-th frame of one is not that of the other"
        )
    return read


def checked_shape(frames: Any, expected: Sequence[int | None], words: str) -> tuple[int, ...]:
    """Return the shape of an array or a tensor; refuse another type or shape, None standing for any length."""
    shape, kind = tuple(getattr(frames, "shape", ())), str(getattr(frames, "dtype", type(frames).__name__))
    fits = len(shape) == len(expected) and all(want in {None, got} for got, want in zip(shape, expected, strict=True))
    if not fits or 0 in shape or kind.removeprefix("torch.") != "uint8":
        raise UsageError(f"frames are {kind} {shape}; expected {words}, with {expected[0]} frames")
    return shape


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
        read = read_clip(drawn)
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
