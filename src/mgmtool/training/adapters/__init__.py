"""Token masks in the form that training codebases index with: one adapter a codebase, NumPy in and NumPy out.

Every adapter takes the masks of one clip, as bool ``(tubelets, rows, cols)`` or :class:`~mgmtool.types.TokenMask`, or those of a
batch, as a sequence of them or as bool ``(batch, tubelets, rows, cols)``; True = masked. What comes back is new, contiguous and
writable, so ``torch.from_numpy`` takes it as it is. One clip gives arrays without a batch axis, which a data loader adds; the
one exception is :func:`hugging_face`. Tokens are numbered tubelet by tubelet, row by row, as all these codebases flatten them.
"""

from __future__ import annotations

from mgmtool.training.adapters._batch import Masks
from mgmtool.training.adapters._hugging_face import hugging_face
from mgmtool.training.adapters._mae_st import MaeStIndices, mae_st
from mgmtool.training.adapters._mgmae import mgmae, mgmae_ratio
from mgmtool.training.adapters._omnimae import omnimae
from mgmtool.training.adapters._slowfast_maskfeat import slowfast_maskfeat
from mgmtool.training.adapters._videomae import videomae
from mgmtool.training.adapters._videomae_v2 import DualMasks, running_cell, videomae_v2
from mgmtool.training.adapters._vjepa import VJepaIndices, vjepa

__all__ = [
    "DualMasks",
    "MaeStIndices",
    "Masks",
    "VJepaIndices",
    "hugging_face",
    "mae_st",
    "mgmae",
    "mgmae_ratio",
    "names",
    "omnimae",
    "running_cell",
    "slowfast_maskfeat",
    "videomae",
    "videomae_v2",
    "vjepa",
]

_ADAPTERS = (hugging_face, mae_st, mgmae, omnimae, slowfast_maskfeat, videomae, videomae_v2, vjepa)


def names() -> list[str]:
    """List the adapters there are; each is the function of that name in this package."""
    return sorted(adapter.__name__ for adapter in _ADAPTERS)
