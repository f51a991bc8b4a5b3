"""Clips as a training run draws them: 16 frames at stride 2 from a random start, in VideoMAE's multi-scale crop."""

from __future__ import annotations

from collections.abc import Iterator

from mgmtool.errors import GroundTruthError
from mgmtool.masking import below, derive_seed, draws
from mgmtool.types import ClipRequest, Crop, TokenLayout

CLIP_FRAMES = 16
STRIDE = 2
TUBELET = 2
_SPAN = (CLIP_FRAMES - 1) * STRIDE + 1
_SCALES = (1.0, 0.875, 0.75, 0.66)
_SIDES = tuple((i, j) for i in range(len(_SCALES)) for j in range(len(_SCALES)) if abs(i - j) <= 1)
# Quarters of the room left, down and across: the fixed offsets of GroupMultiScaleCrop with more_fix_crop.
_OFFSETS = ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2), (2, 0), (2, 4), (4, 2), (0, 2), (1, 1), (1, 3), (3, 1), (3, 3))


def draw_clips(
    name: str, frames: int, height: int, width: int, layout: TokenLayout, seed: int, count: int
) -> Iterator[ClipRequest]:
    """Draw clips of a film, the same for every scheme and box.

    Crop sides come from {1, .875, .75, .66} of the short side with at most one step between height and width, the place from 13
    fixed offsets, as in VideoMAE's ``GroupMultiScaleCrop``.

    Parameters
    ----------
    name : str
        Name of the sequence; with the seed it decides the draws.
    frames : int
        Frames of the film.
    height, width : int
        Displayed size, pixels.
    layout : TokenLayout
        Token grid and box.
    seed : int
        Seed of the evaluation.
    count : int
        How many clips.

    Raises
    ------
    GroundTruthError
        The film is shorter than a clip.
    """
    if frames < _SPAN:
        raise GroundTruthError(f"{frames} frames; expected {_SPAN} or more, for {CLIP_FRAMES} at stride {STRIDE}")
    short = min(height, width)
    for number, row in enumerate(draws(derive_seed(seed, name), 0, count, 3)):
        start, sides, offset = (int(below(row[k], n)) for k, n in enumerate((frames - _SPAN + 1, len(_SIDES), 13)))
        high, wide = (int(short * _SCALES[i]) for i in _SIDES[sides])
        down, across = _OFFSETS[offset]
        yield ClipRequest(
            frames=tuple(range(start, start + _SPAN, STRIDE)),
            layout=layout,
            crop=Crop(down * ((height - high) // 4), across * ((width - wide) // 4), high, wide),
            tubelet=TUBELET,
            seed=derive_seed(seed, name, number),
        )
