"""VideoMAE of Hugging Face transformers."""

from __future__ import annotations

from mgmtool.training.adapters._batch import Masks, as_equal_batch
from mgmtool.types import Bool


def hugging_face(mask: Masks) -> Bool:
    """Mask for ``VideoMAEForPreTraining`` of transformers.

    Fits huggingface/transformers, ``src/transformers/models/videomae/modeling_videomae.py``, argument ``bool_masked_pos`` of
    ``VideoMAEForPreTraining.forward`` and ``VideoMAEModel.forward``. The model takes
    ``embeddings[~bool_masked_pos].reshape(batch_size, -1, channels)`` and predicts the patches of ``bool_masked_pos``.

    Parameters
    ----------
    mask : bool (tubelets, rows, cols), TokenMask, or a batch of them
        True = masked.

    Returns
    -------
    bool (batch, tubelets * rows * cols)
        t-major, True = masked. One clip is a batch of 1, for the model takes batches only.

    Raises
    ------
    UsageError
        Not a mask, or clips of a batch that hide different numbers of tokens.
    """
    return as_equal_batch(mask).flat
