"""Tar shards for WebDataset."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np

from mgmtool.errors import UsageError
from mgmtool.export.base import facts_json
from mgmtool.store import StoredVideo

_HIDDEN_START = re.compile(r"/|__")
"""What a reader would strip from the start of a name, or would skip the member for."""


@dataclass(frozen=True)
class WebDataset:
    """Tar shards of npy and json members, for WebDataset.

    Attributes
    ----------
    shard_videos : int
        Videos of a shard, > 0.
    """

    shard_videos: int = 1000

    def __post_init__(self) -> None:
        if self.shard_videos < 1:
            raise UsageError(f"webdataset option shard_videos is {self.shard_videos}; expected 1 or more")

    @property
    def videos_per_file(self) -> int:
        """See :attr:`mgmtool.export.Format.videos_per_file`."""
        return self.shard_videos

    def file(self, number: int, video_id: str) -> str:  # noqa: ARG002
        """See :meth:`mgmtool.export.Format.file`."""
        return f"masks-{number:06}.tar"

    def refusal(self, video: StoredVideo) -> str | None:
        """See :meth:`mgmtool.export.Format.refusal`."""
        if video.id.rpartition("/")[2]:
            return None
        return f"id is {video.id!r}; expected a file name at its end, for a member of a tar file"

    @contextmanager
    def open(self, path: Path) -> Iterator[Callable[[StoredVideo], None]]:
        """See :meth:`mgmtool.export.Format.open`."""
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            yield partial(_add_video, archive)


def key_of(video_id: str) -> str:
    """Turn an id into a key; ``urllib.parse.unquote`` turns it back.

    WebDataset splits the name of a member at the first dot of its last component, so a key may not have one.
    """
    key = "".join(quote(c, safe="") if c in "%." or not c.isprintable() else c for c in video_id).replace(".", "%2E")
    return f"%{ord(key[0]):02X}{key[1:]}" if _HIDDEN_START.match(key) else key


def _add_video(archive: tarfile.TarFile, video: StoredVideo) -> None:
    key = key_of(video.id)
    for name, array in video.volume().arrays().items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, allow_pickle=False)
        _add_member(archive, f"{key}.{name}.npy", buffer.getvalue())
    _add_member(archive, f"{key}.json", facts_json(video))
    # The archive would keep every member's header, for reading.
    archive.members.clear()  # type: ignore[attr-defined]


def _add_member(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    # Owner, group and time stay 0: the same masks are the same bytes, whoever exports them when.
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o644
    archive.addfile(member, io.BytesIO(content))


PLUGIN = WebDataset
