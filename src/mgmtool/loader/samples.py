"""Former path of :mod:`mgmtool.training.samples`, kept for code that imports it."""

from mgmtool.training.samples import ClipSamples, MaskedCrops

__all__ = ["ClipSamples", "MaskedCrops"]
