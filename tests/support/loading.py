"""Mask stores for the tests of the loader: tiny films extracted, made-up long ones, and clips to ask of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mgmtool import ExtractSpec, MaskStore, TokenMask
from mgmtool.extraction import extract
from mgmtool.types import Clip
from support import tiny_videos
from support.moving import MATRICES, turn

FILMS = {"a/0.mp4": 40, "a/1.mp4": 14, "b/1.mp4": 20, "b/turned.mp4": 16}
"""Films of :func:`write_films` by id, and their frames; the last is shown upright after a quarter turn."""
BROKEN = "b/broken.mp4"


def write_films(folder: Path) -> Path:
    """Write the films, and a file that is none."""
    for number, (video_id, frames) in enumerate(FILMS.items()):
        path = folder / video_id
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiny_videos.clip(frames, number))
    turn(folder / "b/turned.mp4", MATRICES["turned-90"])
    (folder / BROKEN).write_text("not a video, whatever its name says\n")
    return folder


def extract_films(folder: Path, store: Path, **spec: Any) -> Path:
    """Extract films into a store of several parts."""
    list(extract([str(folder)], store, ExtractSpec(**{"part_videos": 2} | spec), "inline"))
    return store


def some_clips(store: MaskStore, count: int = 12, seed: int = 0, frames: int = 8) -> list[Clip]:
    """Draw clips of any video, stride, crop and flip."""
    random = np.random.default_rng(seed)
    ids = list(store)
    return [_any_clip(random, store, ids[n % len(ids)], frames) for n in range(count)]


def _any_clip(random: np.random.Generator, store: MaskStore, video_id: str, frames: int) -> Clip:
    rows = store.videos.find(video_id)
    stride = int(random.integers(1, 5))
    first = int(random.integers(len(rows)))
    chosen = np.minimum(first + stride * np.arange(frames), len(rows) - 1)
    height, width = random.integers(1, rows.height + 1), random.integers(1, rows.width + 1)
    top, left = random.integers(rows.height - height + 1), random.integers(rows.width - width + 1)
    crop = (int(top), int(left), int(height), int(width))
    return Clip(video_id, chosen.tolist(), crop, bool(random.integers(2)), int(random.integers(2**40)))


@st.composite
def any_clips(draw: st.DrawFn, store: MaskStore, tubelet: int) -> Clip:
    """Clips of a store: frames in any order, repeats, any crop."""
    video_id = draw(st.sampled_from(list(store)))
    rows = store.videos.find(video_id)
    count = tubelet * draw(st.integers(1, 4))
    frames = draw(st.lists(st.integers(0, len(rows) - 1), min_size=count, max_size=count))
    height, width = draw(st.integers(1, rows.height)), draw(st.integers(1, rows.width))
    crop = (draw(st.integers(0, rows.height - height)), draw(st.integers(0, rows.width - width)), height, width)
    return Clip(video_id, frames, draw(st.sampled_from([crop, None])), draw(st.booleans()), draw(st.integers(0, 2**64)))


def assert_same_masks(found: Sequence[TokenMask], expected: Sequence[TokenMask]) -> None:
    """Two lists of masks have the same values and types."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for name in ("mask", "box", "fallback"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name, strict=True)
