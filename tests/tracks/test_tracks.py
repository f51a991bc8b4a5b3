"""Files of detections and tracks: what is read, what is refused and in which words, and how detections are linked."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgmtool.errors import TracksFailure, UsageError, VideoError
from mgmtool.tracks import read_tracks, sidecar
from mgmtool.types import Tracks, VideoRef

Side = tuple[float, float, float, float]
Known = tuple[int, int, Side]


def written(folder: Path, content: str | dict[str, Any]) -> Path:
    path = folder / "tracks"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def boxes_of(tracks: Tracks) -> list[Known]:
    """Frame, object and box as left, top, width, height."""
    assert (tracks.frame.dtype, tracks.track.dtype, tracks.box.dtype) == (np.int64, np.int64, np.float32)
    assert tracks.box.shape == (len(tracks.frame), 4)
    rows = zip(tracks.frame.tolist(), tracks.track.tolist(), tracks.box.tolist(), strict=True)
    return [(frame, track, (x0, y0, x1 - x0, y1 - y0)) for frame, track, (y0, x0, y1, x1) in rows]


def refused(path: Path, video: str = "") -> str:
    """Message of the failure, without the name of the file that it must start with."""
    with pytest.raises(TracksFailure) as caught:
        read_tracks(path, video)
    assert isinstance(caught.value, VideoError)
    assert caught.value.failure == "tracks"
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), "FILE")


# MOT text.

A, B = (10.0, 20.0, 30.0, 40.0), (50.0, 20.0, 30.0, 40.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1,7,10,20,30,40\n2,7,50,20,30,40\n", [(0, 0, A), (1, 0, B)], id="six-columns"),
        pytest.param("1,7,10,20,30,40,1,-1,-1,-1", [(0, 0, A)], id="no-line-end"),
        pytest.param("1 7 10 20 30 40\n2\t7\t50\t20\t30\t40", [(0, 0, A), (1, 0, B)], id="white-space"),
        pytest.param(" 1, 7, 10.0, 2e1, 30 , 40 \r\n\r\n", [(0, 0, A)], id="spaces-and-blank-lines"),
        pytest.param("\ufeff1,7,10,20,30,40", [(0, 0, A)], id="byte-order-mark"),
        pytest.param("1.0,7.0,10,20,30,40", [(0, 0, A)], id="whole-numbers-written-as-floats"),
        pytest.param("3,7,50,20,30,40\n1,7,10,20,30,40", [(0, 0, A), (2, 0, B)], id="out-of-order"),
        pytest.param("1,9,10,20,30,40\n1,3,50,20,30,40", [(0, 0, B), (0, 1, A)], id="ties-by-id"),
        pytest.param("2,3,10,20,30,40\n1,9,50,20,30,40", [(0, 0, B), (1, 1, A)], id="by-first-appearance"),
        pytest.param("1,0,10,20,30,40\n2,1,10,20,30,40", [(0, 0, A), (1, 1, A)], id="ids-from-0"),
        pytest.param("1,7,10,20,30,40,0\n1,8,50,20,30,40,0.5", [(0, 0, B)], id="conf-0-is-ignored"),
        pytest.param("1,7,1,1,0,-5,0.0,1\n1,8,50,20,30,40", [(0, 0, B)], id="conf-0-needs-no-size"),
        pytest.param("1,7,10,20,30,40,-1", [(0, 0, A)], id="conf-may-be-negative"),
        pytest.param(
            "1,-1,10,20,30,40\n2,-1,10,20,30,40\n3,-1,50,20,30,40", [(0, 0, A), (1, 0, A), (2, 1, B)], id="no-ids"
        ),
        pytest.param("1,0,10,20,30,40\n1,0,10,20,30,40", [(0, 0, A), (0, 1, A)], id="id-0-alone-is-none"),
        pytest.param("1,7,-10,-20,15,25", [(0, 0, (-10, -20, 15, 25))], id="outside-the-picture"),
        pytest.param("", [], id="nothing"),
        pytest.param(" \n\n", [], id="blank"),
    ],
)
def test_mot_text_is_read(text: str, expected: list[Known], tmp_path: Path) -> None:
    tracks = read_tracks(written(tmp_path, text))
    assert boxes_of(tracks) == expected
    assert tracks.num_objects == len({track for _, track, _ in expected})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2,7,10,20,30", "the row is '2,7,10,20,30'; expected frame,id,bb_left,bb_top,bb_width,bb_height[,conf[,...]]"),
        ("# frame", "the row is '# frame'; expected frame,id,"),
        ("0,7,10,20,30,40", "frame is 0; expected a whole number from 1"),
        ("1.5,7,10,20,30,40", "frame is 1.5; expected a whole number from 1"),
        ("inf,7,10,20,30,40", "frame is inf; expected a whole number from 1"),
        ("99999999999999999999,7,10,20,30,40", "frame is 99999999999999999999; expected a whole number"),
        ("2,car,10,20,30,40", "id is 'car'; expected a whole number"),
        ("2,nan,10,20,30,40", "id is nan; expected a whole number"),
        ("2,7,left,20,30,40", "bb_left is 'left'; expected a number from -1e+09 to 1e+09"),
        ("2,7,10,inf,30,40", "bb_top is inf; expected a number"),
        ("2,7,10,20,nan,40", "bb_width is nan; expected a number"),
        ("2,7,10,20,30,1e300", "bb_height is 1e+300; expected a number"),
        ("2,7,10,,30,40", "bb_top is ''; expected a number"),
        ("2,7,10,20,0,40", "width is 0.0; expected more than 0"),
        ("2,7,10,20,30,-1", "height is -1.0; expected more than 0"),
        ("2,7,10,20,30,40,sure", "conf is 'sure'; expected a number"),
        ("1,1,10,20,30,40", "the id of the object is 1; expected no second box of it in the same frame"),
        ("2,-1,10,20,30,40", "the id of the object is None; expected one that is not negative"),
        ("x" * 500, f"the row is {repr('x' * 500)[:64]}; expected"),
    ],
)
def test_bad_mot_lines_are_named(line: str, words: str, tmp_path: Path) -> None:
    assert refused(written(tmp_path, f"1,1,1,1,1,1\n\n{line}\n")).startswith(f"FILE, line 3: {words}")


@pytest.mark.parametrize("content", [None, b"\xff\xfe1,2,3"])
def test_files_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_bytes(content)
    why = "No such file" if content is None else "'utf-8' codec"
    assert refused(path).startswith(f"cannot read FILE: {why}")
    assert refused(tmp_path).startswith("cannot read FILE: Is a directory")


quarters = st.integers(-4000, 4000).map(lambda n: n / 4)
sizes = st.integers(1, 4000).map(lambda n: n / 4)
known_boxes = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 4)), st.tuples(quarters, quarters, sizes, sizes), max_size=20
)


@given(known=known_boxes, order=st.randoms(), comma=st.sampled_from([",", " ", ", ", "\t"]))
def test_what_is_written_is_read(known: dict[Any, Side], order: Any, comma: str, tmp_path_factory: Any) -> None:
    lines = [comma.join(map(str, (frame + 1, track + 1, *box))) for (frame, track), box in known.items()]
    order.shuffle(lines)
    first = {track: min(f for f, other in known if other == track) for _, track in known}
    place = {track: n for n, track in enumerate(sorted(first, key=lambda track: (first[track], track)))}
    expected = sorted((frame, place[track], box) for (frame, track), box in known.items())
    path = written(tmp_path_factory.getbasetemp(), "\n".join(lines))
    assert boxes_of(read_tracks(path)) == expected


# COCO json.


def coco(images: Any, annotations: Any = (), **more: Any) -> dict[str, Any]:
    return {"images": list(images), "annotations": list(annotations), **more}


def image(number: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "file_name": f"{number}.jpg", **more}


def on(image_id: Any, box: Any = A, **more: Any) -> dict[str, Any]:
    return {"image_id": image_id, "bbox": list(box), "segmentation": [[0, 0, 1, 1]], **more}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(coco([image(1), image(2)], [on(1), on(2)]), [(0, 0, A), (1, 0, A)], id="detections-are-linked"),
        pytest.param(coco([image(2), image(1)], [on(2, B), on(1)]), [(0, 0, A), (1, 1, B)], id="by-file-name"),
        pytest.param(
            coco([image(1, frame_id=9), image(2, frame_id=7)], [on(1, B), on(2)]),
            [(0, 0, A), (2, 1, B)],
            id="frame-id-less-the-smallest",
        ),
        pytest.param(
            coco([image(1, frame_id=1, frame_index=4), image(2, frame_id=2, frame_index=3)], [on(1, B), on(2)]),
            [(0, 0, A), (1, 1, B)],
            id="frame-index-goes-first",
        ),
        pytest.param(
            coco([image(1, frame_id=9), image(2)], [on(1), on(2, B)]), [(0, 0, A), (1, 1, B)], id="frame-id-of-some"
        ),
        pytest.param(
            coco([image("a"), image("b")], [on("b", B, track_id=4), on("a", track_id=4)]),
            [(0, 0, A), (1, 0, B)],
            id="track-id",
        ),
        pytest.param(
            coco([image(1), image(2)], [on(1, instance_id=0), on(2, B, instance_id=0)]),
            [(0, 0, A), (1, 0, B)],
            id="instance-id",
        ),
        pytest.param(coco([image(1)], [on(1, A, track_id=None)]), [(0, 0, A)], id="no-track-id"),
        pytest.param(coco([image(1, video_id=3)], [on(1)]), [(0, 0, A)], id="one-video-without-a-table"),
        pytest.param(
            coco([image(1)], [on(1)], videos=[{"id": 3, "name": "x"}]), [(0, 0, A)], id="a-table-of-one-video"
        ),
        pytest.param(coco([image(1)], [on(1)], videos=None), [(0, 0, A)], id="null-table"),
        pytest.param(coco([image(1)]), [], id="no-boxes"),
        pytest.param(coco([]), [], id="no-images"),
    ],
)
def test_coco_json_is_read(content: dict[str, Any], expected: list[Known], tmp_path: Path) -> None:
    assert boxes_of(read_tracks(written(tmp_path, content), "v/1.mp4")) == expected


def test_the_format_is_known_by_the_content(tmp_path: Path) -> None:
    content = "\n  " + json.dumps(coco([image(1)], [on(1)]))
    assert boxes_of(read_tracks(written(tmp_path, content))) == [(0, 0, A)]


def of_several(*names: str, key: str = "name") -> dict[str, Any]:
    """A file of videos of one image each; the box of the n-th has width n + 1."""
    images = [image(n, video_id=10 + n) for n in range(len(names))]
    videos = [{"id": 10 + n, key: name} for n, name in enumerate(names)]
    return coco(images, [on(n, (0, 0, n + 1, 5)) for n in range(len(names))], videos=videos)


@pytest.mark.parametrize("key", ["name", "file_name"])
@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["x", "v/a.mp4"], 1),
        (["x", "v/a"], 1),
        (["a.mp4", "x"], 0),
        (["x", "a"], 1),
        (["a", "v/a.mp4", "a.mp4"], 1),
        (["w/a.mp4", "v/a.mp4"], 1),
    ],
)
def test_the_video_is_chosen_by_its_name(names: list[str], key: str, chosen: int, tmp_path: Path) -> None:
    tracks = read_tracks(written(tmp_path, of_several(*names, key=key)), "v/a.mp4")
    assert boxes_of(tracks) == [(0, 0, (0, 0, chosen + 1, 5))]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            ["x", "y"],
            "none of its 2 videos belongs to 'v/a.mp4'; expected one named 'v/a.mp4' or 'v/a' or 'a.mp4' or 'a'",
        ),
        (["a", "y", "a"], "2 entries of videos are named 'a'; expected exactly one"),
    ],
)
def test_exactly_one_video_must_fit(names: list[str], words: str, tmp_path: Path) -> None:
    assert refused(written(tmp_path, of_several(*names)), "v/a.mp4") == f"FILE: {words}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "FILE starts with '{' but is not json: "),
        ("{" + '"a":{' * 100_000, "FILE starts with '{' but is not json: "),
        ({}, "FILE: images is None; expected a list of records"),
        ({"images": {}, "annotations": []}, "FILE: images is {}; expected a list of records"),
        ({"images": [1], "annotations": []}, "FILE: images is [1]; expected a list of records"),
        ({"images": []}, "FILE: annotations is None; expected a list of records"),
        (coco([], videos=3), "FILE: videos is 3; expected a list of records"),
        (coco([{"file_name": "a"}]), "FILE, images[0]: id is None; expected a whole number or text"),
        (coco([image([1])]), "FILE, images[0]: id is [1]; expected a whole number or text"),
        (coco([image(1), image(1)]), "FILE: id of images is 1; expected each only once"),
        (coco([image(1), {"id": 2}]), "FILE, images[1]: file_name is None; expected text, since"),
        (coco([image(1, frame_id="x")]), "FILE, images[0]: frame_id is 'x'; expected a whole number"),
        (coco([image(1, frame_id=True)]), "FILE, images[0]: frame_id is True; expected a whole number"),
        (
            coco([image(1, frame_id=3), image(2, frame_id=3)]),
            "FILE: frame_id of images of one video is 3; expected each",
        ),
        (
            coco([image(1), {"id": 2, "file_name": "1.jpg"}]),
            "FILE: file_name of images of one video is '1.jpg'; expected",
        ),
        (coco([image(1, video_id=1), image(2, video_id=2)]), "FILE: videos is None; expected a table of the 2 videos"),
        (coco([image(1)], videos=[{"id": 1}, {"id": 2, "name": "a"}]), "FILE, images[0]: video_id is None; expected"),
        (coco([image(1, video_id=1)], videos=[{}]), "FILE, videos[0]: id is None; expected a whole number or text"),
        (coco([image(1)], [on(2)]), "FILE, annotations[0]: image_id is 2; expected the id of an image in the file"),
        (coco([image(1)], [{"image_id": 1}]), "FILE, annotations[0]: bbox is None; expected [x, y, width, height]"),
        (
            coco([image(1)], [on(1, (1, 2, 3))]),
            "FILE, annotations[0]: bbox is [1, 2, 3]; expected [x, y, width, height]",
        ),
        (coco([image(1)], [on(1, (1, "2", 3, 4))]), "FILE, annotations[0]: top is '2'; expected a number"),
        (coco([image(1)], [on(1, (1, float("nan"), 3, 4))]), "FILE, annotations[0]: top is nan; expected a number"),
        (coco([image(1)], [on(1, (1, 2, 0, 4))]), "FILE, annotations[0]: width is 0.0; expected more than 0"),
        (coco([image(1)], [on(1, track_id="x")]), "FILE, annotations[0]: track_id is 'x'; expected a whole number"),
        (
            coco([image(1)], [on(1, track_id=1), on(1)]),
            "FILE, annotations[1]: the id of the object is None; expected one",
        ),
        (
            coco([image(1)], [on(1, track_id=1)] * 2),
            "FILE, annotations[1]: the id of the object is 1; expected no second",
        ),
    ],
)
def test_bad_coco_files_are_named(content: Any, words: str, tmp_path: Path) -> None:
    assert refused(written(tmp_path, content), "a.mp4").startswith(words)


# Linking.


def overlap(left: Side, right: Side) -> float:
    """Intersection over union of two boxes as left, top, width, height."""
    high = min(left[1] + left[3], right[1] + right[3]) - max(left[1], right[1])
    wide = min(left[0] + left[2], right[0] + right[2]) - max(left[0], right[0])
    inside = max(high, 0.0) * max(wide, 0.0)
    return inside / (left[2] * left[3] + right[2] * right[3] - inside)


def linked(frames: list[list[Side]]) -> list[list[int]]:
    """Objects of the boxes of every frame: the best pair left, again and again."""
    fresh = itertools.count()
    objects: list[list[int]] = []
    for t, boxes in enumerate(frames):
        before = dict(enumerate(frames[t - 1])) if t else {}
        here: dict[int, int] = {}
        while True:
            rest = [
                (-overlap(b, boxes[j]), i, j) for i, b in before.items() for j in range(len(boxes)) if j not in here
            ]
            best = min(rest, default=(0.0, 0, 0))
            if best[0] > -0.3:
                break
            here[best[2]] = objects[-1][best[1]]
            del before[best[1]]
        objects.append([here[j] if j in here else next(fresh) for j in range(len(boxes))])
    return objects


steps, lengths = st.integers(0, 12).map(float), st.integers(2, 10).map(float)
detections = st.lists(st.lists(st.tuples(steps, steps, lengths, lengths), max_size=5), max_size=5)


@given(frames=detections)
def test_detections_are_linked_as_by_the_twin(frames: list[list[Side]], tmp_path_factory: Any) -> None:
    lines = [",".join(map(str, (t + 1, -1, *box))) for t, boxes in enumerate(frames) for box in boxes]
    tracks = read_tracks(written(tmp_path_factory.getbasetemp(), "\n".join(lines)))
    expected = [
        (t, n, box)
        for t, (boxes, objects) in enumerate(zip(frames, linked(frames), strict=True))
        for n, box in sorted(zip(objects, boxes, strict=True))
    ]
    assert boxes_of(tracks) == expected


@pytest.mark.parametrize(
    ("second", "objects"),
    [
        pytest.param((10, 0, 20, 20), [0, 0], id="a-third-in-common"),
        pytest.param((11, 0, 20, 20), [0, 1], id="less-than-0.3-in-common"),
        pytest.param((0, 0, 6, 20), [0, 0], id="exactly-0.3"),
    ],
)
def test_linked_boxes_overlap_by_three_tenths(second: Side, objects: list[int], tmp_path: Path) -> None:
    text = f"1,-1,0,0,20,20\n2,-1,{','.join(map(str, second))}"
    assert [track for _, track, _ in boxes_of(read_tracks(written(tmp_path, text)))] == objects


def test_an_object_unmatched_in_the_next_frame_ends(tmp_path: Path) -> None:
    tracks = read_tracks(written(tmp_path, "1,-1,0,0,9,9\n3,-1,0,0,9,9"))
    assert tracks.track.tolist() == [0, 1]


def test_boxes_too_small_for_an_area_are_no_trouble(tmp_path: Path) -> None:
    tracks = read_tracks(written(tmp_path, "1,-1,9,9,1e-30,1e-30\n2,-1,9,9,1e-30,1e-30"))
    assert tracks.track.tolist() == [0, 1]


# Which file.

VIDEO = VideoRef("sub/a.b.mp4", "/films/sub/a.b.mp4")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{folder}/{stem}.txt", "/films/sub/a.b.txt"),
        ("/t/{id}.json", "/t/sub/a.b.json"),
        ("/t/{name}.txt", "/t/a.b.mp4.txt"),
        ("/t/all.json", "/t/all.json"),
        ("{folder}/{stem}/{stem}", "/films/sub/a.b/a.b"),
        ("/t/{", "/t/{"),
    ],
)
def test_patterns_are_filled(pattern: str, path: str) -> None:
    assert sidecar(pattern, VIDEO) == Path(path)


def test_names_with_braces_are_left_alone() -> None:
    assert sidecar("{folder}/{stem}.txt", VideoRef("{id}.mp4", "/f/{id}.mp4")) == Path("/f/{id}.txt")


def test_a_file_in_the_working_folder_has_its_sidecar_there() -> None:
    assert sidecar("{folder}/{stem}.txt", VideoRef("a.mp4", "a.mp4")) == Path("a.txt")


@pytest.mark.parametrize("field", ["{video}", "{}", "{stem.__class__}", "{stem!r}", "{0}"])
def test_unknown_fields_are_refused(field: str) -> None:
    with pytest.raises(UsageError) as caught:
        sidecar(f"/t/{field}.txt", VIDEO)
    assert str(caught.value) == (
        f"tracks file '/t/{field}.txt' has the field {field}; expected one of: {{folder}} {{name}} {{stem}} {{id}}"
    )
