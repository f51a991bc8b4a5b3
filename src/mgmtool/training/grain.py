"""Grain: a random-access data source. It follows Grain's protocol and needs nothing of it.

>>> import grain, mgmtool
>>> from mgmtool.training.grain import MaskedClipSource
>>> source = MaskedClipSource(mgmtool.open_store("masks.zarr"), "videos", ratio=0.9)  # doctest: +SKIP
>>> batches = grain.MapDataset.source(source).seed(0).shuffle().batch(8)  # doctest: +SKIP
"""

from __future__ import annotations

from mgmtool.training.samples import ClipSamples

__all__ = ["MaskedClipSource"]


class MaskedClipSource(ClipSamples):
    """Samples of a mask store, one of every video, by number; takes what :class:`~mgmtool.training.samples.ClipSamples` takes.

    Each is a dict of ``clip`` uint8 (num_frames, size, size, 3), ``mask``, ``id``, ``frames``, ``crop`` and ``hflip``. The same
    number gives the same sample: make a source with another ``epoch`` for other clips of the same videos.
    """
