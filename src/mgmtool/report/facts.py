"""Statistics of a store, gathered in one pass and in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from mgmtool.report.bounded import Best, Bins, Groups
from mgmtool.report.frames import FrameStatistics
from mgmtool.report.samples import Samples
from mgmtool.store import PartScan

COLUMNS = (
    *("id", "path", "status", "failure", "message", "part", "row_start", "row_stop", "num_frames", "fps", "height"),
    *("width", "codec", "source", "vector_share", "corrupt_frames", "lost_packets", "index_risk", "size_bytes"),
    "seconds",
)
"""Columns of the index that are read."""

ROWS = 500
"""Most rows of a table."""

SHARE_EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
MOTION_EDGES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
LENGTH_EDGES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 300.0, 1800.0)
SIDE_EDGES = (144.0, 240.0, 360.0, 480.0, 720.0, 1080.0, 2160.0)


class Facts:
    """Statistics of a store.

    Attributes
    ----------
    done, failed, corrupt, lost, unknown_lengths : int
        Videos with and without masks; videos with damaged frames and with lost packets; videos without a frame rate.
    seconds, hours, size_bytes : float
        Spent on all videos; length of the videos that are done, by their frame rates; size of all files.
    frames : FrameStatistics
        Counts over frames.
    vector_share, motion, still, length, side : Bins
        Of videos: frames with vectors, energy, frames without motion of their own, seconds, pixels of the short side.
    failures, messages : Groups
        Failed videos by class, and by class and message, whose names and digits do not count.
    codecs, risks : Groups
        Videos by codec and source, and by index risk.
    slowest, failed_rows, risky_rows : Best
        Rows of tables.
    samples : Samples
        Videos to be shown.
    """

    def __init__(self, samples: Samples) -> None:
        self.done = self.failed = self.corrupt = self.lost = self.unknown_lengths = 0
        self.seconds = self.hours = self.size_bytes = 0.0
        self.frames = FrameStatistics()
        self.vector_share, self.still = Bins(SHARE_EDGES), Bins(SHARE_EDGES)
        self.motion, self.length, self.side = Bins(MOTION_EDGES), Bins(LENGTH_EDGES), Bins(SIDE_EDGES)
        self.failures, self.messages = Groups[str](64), Groups[tuple[str, str]](ROWS)
        self.codecs, self.risks = Groups[tuple[str, str]](ROWS), Groups[str](64)
        self.slowest, self.failed_rows, self.risky_rows = Best(ROWS), Best(ROWS), Best(ROWS)
        self.samples = samples

    @property
    def videos(self) -> int:
        """Videos in all."""
        return self.done + self.failed

    def add(self, part: PartScan) -> None:
        """Count the videos of a part."""
        for row in part.rows:
            self.seconds += row["seconds"] or 0.0
            self.size_bytes += max(row["size_bytes"] or 0, 0)
            self.slowest.add(row["seconds"] or 0.0, row)
            if row["status"] != "done":
                self._fail(row)
        rows = [row for row in part.rows if row["status"] == "done"]
        if not rows:
            return
        motion, still = self.frames.add(part, rows)
        length = np.array([row["num_frames"] / row["fps"] if row["fps"] else np.nan for row in rows])
        self.hours += float(np.nansum(length)) / 3600
        self.unknown_lengths += int(np.isnan(length).sum())
        self.length.add(length)
        self.motion.add(motion)
        self.still.add(still)
        self.side.add([min(row["height"], row["width"]) for row in rows])
        self.vector_share.add(np.array([row["vector_share"] for row in rows], np.float64).round(6))  # 0.1f is above 0.1
        for row, energy, share in zip(rows, motion.tolist(), still.tolist(), strict=True):
            self._done(row, share)
            self.samples.add(row, energy, share)

    def _fail(self, row: Mapping[str, Any]) -> None:
        self.failed += 1
        failure, message = str(row["failure"]), row["message"] or ""
        self.failures.add(failure, 1)
        self.messages.add((failure, message_pattern(message, row)), 1, example=(row["id"], message))
        self.failed_rows.add(0, row)  # the first ones

    def _done(self, row: Mapping[str, Any], still: float) -> None:
        frames = row["num_frames"] or 0
        self.done += 1
        self.corrupt += bool(row["corrupt_frames"])
        self.lost += bool(row["lost_packets"])
        self.codecs.add(
            (row["codec"] or "", row["source"] or ""),
            *(1, frames, frames * (row["vector_share"] or 0.0), frames * still, row["seconds"] or 0.0),
        )
        for risk in row["index_risk"] or ():
            self.risks.add(risk, 1, example=row["id"])
        if row["index_risk"]:
            self.risky_rows.add(len(row["index_risk"]), row)


def message_pattern(message: str, row: Mapping[str, Any]) -> str:
    """Return what similar failures have in common: the message without names and digits."""
    for name in (row["path"], row["id"], row["id"].rpartition("/")[2]):
        if name:
            message = message.replace(name, "…")
    return re.sub(r"\d+", "#", message)[:300]
