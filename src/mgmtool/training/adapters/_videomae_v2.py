"""VideoMAE V2: a mask for the encoder and one for the decoder."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.training.adapters._batch import Masks, as_equal_batch
from mgmtool.types import Bool

_SIDE = 2
_PLACES = _SIDE * _SIDE


class DualMasks(NamedTuple):
    """The two masks of VideoMAE V2, in the order of its data set.

    Attributes
    ----------
    encoder : bool (tokens,) or (batch, tokens)
        True = masked (not seen by the encoder).
    decoder : bool (tokens,) or (batch, tokens)
        True = masked from the decoder (**not** decoded); the loss counts tokens that are True in ``encoder`` and False here.
    """

    encoder: Bool
    decoder: Bool


def videomae_v2(mask: Masks, decoder_mask: Masks | None = None) -> DualMasks:
    """Masks for VideoMAE V2.

    Fits OpenGVLab/VideoMAEv2, in the place of the two generators in ``DataAugmentationForVideoMAEv2.__call__``
    (``dataset/pretrain_datasets.py``). The encoder takes ``x[~encoder].reshape(B, -1, C)``, the decoder predicts the tokens of
    ``~decoder``, also reshaped, and the loss is the mean over those of them that ``encoder`` hides
    (``engine_for_pretraining.py``).

    Parameters
    ----------
    mask : bool (tubelets, rows, cols), TokenMask, or a batch of them
        Encoder mask, True = masked.
    decoder_mask : same, optional
        True = not decoded, for example of :func:`running_cell`; of the same shape as ``mask``. By default ``~mask``, which
        decodes what is hidden, as the repository does at ``decoder_mask_ratio`` 0.

    Returns
    -------
    DualMasks
        Encoder and decoder mask, bool, each (tubelets * rows * cols,) or (batch, tubelets * rows * cols), t-major.

    Raises
    ------
    UsageError
        Not masks, masks of two shapes, or clips of a batch with different numbers of tokens.
    """
    encoder = as_equal_batch(mask)
    if decoder_mask is None:
        return DualMasks(encoder.give(encoder.flat), encoder.give(~encoder.flat))
    decoder = as_equal_batch(decoder_mask, "decoder_mask")
    masks = encoder.give(encoder.mask), decoder.give(decoder.mask)
    if masks[0].shape != masks[1].shape:
        raise UsageError(f"decoder_mask has shape {masks[1].shape}; expected that of mask, {masks[0].shape}")
    return DualMasks(encoder.give(encoder.flat), decoder.give(decoder.flat))


def running_cell(shape: tuple[int, int, int], ratio: float = 0.5, phase: int = 0) -> Bool:
    """Make a decoder mask of VideoMAE V2: cells of 2 x 2 tokens, the pattern moves on by a place in every tubelet.

    The same masks as ``RunningCellMaskingGenerator`` in ``dataset/masking_generator.py`` of OpenGVLab/VideoMAEv2, which has them
    as (tubelets, rows * cols) and draws one of the four phases for every sample.

    Parameters
    ----------
    shape : (int, int, int)
        Tubelets, rows and columns; rows and columns are even.
    ratio : float
        Share that is not decoded; cut down to whole quarters as in the repository, and 1 to 3 of them.
    phase : int
        Which of the four masks, 0 to 3. Draw it anew for every sample.

    Returns
    -------
    bool (tubelets, rows, cols)
        True = not decoded.

    Raises
    ------
    UsageError
        Odd or empty shape, a ratio below a quarter or of 1 and more, or no such phase.
    """
    tubelets, rows, cols = shape
    if min(shape) < 1 or rows % _SIDE or cols % _SIDE:
        raise UsageError(f"shape is {shape}; expected (tubelets, rows, cols) with even rows and cols")
    if not 1 / _PLACES <= ratio < 1:
        raise UsageError(f"ratio is {ratio}; expected 0.25 or more and less than 1")
    if phase not in range(_PLACES):
        raise UsageError(f"phase is {phase}; expected 0 to {_PLACES - 1}")
    place = _SIDE * (np.arange(rows)[:, None] % _SIDE) + np.arange(cols) % _SIDE
    # the repository moves a cell on before it takes it, so the first tubelet is already one step from the phase
    step = np.arange(tubelets)[:, None, None] + phase + 1
    masked: Bool = (place + step) % _PLACES < int(_PLACES * ratio)
    return masked
