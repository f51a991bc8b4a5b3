"""What every export format offers, and what a format may build on.

Public: plug-ins of other packages import from here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mgmtool.store import StoredVideo

__all__ = ["Exported", "Format", "StoredVideo", "facts", "facts_json"]

_FACTS = (
    *("id", "num_frames", "fps", "time_base_num", "time_base_den", "height", "width"),
    *("rotation", "mirrored", "index_risk", "part"),
)


@dataclass(frozen=True, slots=True)
class Exported:
    """How the export of one video ended.

    Attributes
    ----------
    id : str
        Id of the video.
    ok : bool
        Whether the output has its masks.
    message : str or None
        One line of text where it has not.
    skipped : bool
        An earlier run had put them there.
    num_frames : int
        Frames of the video; 0 where its masks are not in the output.
    """

    id: str
    ok: bool
    message: str | None = None
    skipped: bool = False
    num_frames: int = 0


class Format(Protocol):
    """A format: a frozen dataclass whose fields are its options."""

    @property
    def videos_per_file(self) -> int:
        """Most videos of one file; they fill it in the order of the store."""
        ...

    def file(self, number: int, video_id: str) -> str:
        """Return the path of a file within the output.

        Parameters
        ----------
        number : int
            The file holds the videos ``number * videos_per_file`` and following of those that are done.
        video_id : str
            Id of its first video that is not refused, for a format that gives each video a file.
        """
        ...

    def refusal(self, video: StoredVideo) -> str | None:
        """Say in one line why the format cannot hold a video; None if it can. The answer depends on id and index row alone."""
        ...

    def open(self, path: Path) -> AbstractContextManager[Callable[[StoredVideo], None]]:
        """Start a file; the context yields a function that adds a video to it.

        Parameters
        ----------
        path : Path
            File to write; it is moved into place once the context has ended without an error. The same videos must give the same
            bytes.
        """
        ...


def facts(video: StoredVideo) -> dict[str, Any]:
    """Return the columns of the index that a user of the masks needs, as docs/cli.md lists them."""
    return {name: video.row[name] for name in _FACTS}


def facts_json(video: StoredVideo) -> bytes:
    """Return :func:`facts` as JSON in UTF-8."""
    return json.dumps(facts(video), ensure_ascii=False).encode()
