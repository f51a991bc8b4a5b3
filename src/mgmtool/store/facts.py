"""Facts about a store and about one of its videos, as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from mgmtool.store.reader import Store
from mgmtool.types import FrameFlag


def store_facts(store: Store) -> dict[str, Any]:
    """Gather counts, sizes and settings of a store; the answer of ``mgmtool info STORE``."""
    columns = store.index.select(["status", "num_frames", "part", "row_start", "row_stop"]).to_pydict()
    done = columns["status"].count("done")
    sizes = store.array_bytes()
    frames = sum(stop - start for start, stop in zip(columns["row_start"], columns["row_stop"], strict=True))
    spec = store.spec.to_json()
    runs, records = store.runs(1)
    last = records[0] if records else {}
    return {
        "store": store.name,
        "videos": len(columns["status"]),
        "done": done,
        "failed": len(columns["status"]) - done,
        "failures": store.failures(),
        "frames": frames,
        "parts": len(set(columns["part"])),
        "runs": runs,
        "last_run": {name: last.get(name) for name in ("status", "host", "started", "ended") if name in last},
        "scheme": spec["scheme"],
        "scheme_options": spec["scheme_options"],
        "source": spec["source"],
        "source_options": spec["source_options"],
        "grid": spec["grid"],
        "ratio": spec["ratio"],
        "seed": spec["seed"],
        "energy_grid": spec["energy_grid"] if "energy" in sizes else None,
        "input_root": store.attributes["input_root"],
        "versions": store.attributes["versions"],
        "bytes": sum(sizes.values()),
        "array_bytes": sizes,
        "bytes_per_frame": {name: round(size / frames, 3) for name, size in sizes.items()} if frames else {},
    }


def video_facts(store: Store, name: str) -> dict[str, Any]:
    """Gather the index row of a video and, if it is done, a summary of its masks.

    Parameters
    ----------
    store : Store
        The store.
    name : str
        Id or path of the video, or a file name that only one id has.

    Raises
    ------
    StoreError
        There is no such video.
    """
    row = store.videos.row(name)
    if row["status"] != "done":
        return {key: value for key, value in row.items() if value is not None}
    volume = store.volume(row["id"])
    box = volume.box.astype(np.int64)
    areas = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    steps = np.abs(np.diff(box[:, :2], axis=0)).max(axis=1) if len(box) > 1 else np.zeros(1, np.int64)
    return {
        **{key: value for key, value in row.items() if value is not None},
        "masked_share": round(float(volume.mask.mean()), 4),
        "box_share": round(float(areas.mean()) / (row["height"] * row["width"]), 4),
        "box_moves_frames": int((steps > 0).sum()),
        "flags": {str(flag.name).lower(): int(np.count_nonzero(volume.flags & flag.value)) for flag in FrameFlag},
    }
