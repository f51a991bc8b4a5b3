"""Choose the videos a report shows: a random draw, and the extremes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mgmtool.report.bounded import Best

EACH = 2
"""Videos for each extreme."""

LEAST_FRAMES = 16
"""Fewest frames of an extreme: a video of a few frames moves either hardly or all the time."""

AT_RANDOM = "chosen at random"
EXTREMES = ("most motion", "least motion", "most propagated frames")


@dataclass(frozen=True, slots=True)
class Sample:
    """A video to show.

    Attributes
    ----------
    row : mapping
        Its index row.
    motion, still : float
        Mean energy of the strongest cell of a frame, NaN if none is stored; share of frames without motion of their own.
    reasons : tuple of str
        Why it is shown.
    """

    row: Mapping[str, Any]
    motion: float
    still: float
    reasons: tuple[str, ...] = ()


class Samples:
    """Choose videos in one pass; the choice does not depend on their order.

    Parameters
    ----------
    count : int
        Videos chosen at random; 0 shows no video at all.
    seed : int
        Seed of the draw.
    """

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed
        self._drawn = Best(count)
        kept = EACH * len(EXTREMES) if count else 0
        self._extremes = {name: Best(kept) for name in EXTREMES}

    def add(self, row: Mapping[str, Any], motion: float, still: float) -> None:
        """Consider a video."""
        if not self._count:
            return
        sample = Sample(row, motion, still)
        draw = hashlib.blake2b(f"{self._seed}\x1f{row['id']}".encode("utf-8", "surrogatepass"), digest_size=8)
        self._drawn.add(draw.hexdigest(), sample)
        if row["num_frames"] < LEAST_FRAMES:
            return
        if not math.isnan(motion):
            self._extremes["most motion"].add((motion, row["id"]), sample)
            self._extremes["least motion"].add((-motion, row["id"]), sample)
        if still:
            self._extremes["most propagated frames"].add((still, row["id"]), sample)

    def chosen(self) -> list[Sample]:
        """Return the extremes, two of each, and the random draw; each video once."""
        found: dict[str, Sample] = {}
        for name, best in self._extremes.items():
            fresh = [sample for sample in best.items() if sample.row["id"] not in found]
            found |= {sample.row["id"]: _because(sample, name) for sample in fresh[:EACH]}
        for sample in self._drawn.items():
            found[sample.row["id"]] = _because(found.get(sample.row["id"], sample), AT_RANDOM)
        return list(found.values())


def _because(sample: Sample, reason: str) -> Sample:
    return Sample(sample.row, sample.motion, sample.still, (*sample.reasons, reason))
