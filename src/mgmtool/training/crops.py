"""Where a training sample is cut out of the picture: crops drawn from a seed, as the usual recipes draw them.

Only numbers are made here; no picture is touched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.masking import below, derive_seed, draws
from mgmtool.types import Crop

__all__ = ["KINDS", "CropParameters", "CropPolicy", "centre", "multi_scale", "random_resized"]

KINDS = ("multi-scale", "random-resized", "centre")

_SCALES = (1.0, 0.875, 0.75, 0.66)
_SIDES = tuple((i, j) for i in range(len(_SCALES)) for j in range(len(_SCALES)) if abs(i - j) <= 1)
# Quarters of the room left, down and across: the fixed offsets of GroupMultiScaleCrop with more_fix_crop.
_OFFSETS = ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2), (2, 0), (2, 4), (4, 2), (0, 2), (1, 1), (1, 3), (3, 1), (3, 3))
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class CropParameters:
    """What is shown of a picture: rows top .. top + height - 1, likewise columns, mirrored left to right last or not.

    Attributes
    ----------
    top, left, height, width : int
        Pixels of the displayed frame.
    hflip : bool
        The crop is mirrored left to right.
    """

    top: int
    left: int
    height: int
    width: int
    hflip: bool = False

    @property
    def crop(self) -> tuple[int, int, int, int]:
        """``(top, left, height, width)``, as :meth:`mgmtool.MaskStore.clip` takes it."""
        return self.top, self.left, self.height, self.width


@dataclass(frozen=True, slots=True)
class CropPolicy:
    """How crops are drawn.

    Attributes
    ----------
    kind : str
        "multi-scale", "random-resized" or "centre"; the functions of this module say what they are.
    hflip : float
        Chance that a crop is mirrored, 0..1.
    scale : (float, float)
        Share of the picture's area that a "random-resized" crop has, above 0 and up to 1.
    aspect : (float, float)
        Width by height of a "random-resized" crop, smallest and largest.
    """

    kind: str = "multi-scale"
    hflip: float = 0.5
    scale: tuple[float, float] = (0.5, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"crop is {self.kind!r}; expected one of {', '.join(KINDS)}")
        if not 0.0 <= self.hflip <= 1.0:
            raise UsageError(f"hflip is {self.hflip}; expected 0 to 1")
        if not 0.0 < self.scale[0] <= self.scale[1] <= 1.0:
            raise UsageError(f"scale is {self.scale}; expected two shares of the area, ascending, above 0 and up to 1")
        if not 0.0 < self.aspect[0] <= self.aspect[1] < math.inf:
            raise UsageError(f"aspect is {self.aspect}; expected two ratios of width to height, ascending, above 0")

    def draw(self, height: int, width: int, seed: int) -> CropParameters:
        """Draw the crop of a frame of ``height`` x ``width`` pixels; equal seeds give equal crops.

        Raises
        ------
        UsageError
            The frame has no pixels.
        """
        if height < 1 or width < 1:
            raise UsageError(f"frame is {height} x {width}; expected at least one pixel")
        keys = draws(derive_seed(seed, "crop"), 0, 1 + _ATTEMPTS, 4)
        if self.kind == "centre":
            crop = centre(height, width)
        elif self.kind == "multi-scale":
            crop = multi_scale(height, width, keys[0, 1:3])
        else:
            crop = random_resized(height, width, keys[1:], self.scale, self.aspect)
        mirrored = _between(keys[0, 0], 0.0, 1.0) < self.hflip
        return CropParameters(crop.top, crop.left, crop.height, crop.width, mirrored)


def multi_scale(height: int, width: int, keys: NDArray[np.uint64]) -> Crop:
    """Cut as VideoMAE's ``GroupMultiScaleCrop`` does.

    Sides come from {1, .875, .75, .66} of the short side with at most one step between height and width, the place from 13
    fixed offsets. Sides are not rounded to the size of the network's input where they nearly have it (our choice).

    Parameters
    ----------
    height, width : int
        Picture, pixels.
    keys : uint64 (2,)
        Draws for the sides and for the offset.
    """
    short = min(height, width)
    sides, offset = (int(below(keys[k], len(table))) for k, table in enumerate((_SIDES, _OFFSETS)))
    high, wide = (max(int(short * _SCALES[i]), 1) for i in _SIDES[sides])
    down, across = _OFFSETS[offset]
    return Crop(down * ((height - high) // 4), across * ((width - wide) // 4), high, wide)


def random_resized(
    height: int, width: int, keys: NDArray[np.uint64], scale: tuple[float, float], aspect: tuple[float, float]
) -> Crop:
    """Cut as torchvision's ``RandomResizedCrop`` does.

    Area evenly from ``scale``, logarithm of the aspect ratio evenly from ``aspect``, place evenly from those inside. After so
    many rectangles that do not fit as there are rows of keys, it is the largest one in the middle.

    Parameters
    ----------
    height, width : int
        Picture, pixels.
    keys : uint64 (attempts, 4)
        Draws for area, aspect, row and column.
    scale : (float, float)
        Share of the area, smallest and largest.
    aspect : (float, float)
        Width by height, smallest and largest.
    """
    for area_key, aspect_key, row_key, column_key in keys:
        area = height * width * _between(area_key, *scale)
        ratio = math.exp(_between(aspect_key, math.log(aspect[0]), math.log(aspect[1])))
        high, wide = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < high <= height and 0 < wide <= width:
            top, left = int(below(row_key, height - high + 1)), int(below(column_key, width - wide + 1))
            return Crop(top, left, high, wide)
    return _largest(height, width, aspect)


def centre(height: int, width: int) -> Crop:
    """Cut the largest square from the middle."""
    return _largest(height, width, (1.0, 1.0))


def _largest(height: int, width: int, aspect: tuple[float, float]) -> Crop:
    """Largest crop in the middle whose aspect ratio is in the range; at least one pixel."""
    high, wide = height, width
    if width / height < aspect[0]:
        high = max(round(width / aspect[0]), 1)
    elif width / height > aspect[1]:
        wide = max(round(height * aspect[1]), 1)
    return Crop((height - high) // 2, (width - wide) // 2, high, wide)


def _between(key: int, low: float, high: float) -> float:
    """Map a draw to low .. high, without high itself; of 53 bits."""
    return low + (high - low) * float(int(key) >> 11) * 2.0**-53
