"""Masks without videos: schemes that look at nothing, straight from a seed.

>>> import mgmtool
>>> mask = mgmtool.training.masker.build("tube", ratio=0.9)(seed=3).mask
>>> mask.shape, int(mask[0].sum())
((8, 14, 14), 176)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mgmtool import masking
from mgmtool.errors import UsageError
from mgmtool.masking import Scheme
from mgmtool.training.clips import check_clip, place_clip
from mgmtool.types import ClipRequest, PatchGrid, TokenLayout, TokenMask, VideoMotion

__all__ = ["Masker", "build", "names"]

_SEEDS = 2**64
_MOST_SIDE = 256


@dataclass(frozen=True, slots=True)
class Masker:
    """Masks of one scheme for clips of one shape.

    Attributes
    ----------
    scheme : Scheme
        What decides what is hidden.
    video : VideoMotion
        A video in which nothing is known to move.
    request : ClipRequest
        The clip: all of that video, in whole.
    """

    scheme: Scheme
    video: VideoMotion
    request: ClipRequest

    def __call__(self, seed: int = 0) -> TokenMask:
        """Mask one clip; equal seeds give equal masks.

        Parameters
        ----------
        seed : int
            0 to 2**64 - 1; it belongs to the sample.

        Raises
        ------
        UsageError
            The seed is out of range.
        """
        if not 0 <= seed < _SEEDS:
            raise UsageError(f"seed is {seed}; expected 0 to 2**64 - 1")
        return place_clip(self.video, replace(self.request, seed=seed), self.scheme)


def names() -> list[str]:
    """List the schemes that :func:`build` takes: those that look at neither motion nor objects."""
    return [name for name in masking.names() if not _looks_at(masking.build(name))]


def build(
    name: str,
    *,
    ratio: float = 0.75,
    grid: tuple[int, int] = (14, 14),
    frames: int = 16,
    tubelet: int = 2,
    invert: bool = False,
    keep_visible: float = 0.0,
    **options: Any,
) -> Masker:
    """Make a function from seeds to masks, for a scheme that needs no video.

    Parameters
    ----------
    name : str
        Scheme; :func:`names` lists them.
    ratio : float
        Share of the tokens that is hidden, 0..1.
    grid : (int, int)
        Rows and columns of tokens.
    frames, tubelet : int
        Frames of a clip, and of a tubelet.
    invert, keep_visible : bool, float
        See :class:`mgmtool.types.ClipRequest`.
    **options
        Options of the scheme.

    Returns
    -------
    Masker

    Raises
    ------
    UsageError
        An unknown scheme or option, a scheme that looks at motion or objects, or a value out of range.
    """
    scheme = masking.build(name, options)
    looked_at = _looks_at(scheme)
    if looked_at:
        raise UsageError(f"{name} looks at {looked_at}; use MaskStore.clip")
    rows, cols = grid
    if not (1 <= rows <= _MOST_SIDE and 1 <= cols <= _MOST_SIDE):
        raise UsageError(f"grid is {grid}; expected 1 to {_MOST_SIDE} rows and columns")
    if not 0.0 <= ratio <= 1.0:
        raise UsageError(f"ratio is {ratio}; expected 0 to 1")
    layout = TokenLayout.of(PatchGrid(rows, cols), ratio)
    request = ClipRequest(tuple(range(frames)), layout, tubelet=tubelet, invert=invert, keep_visible=keep_visible)
    video = VideoMotion(*grid, np.zeros(max(frames, 0), np.int64))
    check_clip(video, request)
    return Masker(scheme, video, request)


def _looks_at(scheme: Scheme) -> str:
    """Return what a scheme has to be told of a video; empty if nothing."""
    if scheme.needs_motion:
        return "motion"
    return "objects" if scheme.needs_tracks else ""
