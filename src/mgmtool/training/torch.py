"""PyTorch: a transform and a dataset whose clips come with the masks of their very frames and crop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.training import MaskStore
from mgmtool.training.crops import CropParameters
from mgmtool.training.draws import ClipDraw, ClipDraws
from mgmtool.training.samples import MaskedCrops, MaskedSample, checked_shape, read_clip
from mgmtool.types import TokenMask
from mgmtool.video.container import stream_index

try:
    import torch
    from torch.nn.functional import interpolate
    from torch.utils.data import Dataset, default_convert
except ModuleNotFoundError as error:
    raise ImportError(f"mgmtool.torch needs torch; pip install 'mgmtool[torch]' ({error})") from None

__all__ = ["CropParameters", "MaskedClipTransform", "MaskedClips", "MaskedSample"]

_UNPINNED = -1


@dataclass(frozen=True, kw_only=True)
class MaskedClipTransform(MaskedCrops):
    """Frames of a video to ``(clip, mask)``: cut, resized, mirrored, and masked just there.

    Takes what :class:`~mgmtool.training.samples.MaskedCrops` takes; whatever arrays the adapter gives become tensors. Frames are
    uint8 tensors (frames, 3, height, width) or arrays (frames, height, width, 3), in displayed orientation.

    Attributes
    ----------
    dtype : torch.dtype
        ``torch.float32`` for a clip of 0..1, ``torch.uint8`` for one of 0..255.
    """

    dtype: torch.dtype = torch.float32

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dtype not in {torch.float32, torch.uint8}:
            raise UsageError(f"dtype is {self.dtype}; expected torch.float32 or torch.uint8")

    def __call__(
        self, frames: Any, video_id: str, frame_indices: Sequence[int], seed: int, num_frames: int | None = None
    ) -> tuple[Any, Any]:
        """Cut and mask one clip; :meth:`sample` takes the same and also tells the crop.

        Parameters
        ----------
        frames : uint8 tensor (frames, 3, height, width) or array (frames, height, width, 3)
            In displayed orientation, as large as the store knows them.
        video_id, frame_indices, seed, num_frames
            As for :meth:`sample`.

        Returns
        -------
        clip : tensor (3, frames, size, size)
            Of type ``dtype``.
        mask
            What the adapter gives, as tensors; by default bool (tokens,). True = masked.
        """
        made = self.sample(frames, video_id, frame_indices, seed, num_frames)
        return made.clip, made.mask

    def apply(self, frames: Any, parameters: CropParameters) -> Any:
        """Cut, resize and mirror frames to a tensor (3, frames, size, size) of type ``dtype``."""
        top, left, height, width = parameters.crop
        if not isinstance(frames, torch.Tensor):
            frames = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
        cut = frames[:, :, top : top + height, left : left + width].to(torch.float32)
        clip = interpolate(cut, size=(self.size, self.size), mode="bilinear", antialias=True).transpose(0, 1)
        if parameters.hflip:
            clip = clip.flip(3)
        if self.dtype == torch.uint8:
            return clip.round().clamp(0, 255).to(torch.uint8).contiguous()
        return (clip / 255).contiguous()

    def frame_size(self, frames: Any, count: int) -> tuple[int, int]:
        """See :meth:`MaskedCrops.frame_size`; tensors have their channels before height and width."""
        if not isinstance(frames, torch.Tensor):
            return super().frame_size(frames, count)
        shape = checked_shape(frames, (count, 3, None, None), "uint8 tensor (frames, 3, height, width)")
        return shape[2], shape[3]

    def adapt(self, mask: TokenMask) -> Any:
        """See :meth:`MaskedCrops.adapt`; arrays become tensors."""
        return default_convert(super().adapt(mask))


class MaskedClips(Dataset):
    """One ``(clip, mask)`` of every video of a store, in the order of its index; the default collate function stacks them.

    Every pass over the data draws other frames, crops and masks. With a pinned epoch, a sample is the same for the same seed and
    epoch, whatever the order of reading and the number of workers.

    Parameters
    ----------
    store : MaskStore
        Its videos that are done are the samples.
    root : path, optional
        Folder to which ids are relative, where the videos are now; by default they are where they were when they were extracted.
    transform : callable
        A :class:`MaskedClipTransform`, or whatever takes ``(frames, video_id, frame_indices, seed, num_frames=...)``.
    num_frames, stride : int
        Frames of a clip, and frames of the video from one to the next. Of a video that is shorter, the last one is repeated.
    decoder : str
        "pyav", which reads the file from its start, or "torchcodec", which seeks and needs FFmpeg's libraries, and numbers
        the frames of some files differently: see the column ``index_risk``.
    seed : int
        What clips, crops and masks are drawn from, with the epoch.
    epoch : int, optional
        Pins the draws to this epoch, see :meth:`set_epoch`. By default every pass makes new draws, from PyTorch's random numbers: of
        this process, or of the worker that reads the sample, which PyTorch seeds from those of this process. So
        ``torch.manual_seed`` makes a run reproducible, for one number of workers.

    Raises
    ------
    UsageError
        A value that cannot be used; later, where a reader counts other frames than the store.
    VideoError
        Later, where a file cannot be read.
    """

    def __init__(
        self,
        store: MaskStore,
        root: str | Path | None = None,
        *,
        transform: Callable[..., Any],
        num_frames: int = 16,
        stride: int = 2,
        decoder: str = "pyav",
        seed: int = 0,
        epoch: int | None = None,
    ) -> None:
        if decoder not in _READERS:
            raise UsageError(f"decoder is {decoder!r}; expected one of {', '.join(_READERS)}")
        if decoder == "torchcodec":
            _torchcodec()
        self.transform = transform
        self._draws = ClipDraws(store, root, num_frames, stride, seed)
        self._read = _READERS[decoder]
        # In memory that workers share, so that those which stay alive between epochs hear of the next one.
        self._epoch = torch.tensor(_UNPINNED).share_memory_()
        self.set_epoch(epoch)

    def set_epoch(self, epoch: int | None) -> None:
        """Pin what is drawn from now on to an epoch, in the workers too; None makes new draws in every pass.

        Call it before a loader is iterated over.

        Raises
        ------
        UsageError
            The epoch is negative.
        """
        if epoch is not None and epoch < 0:
            raise UsageError(f"epoch is {epoch}; expected 0 or more, or None")
        self._epoch.fill_(_UNPINNED if epoch is None else epoch)

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, index: int) -> Any:
        """Read one sample: what the transform gives, ``(clip, mask)``."""
        pinned = int(self._epoch)
        drawn = self._draws.draw(index, int(torch.randint(2**62, ())) if pinned == _UNPINNED else pinned)
        frames, count = self._read(drawn)
        return self.transform(frames, drawn.id, drawn.frames, drawn.seed, num_frames=count)


def _with_pyav(drawn: ClipDraw) -> tuple[Any, int | None]:
    read = read_clip(drawn)
    return read.rgb, read.count


def _with_torchcodec(drawn: ClipDraw) -> tuple[Any, int | None]:
    # Left to itself, torchcodec takes the "best" stream, which need not be the one that the masks belong to.
    stream = stream_index(drawn.path, drawn.reading)
    decoder = _torchcodec()(drawn.path, stream_index=stream, seek_mode="exact")
    count, last = len(decoder), max(drawn.frames)
    if last >= count:
        raise UsageError(f"{drawn.path}: frame index is {last}; expected 0 to {count - 1}, the frames its reader finds")
    return decoder.get_frames_at(indices=list(drawn.frames)).data, count


def _torchcodec() -> Any:
    """Import torchcodec's decoder, which also wants FFmpeg's libraries."""
    try:
        from torchcodec.decoders import VideoDecoder
    except (ImportError, OSError, RuntimeError) as error:
        raise UsageError(
            f"decoder 'torchcodec' cannot be imported ({str(error).splitlines()[0]}); pip install torchcodec, and see its "
            "manual for FFmpeg"
        ) from None
    return VideoDecoder


_READERS: dict[str, Callable[[ClipDraw], tuple[Any, int | None]]] = {
    "pyav": _with_pyav,
    "torchcodec": _with_torchcodec,
}
