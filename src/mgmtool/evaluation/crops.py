"""Clips as a training run draws them: 16 frames at stride 2 from a random start, in VideoMAE's multi-scale crop."""

from __future__ import annotations

from collections.abc import Iterator

from mgmtool.errors import GroundTruthError
from mgmtool.masking import below, derive_seed, draws
from mgmtool.training.crops import multi_scale
from mgmtool.types import ClipRequest, TokenLayout

CLIP_FRAMES = 16
STRIDE = 2
TUBELET = 2
_SPAN = (CLIP_FRAMES - 1) * STRIDE + 1


def draw_clips(
    name: str, frames: int, height: int, width: int, layout: TokenLayout, seed: int, count: int
) -> Iterator[ClipRequest]:
    """Draw clips of a video, the same for every scheme and box.

    Crops are those of :func:`mgmtool.training.crops.multi_scale`.

    Parameters
    ----------
    name : str
        Name of the sequence; with the seed it decides the draws.
    frames : int
        Frames of the video.
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
        The video is shorter than a clip.
    """
    if frames < _SPAN:
        raise GroundTruthError(f"{frames} frames; expected {_SPAN} or more, for {CLIP_FRAMES} at stride {STRIDE}")
    for number, row in enumerate(draws(derive_seed(seed, name), 0, count, 3)):
        start = int(below(row[0], frames - _SPAN + 1))
        yield ClipRequest(
            frames=tuple(range(start, start + _SPAN, STRIDE)),
            layout=layout,
            crop=multi_scale(height, width, row[1:]),
            tubelet=TUBELET,
            seed=derive_seed(seed, name, number),
        )
