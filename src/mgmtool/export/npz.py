"""One npz file a video."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mgmtool.export.base import facts_json
from mgmtool.store import StoredVideo

_ENDING = ".npz"
_LONGEST_NAME = 255  # bytes, on every common file system


@dataclass(frozen=True)
class Npz:
    """One npz file a video, in the folders of its id, for ``numpy.load``.

    Attributes
    ----------
    compress : bool
        Deflate the arrays.
    """

    compress: bool = False

    @property
    def videos_per_file(self) -> int:
        """See :attr:`mgmtool.export.Format.videos_per_file`."""
        return 1

    def file(self, number: int, video_id: str) -> str:  # noqa: ARG002
        """See :meth:`mgmtool.export.Format.file`."""
        return video_id + _ENDING

    def refusal(self, video: StoredVideo) -> str | None:
        """See :meth:`mgmtool.export.Format.refusal`; ids come from outside, and must not lead out of the output."""
        names = video.id.split("/")
        if {"", ".", ".."} & set(names) or "\0" in video.id:
            return f"id is {video.id!r}; expected a relative path without '.', '..' and empty names, for a file"
        longest = max(len(name.encode()) for name in (*names[:-1], names[-1] + _ENDING))
        if longest > _LONGEST_NAME:
            return f"id has a name of {longest} bytes with {_ENDING}; expected at most {_LONGEST_NAME}, for a file"
        return None

    @contextmanager
    def open(self, path: Path) -> Iterator[Callable[[StoredVideo], None]]:
        """See :meth:`mgmtool.export.Format.open`."""
        with zipfile.ZipFile(path, "w") as archive:
            yield partial(_add_video, archive, zipfile.ZIP_DEFLATED if self.compress else zipfile.ZIP_STORED)


def _add_video(archive: zipfile.ZipFile, method: int, video: StoredVideo) -> None:
    for name, array in video.volume().arrays().items():
        with archive.open(_member(f"{name}.npy", method), "w", force_zip64=True) as file:
            np.lib.format.write_array(file, array, allow_pickle=False)
    archive.writestr(_member("facts.json", method), facts_json(video))


def _member(name: str, method: int) -> zipfile.ZipInfo:
    # The time is that of the epoch of zip: the same masks are the same bytes.
    member = zipfile.ZipInfo(name)
    member.compress_type, member.external_attr = method, 0o644 << 16
    return member


PLUGIN = Npz
