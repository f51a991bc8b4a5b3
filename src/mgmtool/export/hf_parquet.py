"""Parquet files for Hugging Face datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mgmtool.errors import UsageError
from mgmtool.export.base import facts
from mgmtool.store import StoredVideo
from mgmtool.store.export_parquet import LARGEST_VALUE, VideoTable


@dataclass(frozen=True)
class HfParquet:
    """Parquet files with one row a video, for Hugging Face datasets.

    Attributes
    ----------
    shard_videos : int
        Videos of a file, > 0.
    """

    shard_videos: int = 1000

    def __post_init__(self) -> None:
        if self.shard_videos < 1:
            raise UsageError(f"hf-parquet option shard_videos is {self.shard_videos}; expected 1 or more")

    @property
    def videos_per_file(self) -> int:
        """See :attr:`mgmtool.export.Format.videos_per_file`."""
        return self.shard_videos

    def file(self, number: int, video_id: str) -> str:  # noqa: ARG002
        """See :meth:`mgmtool.export.Format.file`."""
        return f"data/masks-{number:05}.parquet"

    def refusal(self, video: StoredVideo) -> str | None:
        """See :meth:`mgmtool.export.Format.refusal`."""
        name, size = video.largest_array()
        if size <= LARGEST_VALUE:
            return None
        return f"{name} of {video.id!r} has {size} bytes; expected at most {LARGEST_VALUE}, for a value of Parquet"

    @contextmanager
    def open(self, path: Path) -> Iterator[Callable[[StoredVideo], None]]:
        """See :meth:`mgmtool.export.Format.open`."""
        with VideoTable(path) as table:
            yield lambda video: table.add(_row(video))


def _row(video: StoredVideo) -> dict[str, Any]:
    volume, row = video.volume(), facts(video)
    row["pts_seconds"] = volume.pts * (row["time_base_num"] / row["time_base_den"])
    row["mask_shape"] = list(volume.mask.shape)
    if volume.energy is not None:
        row["energy_shape"] = list(volume.energy.shape)
    return row | {name: _plain(array) for name, array in volume.arrays().items()}


def _plain(array: NDArray[Any]) -> bytes:
    """Bytes of an array in C order, little endian."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


PLUGIN = HfParquet
