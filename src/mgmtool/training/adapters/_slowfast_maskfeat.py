"""MaskFeat of SlowFast."""

from __future__ import annotations

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.training.adapters._batch import Masks, as_batch
from mgmtool.types import Int64


def slowfast_maskfeat(mask: Masks, window: tuple[int, int, int] = (8, 7, 7)) -> Int64:
    """Mask for MaskFeat.

    Fits facebookresearch/SlowFast, in the place of ``Kinetics._gen_mask`` in ``slowfast/datasets/kinetics.py``, with
    ``AUG.GEN_MASK_LOADER``; ``MaskMViT._maskfeat_forward`` in ``slowfast/models/masked.py`` enlarges it to its tokens and to its
    features by nearest neighbour and puts ``x * (1 - mask) + mask_token * mask`` in. Make the masks on the grid of the window:
    the model predicts 14x14 features, a 7x7 window hides them in squares of 2 x 2, a 14x14 window one by one. Clips need not
    hide as many tokens.

    Parameters
    ----------
    mask : bool (tubelets, rows, cols), TokenMask, or a batch of them
        True = masked.
    window : (int, int, int)
        ``AUG.MASK_WINDOW_SIZE``: tubelets, rows, cols. (8, 7, 7) is the setting of its MaskFeat configurations; (8, 14, 14) is
        the other that fits.

    Returns
    -------
    int64 (tubelets, rows, cols) or (batch, tubelets, rows, cols)
        1 = masked, 0 = visible.

    Raises
    ------
    UsageError
        Not a mask, or one of another shape than ``window``.
    """
    batch = as_batch(mask)
    shape = batch.mask.shape[1:]
    if shape != tuple(window):
        raise UsageError(f"mask has shape {shape}; expected the window {tuple(window)}, so make it on that grid")
    return batch.give(batch.mask.astype(np.int64))
