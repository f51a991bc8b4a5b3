"""V-JEPA and V-JEPA 2, which gather by index."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.training.adapters._batch import Masks, as_batch
from mgmtool.types import Bool, Int64


class VJepaIndices(NamedTuple):
    """What a mask generator of V-JEPA returns, in its order.

    Attributes
    ----------
    encoder : int64 (kept,) or (batch, kept)
        Visible tokens, which the context encoder keeps; ascending.
    predictor : int64 (predicted,) or (batch, predicted)
        Masked tokens, which the predictor predicts; ascending.
    """

    encoder: Int64
    predictor: Int64


def vjepa(mask: Masks) -> VJepaIndices:
    """Turn a mask into the indices of V-JEPA and V-JEPA 2.

    Fits facebookresearch/jepa, in the place of ``_MaskGenerator.__call__`` in ``src/masks/multiblock3d.py``, and
    facebookresearch/vjepa2, in the place of the same in ``src/masks/multiseq_multiblock3d.py``: their ``MaskCollator`` makes a
    list with one such pair for each kind of mask, and ``apply_masks`` (``src/masks/utils.py``) gathers.

    Parameters
    ----------
    mask : bool (tubelets, rows, cols), TokenMask, or a batch of them
        True = masked (predicted).

    Returns
    -------
    VJepaIndices
        ``encoder`` and ``predictor``, int64 over t-major tokens. In a batch, each is cut to its shortest list from the end, as
        the collators do; what is cut is neither seen nor predicted, and comes from the last tubelets. Clips that hide as many
        tokens lose none. Give it the batch at once: lists of clips that were adapted one by one may differ in length.

    Raises
    ------
    UsageError
        Not a mask, or a clip without a visible or without a masked token.
    """
    batch = as_batch(mask)
    encoder, predictor = _shortest(~batch.flat, "visible"), _shortest(batch.flat, "masked")
    return VJepaIndices(batch.give(encoder), batch.give(predictor))


def _shortest(chosen: Bool, word: str) -> Int64:
    """List the chosen tokens of every clip, as many as the clip with the fewest has."""
    counts = chosen.sum(axis=1)
    if not counts.min():
        raise UsageError(f"clip {counts.argmin()} has 0 {word} tokens; expected at least 1")
    return np.stack([np.flatnonzero(clip)[: counts.min()] for clip in chosen]).astype(np.int64, copy=False)
