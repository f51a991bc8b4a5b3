"""The contenders of ``peers.py``: each decodes one file, gets what it gets, and returns the number of frames.

Everything heavy is imported in the functions, so that a process holds nothing but its own contender.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

COPIES = 4
"""Copies of a file that the contenders with worker processes share."""

_EXPORT = {"flags2": "+export_mvs"}
_PICTURE = {"border_motion": False, "appearance": False}
_VECTORS = {**_PICTURE, "picture_check": False}


class Seen:
    """Fingerprint of all that a contender has given."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)

    def add(self, array: Any) -> None:
        """Take in an array, or None; a record by its fields, because what lies between them is not initialised."""
        if array is None:
            self._hash.update(b"none")
        elif array.dtype.names:
            for name in array.dtype.names:
                self._hash.update(array[name].tobytes())
        else:
            self._hash.update(array.tobytes())

    def hex(self) -> str:
        """Return the fingerprint."""
        return self._hash.hexdigest()


Work = Callable[[str, Seen | None], int]
"""Works on a file and returns the number of frames; shows what it gives only if there is someone to see it."""


def floor(path: str, seen: Seen | None, loop_filter: bool = False) -> int:
    """Decode on one thread with vectors exported, and touch nothing."""
    frames = 0
    for frame in _decode(path, _EXPORT if loop_filter else {**_EXPORT, "skip_loop_filter": "all"}):
        frames += 1
        if seen is not None:
            vectors = frame.side_data.get("MOTION_VECTORS")
            seen.add(None if vectors is None else vectors.to_ndarray())
    return frames


def _decode(path: str, options: dict[str, str]) -> Iterator[Any]:
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = options
        yield from container.decode(stream)


def masks(path: str, seen: Seen | None, options: dict[str, Any]) -> int:
    """Compute the masks of a file and write nothing."""
    from mgmtool.extraction.stream import whole_video
    from mgmtool.types import ExtractSpec, VideoRef

    volume, _ = whole_video(VideoRef(Path(path).name, path), ExtractSpec(scheme_options=options))
    if seen is not None:
        for array in volume.arrays().values():
            seen.add(array)
    return len(volume)


def store(path: str, seen: Seen | None, engine: str = "inline", copies: int = 1, **options: Any) -> int:
    """Extract copies of a file into a new store."""
    from mgmtool import engines, extraction
    from mgmtool.types import ExtractSpec

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = [folder / f"{number}-{Path(path).name}" for number in range(copies)]
        for video in videos:
            video.symlink_to(Path(path).resolve())
        built = engines.build(engine, options)
        run = extraction.prepare([str(video) for video in videos], folder / "m.zarr", ExtractSpec(), built)
        outcomes = list(run.outcomes())
        for outcome in outcomes:
            if outcome.facts is None:
                raise RuntimeError(f"{path}: {outcome.failure}: {outcome.message}")
        if seen is not None:
            _see_files(folder / "m.zarr", seen)
        return sum(outcome.facts.num_frames for outcome in outcomes if outcome.facts is not None)


def _see_files(store: Path, seen: Seen) -> None:
    """Show the bytes of all arrays."""
    import numpy as np

    for file in sorted(path for path in store.glob("part-*/**/*") if path.is_file()):
        seen.add(np.fromfile(file, np.uint8))


def pyav_as_written(path: str, seen: Seen | None) -> int:
    """Read vectors as examples for PyAV do."""
    import av

    frames = 0
    with av.open(path) as container:
        container.streams.video[0].codec_context.options = _EXPORT
        for frame in container.decode(video=0):
            frames += 1
            vectors = frame.side_data.get("MOTION_VECTORS")
            array = vectors.to_ndarray() if vectors is not None else None
            if seen is not None:
                seen.add(array)
    return frames


def motion_vector_extractor(path: str, seen: Seen | None, pictures: bool) -> int:
    """Read vectors with motion-vector-extractor, with BGR pictures or without."""
    from mvextractor.videocap import VideoCap

    capture = VideoCap()
    if not capture.open(path):
        raise RuntimeError(f"{path}: motion-vector-extractor cannot open it")
    capture.set_decode_frames(pictures)
    frames = 0
    while True:
        found, _, vectors, _ = capture.read()
        if not found:
            capture.release()
            return frames
        frames += 1
        if seen is not None:
            seen.add(vectors)


def ffmpeg_program(path: str, _: Seen | None) -> int:
    """Decode with the program; its vectors stay inside."""
    reading = ["-nostdin", "-v", "error", "-threads", "1", "-flags2", "+export_mvs", "-i", path]
    writing = ["-map", "0:v:0", "-progress", "pipe:1", "-f", "null", "-"]
    done = subprocess.run(["ffmpeg", *reading, *writing], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{path}: ffmpeg: {done.stderr.strip()}")
    return int([line for line in done.stdout.splitlines() if line.startswith("frame=")][-1].removeprefix("frame="))


def dense_flow(path: str, seen: Seen | None) -> int:
    """Decode grey pictures on one thread and compute DIS flow, preset ultrafast, on one thread."""
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    frames, before = 0, None
    for frame in _decode(path, {}):
        frames += 1
        picture = np.ascontiguousarray(frame.to_ndarray(format="gray"))
        found = None if before is None else flow.calc(picture, before, None)
        before = picture
        if seen is not None:
            seen.add(found)
    return frames


@dataclass(frozen=True)
class Contender:
    """A way to get at motion.

    ``package`` or ``program`` is what it needs beyond mgmtool. ``workers`` is the number of processes that share
    ``copies`` of the file. ``clips`` is "all", "originals" (too slow for a looped clip) or "loops" (start-up would dominate).
    """

    what: str
    work: Work
    package: str | None = None
    program: str | None = None
    workers: int = 0
    copies: int = 1
    clips: str = "all"

    @property
    def installed(self) -> bool:
        """Whether what it needs is here."""
        if self.program is not None:
            return shutil.which(self.program) is not None
        return self.package is None or importlib.util.find_spec(self.package) is not None


def _pool(workers: int) -> Contender:
    work = partial(store, engine="local", copies=COPIES, workers=workers)
    what = f"mgmtool, a store of {COPIES} copies, {workers} worker{'s' * (workers > 1)}"
    return Contender(what, work, workers=workers, copies=COPIES, clips="loops")


FLOOR = "floor"
CONTENDERS = {
    FLOOR: Contender("PyAV, one thread, vectors exported, no loop filter, nothing read", floor),
    "floor-loop-filter": Contender("the same, with the loop filter", partial(floor, loop_filter=True)),
    "mgmtool-vectors": Contender("mgmtool masks from vectors alone", partial(masks, options=_VECTORS)),
    "mgmtool-picture": Contender("mgmtool masks, with the picture check", partial(masks, options=_PICTURE)),
    "mgmtool": Contender("mgmtool masks, all evidence (the default)", partial(masks, options={})),
    "mgmtool-store": Contender("mgmtool, a store of this one file", store),
    "mgmtool-1-worker": _pool(1),
    "mgmtool-2-workers": _pool(2),
    "pyav": Contender("PyAV as examples show it: frame.side_data, default threads", pyav_as_written),
    "mvextractor": Contender(
        "motion-vector-extractor, vectors and pictures", partial(motion_vector_extractor, pictures=True), "mvextractor"
    ),
    "mvextractor-no-pictures": Contender(
        "motion-vector-extractor, vectors alone", partial(motion_vector_extractor, pictures=False), "mvextractor"
    ),
    "ffmpeg": Contender("ffmpeg -threads 1 -flags2 +export_mvs -f null -", ffmpeg_program, program="ffmpeg"),
    "opencv-dis": Contender("OpenCV DIS flow, ultrafast, one thread", dense_flow, "cv2", clips="originals"),
}
