"""Which frames a training sample takes: one clip of every video of a store, from a start drawn for each pass."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mgmtool.errors import UsageError
from mgmtool.masking import below, derive_seed, draws
from mgmtool.training.mask_store import MaskStore
from mgmtool.types import DecodeOptions


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
    num_frames : int
        Frames of the video, as the store counts them.
    reading : DecodeOptions
        How the file is read, as it was for the store: which of its video streams, for one.
    """

    id: str
    path: str
    frames: tuple[int, ...]
    seed: int
    num_frames: int
    reading: DecodeOptions = field(default_factory=DecodeOptions)


@dataclass(frozen=True)
class ClipDraws:
    """One clip of every video of a store, from a start drawn for each pass over the data.

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

    def __getstate__(self) -> dict[str, Any]:
        # Ids are listed again by whoever needs them: there may be millions.
        return {name: value for name, value in self.__dict__.items() if name != "_ids"}

    def __len__(self) -> int:
        return len(self._ids)

    @cached_property
    def _ids(self) -> list[str]:
        return list(self.store)

    def draw(self, index: int, epoch: int = 0) -> ClipDraw:
        """Draw the clip of the video of a number; an IndexError if there is none."""
        number = range(len(self))[index]
        rows = self.store.videos.find(self._ids[number])
        seed = derive_seed(self.seed, epoch, number)
        room = max(len(rows) - (self.num_frames - 1) * self.stride, 1)
        start = int(below(draws(derive_seed(seed, "start"), 0, 1, 1)[0, 0], room))
        frames = tuple(min(start + k * self.stride, len(rows) - 1) for k in range(self.num_frames))
        path = rows.path if self.root is None else os.path.join(self.root, rows.id)  # noqa: PTH118  any bytes
        if not os.path.exists(path):  # noqa: PTH110
            # The index escapes the bytes of a name that are not UTF-8 as \udcXX.
            path = re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), path)
        return ClipDraw(rows.id, path, frames, seed, len(rows), self.store.spec.reading)
