"""VideoMAE."""

from __future__ import annotations

from mgmtool.training.adapters._batch import Masks, as_equal_batch
from mgmtool.types import Bool


def videomae(mask: Masks) -> Bool:
    """Mask for VideoMAE.

    Fits MCG-NJU/VideoMAE, in the place of ``TubeMaskingGenerator.__call__`` in ``masking_generator.py``; the model
    (``modeling_pretrain.py``) takes ``x[~mask].reshape(B, -1, C)`` as the visible tokens and predicts those of ``mask``, each in
    index order. There, a ratio hides ``int(ratio * rows * cols)`` tokens of a tubelet where mgmtool rounds; 0.75 and 0.9 of a
    14x14 grid are 147 and 176 for both.

    Parameters
    ----------
    mask : bool (tubelets, rows, cols), TokenMask, or a batch of them
        True = masked.

    Returns
    -------
    bool (tubelets * rows * cols,) or (batch, tubelets * rows * cols)
        t-major, True = masked (not seen by the encoder, predicted).

    Raises
    ------
    UsageError
        Not a mask, or clips of a batch that hide different numbers of tokens.
    """
    batch = as_equal_batch(mask)
    return batch.give(batch.flat)
