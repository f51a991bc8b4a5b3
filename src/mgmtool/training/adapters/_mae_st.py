"""MAE as spatiotemporal learner, which gathers by index."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mgmtool.training.adapters._batch import Masks, as_equal_batch
from mgmtool.types import Float32, Int64


class MaeStIndices(NamedTuple):
    """What ``random_masking`` of mae_st returns after the visible tokens, in its order.

    Attributes
    ----------
    mask : float32 (tokens,) or (batch, tokens)
        0 = keep, 1 = remove; the loss is the mean over the ones.
    ids_restore : int64 (tokens,) or (batch, tokens)
        Where each token is in the list of visible tokens followed by mask tokens.
    ids_keep : int64 (visible,) or (batch, visible)
        Visible tokens, in index order.
    """

    mask: Float32
    ids_restore: Int64
    ids_keep: Int64


def mae_st(mask: Masks) -> MaeStIndices:
    """Turn a mask into the indices of MAE as spatiotemporal learner.

    Fits facebookresearch/mae_st, in the place of ``random_masking`` in ``models_mae.py``:
    ``x_masked = torch.gather(x, 1, ids_keep.unsqueeze(-1).repeat(1, 1, D))``, and the rest as it is. There, tokens are kept in
    random order; here, in index order, which is the same to its transformer.

    Parameters
    ----------
    mask : bool (tubelets, rows, cols), TokenMask, or a batch of them
        True = masked. A tubelet is ``t_patch_size`` frames.

    Returns
    -------
    MaeStIndices
        ``mask`` (float32), ``ids_restore`` and ``ids_keep`` (int64), over t-major tokens.

    Raises
    ------
    UsageError
        Not a mask, or clips of a batch that hide different numbers of tokens.
    """
    batch = as_equal_batch(mask)
    shuffle = np.argsort(batch.flat, axis=1, kind="stable").astype(np.int64, copy=False)  # visible first, each in order
    restore = np.argsort(shuffle, axis=1).astype(np.int64, copy=False)
    visible = batch.flat.shape[1] - int(batch.flat[0].sum())
    keep = np.ascontiguousarray(shuffle[:, :visible])
    return MaeStIndices(batch.give(batch.flat.astype(np.float32)), batch.give(restore), batch.give(keep))
