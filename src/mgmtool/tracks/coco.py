"""COCO json: tables of images, of annotations, and perhaps of videos."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mgmtool.errors import TracksFailure
from mgmtool.tracks.rows import ObjectBox, failure, sides, whole, without_ending

_Key = int | str
_Record = tuple[str, dict[str, Any]]  # where a record stands in the file, and the record


def read_coco(file: str, text: str, video: str) -> list[ObjectBox]:
    """Read the annotations of one video; see :func:`mgmtool.tracks.read_tracks`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TracksFailure(f"{file} starts with '{{' but is not json: {error}") from None
    images, annotations = _table(file, data, "images"), _table(file, data, "annotations")
    videos = _table(file, data, "videos") if data.get("videos") is not None else []
    known = _distinct(file, "id of images", [_key(image, "id") for image in images])
    wanted = _of_video(file, images, videos, video)
    frames = dict(zip((_key(image, "id") for image in wanted), _frame_indices(file, wanted), strict=True))
    return list(_rows(annotations, known, frames))


def _rows(annotations: Sequence[_Record], known: set[_Key], frames: Mapping[_Key, int]) -> Iterator[ObjectBox]:
    for annotation in annotations:
        where, record = annotation
        image = _key(annotation, "image_id")
        if image not in known:
            raise failure(where, "image_id", image, "the id of an image in the file")
        if image not in frames:
            continue
        box, track = record.get("bbox"), record.get("track_id", record.get("instance_id"))
        if not isinstance(box, list) or len(box) != 4:
            raise failure(where, "bbox", box, "[x, y, width, height]")
        yield ObjectBox(
            frames[image], None if track is None else whole(where, "track_id", track), sides(where, box), where
        )


def _table(file: str, data: Mapping[str, Any], name: str) -> list[_Record]:
    found = data.get(name)
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise failure(file, name, found, "a list of records")
    return [(f"{file}, {name}[{number}]", record) for number, record in enumerate(found)]


def _key(entry: _Record, name: str) -> _Key:
    where, record = entry
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise failure(where, name, value, "a whole number or text")
    return value


def _distinct(file: str, what: str, values: Sequence[_Key]) -> set[_Key]:
    seen: set[_Key] = set()
    for value in values:
        if value in seen:
            raise failure(file, what, value, "each only once")
        seen.add(value)
    return seen


def _of_video(file: str, images: list[_Record], videos: list[_Record], video: str) -> list[_Record]:
    """Images of one video; a file without a table of videos is of this one."""
    owners = {_key(image, "video_id") for image in images if "video_id" in image[1]}
    if not videos:
        if len(owners) > 1:
            raise failure(file, "videos", None, f"a table of the {len(owners)} videos that images name by video_id")
        return images
    if len(videos) == 1 and not owners:
        return images
    chosen = _key(videos[0] if len(videos) == 1 else _named(file, videos, video), "id")
    return [image for image in images if _key(image, "video_id") == chosen]


def _named(file: str, videos: Sequence[_Record], video: str) -> _Record:
    name = video.rpartition("/")[2]
    forms = list(dict.fromkeys((video, without_ending(video), name, without_ending(name))))
    for form in forms:
        fitting = [entry for entry in videos if form in (entry[1].get("name"), entry[1].get("file_name"))]
        if len(fitting) > 1:
            raise TracksFailure(f"{file}: {len(fitting)} entries of videos are named {form!r}; expected exactly one")
        if fitting:
            return fitting[0]
    expected = " or ".join(map(repr, forms))
    raise TracksFailure(f"{file}: none of its {len(videos)} videos belongs to {video!r}; expected one named {expected}")


def _frame_indices(file: str, images: Sequence[_Record]) -> list[int]:
    for name in ("frame_index", "frame_id"):
        if images and all(name in record for _, record in images):
            numbers = [whole(where, name, record[name]) for where, record in images]
            _distinct(file, f"{name} of images of one video", numbers)
            first = min(numbers)
            return [number - first for number in numbers]
    names = [_file_name(image) for image in images]
    _distinct(file, "file_name of images of one video", names)
    rank = {name: place for place, name in enumerate(sorted(names))}
    return [rank[name] for name in names]


def _file_name(image: _Record) -> str:
    where, record = image
    name = record.get("file_name")
    if not isinstance(name, str):
        raise failure(where, "file_name", name, "text, since not every image of the video has a frame_id")
    return name
