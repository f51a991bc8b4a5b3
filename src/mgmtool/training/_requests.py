"""What a training loader asks for, perhaps in numbers of numpy or torch, as a plain request; errors show the values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.masking import derive_seed
from mgmtool.store import VideoRows
from mgmtool.store.rows import name_text
from mgmtool.types import Clip, ClipRequest, Crop, PatchGrid, TokenLayout

_BOOLS = (bool, np.bool_)


@dataclass(frozen=True, slots=True)
class MaskOptions:
    """What holds for all clips of a batch; see :meth:`mgmtool.MaskStore.clip`."""

    layout: TokenLayout
    tubelet: int
    invert: bool
    keep_visible: float

    @classmethod
    def of(cls, grid: tuple[int, int], tubelet: int, ratio: float, invert: bool, keep_visible: float) -> MaskOptions:
        """Check and lay out.

        Raises
        ------
        UsageError
            No grid, no ratio, or no tubelet.
        """
        try:
            rows, cols = map(index, grid)
            layout = TokenLayout.of(PatchGrid.parse(f"{rows}x{cols}"), float(ratio))
            return cls(layout, index(tubelet), bool(invert), float(keep_visible))
        except TypeError:
            raise UsageError(
                f"grid is {grid!r}, tubelet is {tubelet!r}, ratio is {ratio!r}, keep_visible is {keep_visible!r}; expected "
                "(rows, cols), a number of frames, and 0 to 1"
            ) from None
        except ValueError as error:
            raise UsageError(str(error)) from None

    def request(self, clip: Clip, rows: VideoRows, first: int) -> ClipRequest:
        """Ask for a clip, made plain by :func:`plain`, of which frame ``first`` is the first that is known."""
        crop = Crop(0, 0, rows.height, rows.width) if clip.crop is None else Crop(*clip.crop)
        where = (crop.top, crop.left, crop.height, crop.width)
        return ClipRequest(
            frames=tuple([frame - first for frame in clip.frames]),
            layout=self.layout,
            crop=crop,
            hflip=clip.hflip,
            tubelet=self.tubelet,
            seed=derive_seed(clip.seed, rows.id, *clip.frames, "crop", *where),
            invert=self.invert,
            keep_visible=self.keep_visible,
        )


def plain(clip: Clip) -> Clip:
    """Turn the numbers of a clip into Python's, so that they print, and seed, the same whatever they were.

    Raises
    ------
    UsageError
        A frame index, a crop, a seed or a number of frames that is not made of whole numbers, an ``hflip`` that is neither
        true nor false, or an id that is no name.
    """
    # A tuple, or an array, whose truth is not to be asked for.
    crop: Any = None if clip.crop is None else _whole(clip, "crop", clip.crop)
    if crop is not None and len(crop) != 4:
        raise UsageError(f"{clip.id!r}: crop is {crop}; expected (top, left, height, width) in pixels")
    return dataclasses.replace(
        clip,
        frames=_whole(clip, "frames", clip.frames),
        crop=crop,
        id=name_text(clip.id),
        hflip=_truth(clip),
        seed=_whole(clip, "seed", [clip.seed])[0],
        num_frames=None if clip.num_frames is None else _whole(clip, "num_frames", [clip.num_frames])[0],
    )


def _whole(clip: Clip, what: str, values: Iterable[Any]) -> tuple[int, ...]:
    try:
        listed = list(values)
        if not any(isinstance(value, _BOOLS) for value in listed):  # True would be frame 1
            return tuple(map(index, listed))
    except TypeError:
        pass
    raise UsageError(f"{clip.id!r}: {what} is {values!r}; expected whole numbers")


def _truth(clip: Clip) -> bool:
    """Return whether a clip is mirrored, as true or false, or as 1 or 0 of any whole type."""
    try:
        number = index(clip.hflip) if not isinstance(clip.hflip, _BOOLS) else int(bool(clip.hflip))
        if number in {0, 1}:
            return bool(number)
    except TypeError:
        pass
    raise UsageError(f"{clip.id!r}: hflip is {clip.hflip!r}; expected True or False")
