"""A store to an output, file by file."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from mgmtool import plugins
from mgmtool.errors import OutputError
from mgmtool.export._claim import check_claim, locked, make_claim, take_claim
from mgmtool.export.base import Exported, Format
from mgmtool.files import written_whole
from mgmtool.store import PartFacts, Store, StoredVideo, part_facts, stored_videos

_LONGEST_PATH = 4000  # bytes; Linux takes 4095, and the name a file has while it is written may be longer than its own

_Checked = Iterator[tuple[StoredVideo, str | None]]
"""Videos, each with the reason why it cannot be exported."""


@dataclass(frozen=True, slots=True)
class ExportRun:
    """An export that is ready to start.

    Attributes
    ----------
    output : Path
        Folder to write to.
    parts : list of PartFacts
        Parts of the store that are exported: those committed by now.
    """

    output: Path
    parts: list[PartFacts]
    _format: Format
    _store: Store
    _claim: Mapping[str, Any]

    @property
    def total(self) -> int:
        """Videos to export."""
        return sum(part.done for part in self.parts)

    @property
    def left_out(self) -> int:
        """Videos that failed when the store was made, and have no masks."""
        return sum(part.failed for part in self.parts)

    def outcomes(self) -> Generator[Exported, None, None]:
        """Do the work; yield one outcome per video, in the order of the store, once its masks are with its file.

        Closing the generator early drops the file being written; those before it stay.
        """
        with locked(self.output):
            take_claim(self.output, self._claim, self._format)
            videos = enumerate(stored_videos(self._store, {part.number for part in self.parts}))
            for number, group in groupby(videos, lambda item: item[0] // self._format.videos_per_file):
                yield from self._file(number, (video for _, video in group))

    def _file(self, number: int, videos: Iterable[StoredVideo]) -> Iterator[Exported]:
        """Go through the videos of one file, which is named once there is a video it can hold."""
        checked: _Checked = ((video, self._format.refusal(video)) for video in videos)
        for video, reason in checked:
            if reason is not None:
                yield _failed(video, reason)
                continue
            path = self.output / self._format.file(number, video.id)
            yield from self._fill(path, chain([(video, reason)], checked))

    def _fill(self, path: Path, videos: _Checked) -> Iterator[Exported]:
        problem = _path_problem(path)
        if problem is not None:
            yield from (_failed(video, problem) for video, _ in videos)
        elif path.is_file():
            yield from (_exported(video, reason, skipped=True) for video, reason in videos)
        else:
            yield from self._write(path, videos)

    def _write(self, path: Path, videos: _Checked) -> Iterator[Exported]:
        with written_whole(path) as partial, self._format.open(partial) as add:
            for video, reason in videos:
                if reason is None:
                    add(video)
                yield _exported(video, reason, skipped=False)


def prepare(store: str | Path, output: str | Path, format: str, options: Mapping[str, Any] | None = None) -> ExportRun:  # noqa: A002
    """Open the store, and see whether the output can be written to. Nothing is written yet.

    Parameters
    ----------
    store : path or URL
        A mask store.
    output : path
        Folder to write to: a new or empty one, or one that holds an export of the same store in the same format, which is gone
        on with.
    format : str
        ``"webdataset"``, ``"hf-parquet"`` or ``"npz"``; see :func:`mgmtool.export.names`.
    options : mapping, optional
        Options of the format.

    Raises
    ------
    UsageError, StoreError, OutputError
    """
    built: Format = plugins.FORMATS.build(format, options)
    opened, folder = Store.open(store), Path(output)
    parts = part_facts(opened)
    claim = make_claim(format, built, opened, parts)
    check_claim(folder, claim)
    return ExportRun(folder, parts, built, opened, claim)


def _exported(video: StoredVideo, reason: str | None, skipped: bool) -> Exported:
    if reason is not None:
        return _failed(video, reason)
    return Exported(video.id, True, skipped=skipped, num_frames=int(video.row["num_frames"]))


def _failed(video: StoredVideo, reason: str) -> Exported:
    return Exported(video.id, False, reason)


def _path_problem(path: Path) -> str | None:
    """Make the folder of a file, or say why there cannot be one: ids may contradict each other, or be too long."""
    length = len(os.fsencode(path))
    if length > _LONGEST_PATH:
        return f"path of the file has {length} bytes; expected at most {_LONGEST_PATH}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return f"{path} is a folder; expected none, for a file" if path.is_dir() else None
    except (FileExistsError, NotADirectoryError):
        return f"{path.parent} is not a folder; expected one for {path.name!r}"
    except OSError as error:
        raise OutputError(f"cannot make {path.parent}: {error.strerror}") from None
