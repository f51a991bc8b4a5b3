"""TensorFlow: a mask store as a ``tf.data.Dataset``, or as a plain generator for whatever else takes one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.training import MaskStore
from mgmtool.training.crops import CropParameters
from mgmtool.training.samples import ClipSamples

__all__ = ["dataset", "generator"]


def generator(
    store: MaskStore, root: str | Path | None = None, *, order: Sequence[int] | None = None, **options: Any
) -> Iterator[dict[str, Any]]:
    """Yield one sample of every video of a store, as NumPy arrays.

    Parameters
    ----------
    store : MaskStore
        Its videos that are done are the samples.
    root : path, optional
        Folder to which ids are relative, where the videos are now.
    order : sequence of int, optional
        Numbers of the videos to read, in the order wanted: a permutation, or what one host reads. All, in order, by default.
    **options
        As for :class:`~mgmtool.training.samples.ClipSamples`: the clips, ``seed`` and ``epoch``, crops and masks.

    Yields
    ------
    dict
        ``clip`` uint8 (num_frames, size, size, 3), ``mask``, ``id``, ``frames``, ``crop``, ``hflip``.
    """
    samples = ClipSamples(store, root, **options)
    return (samples[number] for number in (range(len(samples)) if order is None else order))


def dataset(
    store: MaskStore, root: str | Path | None = None, *, order: Sequence[int] | None = None, **options: Any
) -> Any:
    """Make a ``tf.data.Dataset`` of what :func:`generator` yields; it takes the same.

    Returns
    -------
    tf.data.Dataset
        Elements have the shapes that samples of this store have, so they can be batched. Each pass over it draws other clips,
        crops and masks: those of ``epoch``, ``epoch + 1`` and so on.

    Raises
    ------
    UsageError
        TensorFlow is not installed, or an option cannot be used.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise UsageError(f"mgmtool.tf.dataset needs tensorflow; pip install tensorflow ({error})") from None
    samples = ClipSamples(store, root, **options)

    def spec(value: Any) -> Any:
        return tf.TensorSpec(np.shape(value), tf.string if isinstance(value, str) else tf.as_dtype(value.dtype))

    # The generator is called once for each pass over the dataset, as by Dataset.repeat.
    passes = itertools.count(samples.epoch)
    return tf.data.Dataset.from_generator(
        lambda: generator(store, root, order=order, **options | {"epoch": next(passes)}),
        output_signature=tf.nest.map_structure(spec, example(samples)),
    )


def example(samples: ClipSamples) -> dict[str, Any]:
    """Return values shaped like those of a sample, without reading a video: the first frame of the first one, repeated."""
    crops, frames = samples.crops, (0,) * samples.draws.num_frames
    rows = samples.draws.store.videos.find(samples.draws.draw(0).id)
    whole = CropParameters(0, 0, rows.height, rows.width)
    return {
        "clip": np.zeros((len(frames), crops.size, crops.size, 3), np.uint8),
        "mask": crops.mask(rows.id, frames, whole, 0),
        "id": rows.id,
        "frames": np.array(frames, np.int64),
        "crop": np.array(whole.crop, np.int64),
        "hflip": np.False_,
    }
