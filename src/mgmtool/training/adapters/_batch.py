"""What every adapter does first: check the masks of a clip or of a batch, and bring them into one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.types import Bool, TokenMask

Masks: TypeAlias = Bool | TokenMask | Sequence[Bool | TokenMask]
"""Masks of one clip, or of a batch: see :mod:`mgmtool.training.adapters`."""

_CLIP = "bool (tubelets, rows, cols)"
_EITHER = f"{_CLIP} or (batch, tubelets, rows, cols)"


@dataclass(frozen=True, slots=True)
class Batch:
    """The masks of a batch, or of one clip as a batch of one.

    Attributes
    ----------
    mask : bool (batch, tubelets, rows, cols)
        True = masked. A copy, so that what is made of it may be written to.
    single : bool
        The caller gave one clip, and gets arrays without a batch axis.
    """

    mask: Bool
    single: bool

    @property
    def flat(self) -> Bool:
        """The masks as bool (batch, tubelets * rows * cols), t-major."""
        return self.mask.reshape(len(self.mask), -1)

    def give(self, arrays: NDArray[Any]) -> NDArray[Any]:
        """Drop the batch axis again where the caller gave one clip."""
        return arrays[0] if self.single else arrays


def as_batch(mask: Masks, name: str = "mask") -> Batch:
    """Check masks and bring them into one form.

    Parameters
    ----------
    mask : Masks
        One clip or a batch.
    name : str
        What error messages call it.

    Raises
    ------
    UsageError
        Not bool, not of three or four axes, without tokens, an empty batch, or clips of several shapes.
    """
    array = mask.mask if isinstance(mask, TokenMask) else mask
    if isinstance(array, (list, tuple)):
        return Batch(_stacked(array, name), single=False)
    array = _checked(array, name, _EITHER, axes=(3, 4))
    return Batch(np.array(array, order="C").reshape(-1, *array.shape[-3:]), single=array.ndim == 3)


def as_equal_batch(mask: Masks, name: str = "mask") -> Batch:
    """Check masks of a codebase that reshapes the tokens of a batch, so that every clip must hide as many.

    Raises
    ------
    UsageError
        As :func:`as_batch`, or clips that hide different numbers of tokens; the message shows how many clips have which.
    """
    batch = as_batch(mask, name)
    counts, clips = np.unique(batch.flat.sum(axis=1), return_counts=True)
    if len(counts) > 1:
        found = ", ".join(f"{count} (clips: {of})" for count, of in zip(counts, clips, strict=True))
        raise UsageError(
            f"{name} hides unequal numbers of tokens in a batch: {found}; expected one number for all clips"
        )
    return batch


def _stacked(clips: Sequence[Bool | TokenMask], name: str) -> Bool:
    """Put checked clips of one shape together."""
    if not clips:
        raise UsageError(f"{name} has 0 clips; expected at least 1")
    bare = (clip.mask if isinstance(clip, TokenMask) else clip for clip in clips)
    arrays = [_checked(clip, f"{name}[{i}]", _CLIP, axes=(3,)) for i, clip in enumerate(bare)]
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise UsageError(f"{name} has clips of shapes {', '.join(map(str, shapes))}; expected one shape in a batch")
    return np.ascontiguousarray(np.stack(arrays))


def _checked(array: object, name: str, expected: str, axes: tuple[int, ...]) -> Bool:
    """Return an array that is a mask."""
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{name} is a {type(array).__name__}; expected {expected}, True = masked")
    if array.dtype != np.bool_ or array.ndim not in axes or 0 in array.shape:
        raise UsageError(f"{name} is {array.dtype} {array.shape}; expected {expected}, True = masked, with tokens")
    return array
