"""Where objects are, from a file of detections or tracks: MOT text or COCO json."""

from __future__ import annotations

import re
from pathlib import Path

from mgmtool.errors import TracksFailure, UsageError
from mgmtool.tracks.coco import read_coco
from mgmtool.tracks.mot import read_mot
from mgmtool.tracks.rows import gather, without_ending
from mgmtool.types import Tracks, VideoRef

__all__ = ["read_tracks", "sidecar"]

_FIELD = re.compile(r"\{([^{}]*)\}")


def sidecar(pattern: str, video: VideoRef) -> Path:
    """Name the file of tracks that belongs to a video.

    Parameters
    ----------
    pattern : str
        Path in which ``{folder}`` is the folder of the video file, ``{name}`` its file name, ``{stem}`` that name without its
        ending, and ``{id}`` the id of the video without its ending. A pattern without fields is one file for all videos.
    video : VideoRef
        The video.

    Raises
    ------
    UsageError
        The pattern has another field.
    """
    path = Path(video.path)
    fields = {"folder": str(path.parent), "name": path.name, "stem": path.stem, "id": without_ending(video.id)}

    def fill(match: re.Match[str]) -> str:
        if match[1] not in fields:
            known = " ".join(f"{{{field}}}" for field in fields)
            raise UsageError(f"tracks file {pattern!r} has the field {match[0]}; expected one of: {known}")
        return fields[match[1]]

    return Path(_FIELD.sub(fill, pattern))


def read_tracks(path: str | Path, video: str = "") -> Tracks:
    """Read the boxes of one video. The format is known by the content: a file that starts with ``{`` is COCO json.

    MOT text has a box a line, ``frame,id,bb_left,bb_top,bb_width,bb_height[,conf[,...]]``, with commas or white space between
    the values. Frames count from 1; corners are taken as they stand. Rows whose conf is 0 are ignored, as the ground truth of
    MOT asks. Where no id is above 0, the rows are detections without ids.

    COCO json has ``images`` and ``annotations``, and may have ``videos``. Only boxes are read; segmentations are ignored. The
    frame of an image is its ``frame_index``, or else its ``frame_id``, less the smallest of them, if every image of the video
    has one; otherwise its place in the order of ``file_name``. The id of an object is ``track_id``, or else ``instance_id``.

    Detections without ids are linked from each frame to the next: of the pairs of boxes whose intersection over union is 0.3
    or more the largest first, ties to the smallest index. An object unmatched in the next frame ends (our choice).

    Parameters
    ----------
    path : path
        The file.
    video : str
        Id of the video. In a COCO file of several videos it chooses the one whose ``name`` or ``file_name`` is the id, else the
        id without its ending, else the file name, else its stem.

    Returns
    -------
    Tracks
        Boxes by frame, then by object; objects are numbered in order of first appearance, ties by id.

    Raises
    ------
    TracksFailure
        The file cannot be read, or something in it is not as it should be.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise TracksFailure(f"cannot read {path}: {why}; expected MOT text or COCO json") from None
    file = str(path)
    return gather(read_coco(file, text, video) if text.lstrip().startswith("{") else read_mot(file, text))
