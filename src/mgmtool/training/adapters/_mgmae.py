"""MGMAE, which has VideoMAE's form of a mask but another count."""

from __future__ import annotations

from mgmtool.errors import UsageError
from mgmtool.training.adapters._batch import Masks, as_equal_batch
from mgmtool.types import Bool


def mgmae(mask: Masks) -> Bool:
    """Mask for MGMAE.

    Fits MCG-NJU/MGMAE, in the place of what ``build_mask_volume`` gives in ``train_one_epoch`` (``engine_for_mgmae.py``). With
    ``--decoder_mask_type none`` its decoder mask is the opposite, ``~mask``. The model takes the mask as VideoMAE does. At the
    same ratio MGMAE may hide one token of a tubelet more; ask for :func:`mgmae_ratio` to have its count.

    Parameters
    ----------
    mask : bool (tubelets, rows, cols), TokenMask, or a batch of them
        True = masked.

    Returns
    -------
    bool (tubelets * rows * cols,) or (batch, tubelets * rows * cols)
        t-major, True = masked.

    Raises
    ------
    UsageError
        Not a mask, or clips of a batch that hide different numbers of tokens.
    """
    batch = as_equal_batch(mask)
    return batch.give(batch.flat)


def mgmae_ratio(rows: int, cols: int, ratio: float = 0.9) -> float:
    """Mask ratio at which mgmtool hides as many tokens as MGMAE does at ``ratio``.

    MGMAE keeps ``int(rows * cols * (1 - ratio))`` tokens of a tubelet (``_build_mask_volume`` in ``engine_for_mgmae.py``): 19 of
    14x14 at 0.9, where VideoMAE and mgmtool keep 20.

    Parameters
    ----------
    rows, cols : int
        Token grid.
    ratio : float
        ``--mask_ratio`` of MGMAE, 0..1.

    Returns
    -------
    float
        Ratio to ask for, 177/196 for 14x14 at 0.9.

    Raises
    ------
    UsageError
        An empty grid, or a ratio that is none.
    """
    tokens = rows * cols
    if min(rows, cols) < 1 or not 0 <= ratio <= 1:
        raise UsageError(f"grid is {rows}x{cols}, ratio is {ratio}; expected 1x1 or more, and 0 to 1")
    return (tokens - int(tokens * (1 - ratio))) / tokens
