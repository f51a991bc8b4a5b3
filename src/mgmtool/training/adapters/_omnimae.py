"""OmniMAE."""

from __future__ import annotations

from mgmtool.training.adapters._batch import Masks, as_equal_batch
from mgmtool.types import Bool


def omnimae(mask: Masks) -> Bool:
    """Mask for OmniMAE.

    Fits facebookresearch/omnivore: argument ``mask`` of ``OmniMAE.forward`` in ``omnimae/omni_mae_model.py``, and, in training,
    ``"mask"`` of ``ibot_style_mask_image`` in ``omnivision/data/transforms/mask_image_modeling.py``. The trunk
    (``masked_patch_drop``, ``insert_masks``) drops the tokens of ``mask`` and puts mask tokens there; the loss is over them.

    Parameters
    ----------
    mask : bool (tubelets, rows, cols), TokenMask, or a batch of them
        True = masked. A video of 16 frames and 224 pixels has (8, 14, 14).

    Returns
    -------
    bool (tubelets, rows, cols) or (batch, tubelets, rows, cols)
        The shape of the model's patches, not flattened; True = masked (dropped, predicted).

    Raises
    ------
    UsageError
        Not a mask, or clips of a batch that hide different numbers of tokens.
    """
    batch = as_equal_batch(mask)
    return batch.give(batch.mask)
