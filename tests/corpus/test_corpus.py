"""Inputs to an ordered list of videos, and that list to parts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgmtool import corpus
from mgmtool.corpus import Corpus, Part, cut_parts, plan_parts
from mgmtool.errors import InputError, UsageError
from mgmtool.types import VideoRef

EXTENSIONS = (".mp4", ".mkv")
SIZES = st.lists(st.integers(-1, 50), max_size=60)


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1234")


def scan(*inputs: Path | str, listed: Sequence[str] = (), root: Path | None = None) -> Corpus:
    return corpus.scan([str(i) for i in inputs], EXTENSIONS, listed=listed, root=None if root is None else str(root))


def ids(found: Corpus) -> list[str]:
    return [video.id for video in found.videos]


def make_videos(sizes: Sequence[int]) -> list[VideoRef]:
    return [VideoRef(f"{number:03}.mp4", f"/v/{number:03}.mp4", size) for number, size in enumerate(sizes)]


def cut_ids(parts: Sequence[Part]) -> dict[int, list[str]]:
    return {part.number: [video.id for video in part.videos] for part in parts}


def test_folder_is_walked_and_ids_are_relative_to_it(tmp_path: Path) -> None:
    make_files(tmp_path, "b.mp4", "a/z.mkv", "a/deep/er/y.mp4", "notes.txt", "a/mp4", "amp4")
    found = scan(tmp_path)
    assert ids(found) == ["a/deep/er/y.mp4", "a/z.mkv", "b.mp4"]
    assert found.root == str(tmp_path)
    video = found.videos[2]
    status = (tmp_path / "b.mp4").stat()
    assert video == VideoRef("b.mp4", str(tmp_path / "b.mp4"), 4, status.st_mtime_ns)


def test_extensions_match_in_any_case(tmp_path: Path) -> None:
    make_files(tmp_path, "a.MP4", "b.Mkv", "c.mp4", "d.mp4.txt", "e.avi")
    assert ids(scan(tmp_path)) == ["a.MP4", "b.Mkv", "c.mp4"]


def test_hidden_files_and_apple_doubles_are_skipped(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4", ".hidden.mp4", "._a.mp4", ".cache/b.mp4", "__MACOSX/._a.mp4", "x/.git/c.mp4")
    assert ids(scan(tmp_path)) == ["a.mp4"]


def test_hidden_things_that_are_named_are_taken(tmp_path: Path) -> None:
    make_files(tmp_path, ".clips/a.mp4", ".hidden.mp4")
    assert ids(scan(tmp_path / ".clips")) == ["a.mp4"]
    assert ids(scan(tmp_path / ".hidden.mp4")) == [".hidden.mp4"]


def test_folder_named_like_a_video_is_walked(tmp_path: Path) -> None:
    make_files(tmp_path, "x.mp4/a.mp4", "x.mp4/b.txt")
    assert ids(scan(tmp_path)) == ["x.mp4/a.mp4"]
    assert ids(scan(tmp_path / "x.mp4")) == ["a.mp4"]


def test_linked_folders_are_followed(tmp_path: Path) -> None:
    make_files(tmp_path / "elsewhere", "b.mp4")
    make_files(tmp_path / "videos", "a.mp4")
    (tmp_path / "videos" / "linked").symlink_to(tmp_path / "elsewhere")
    assert ids(scan(tmp_path / "videos")) == ["a.mp4", "linked/b.mp4"]


def test_a_folder_linked_twice_side_by_side_is_there_twice(tmp_path: Path) -> None:
    make_files(tmp_path, "real/a.mp4")
    (tmp_path / "twin").symlink_to(tmp_path / "real")
    assert ids(scan(tmp_path)) == ["real/a.mp4", "twin/a.mp4"]


def test_loops_of_links_end(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4", "x/b.mp4", "y/c.mp4")
    (tmp_path / "x" / "up").symlink_to(tmp_path)
    (tmp_path / "x" / "here").symlink_to(".")
    (tmp_path / "x" / "over").symlink_to(tmp_path / "y")
    (tmp_path / "y" / "back").symlink_to(tmp_path / "x")
    found = ids(scan(tmp_path))
    assert found[:1] == ["a.mp4"]
    assert {"x/b.mp4", "y/c.mp4", "x/over/c.mp4", "y/back/b.mp4"} <= set(found)
    assert not any("up" in video_id or "here" in video_id for video_id in found)


def test_links_that_lead_nowhere_end_too(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "self.mp4").symlink_to("self.mp4")
    (tmp_path / "gone.mp4").symlink_to("nowhere")
    (tmp_path / "gone").symlink_to("nowhere")
    found = scan(tmp_path)
    assert ids(found) == ["a.mp4", "gone.mp4", "self.mp4"]
    assert [video.size for video in found.videos] == [4, -1, -1]


def test_unreadable_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path, "a.mp4", "locked/b.mp4")
    whole = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return whole(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"locked.*Permission denied"):
        scan(tmp_path)


@pytest.mark.parametrize("name", ["clip", "clip.bin", "clip.mp4.part", "clip.JPG"])
def test_named_file_is_taken_whatever_its_ending(tmp_path: Path, name: str) -> None:
    make_files(tmp_path, name)
    found = scan(tmp_path / name)
    assert ids(found) == [name]
    assert found.root == str(tmp_path)


def test_glob_takes_what_it_matches(tmp_path: Path) -> None:
    make_files(tmp_path, "a1.mp4", "a2.dat", "b.mp4", "a3/c.mp4", "a3/d.txt", ".a4.mp4")
    found = scan(tmp_path / "a*")
    assert ids(found) == ["a1.mp4", "a2.dat", "a3/c.mp4"]
    assert found.root == str(tmp_path)


def test_recursive_glob(tmp_path: Path) -> None:
    make_files(tmp_path, "x/a.mp4", "x/y/b.mp4", "x/y/c.mkv")
    assert ids(scan(tmp_path / "**" / "*.mp4")) == ["a.mp4", "y/b.mp4"]


def test_relative_glob_below_a_folder_with_magic_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path, "set [1]/a.mp4", "set [1]/b.mp4")
    monkeypatch.chdir(tmp_path / "set [1]")
    found = scan("*.mp4")
    assert ids(found) == ["a.mp4", "b.mp4"]
    assert found.videos[0].path == str(tmp_path / "set [1]" / "a.mp4")


def test_links_to_nowhere_that_a_glob_matches_are_videos_to_fail(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4")
    for name in ("gone.mp4", "*.mp4"):
        (tmp_path / name).symlink_to("nowhere")
    assert [(video.id, video.size) for video in scan(tmp_path / "*.m?4").videos] == [
        ("*.mp4", -1),
        ("a.mp4", 4),
        ("gone.mp4", -1),
    ]


def test_recursive_glob_of_everything_is_rooted_at_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path, "x/a.mp4", "x/y/b.mp4")
    monkeypatch.chdir(tmp_path)
    assert scan("x/**") == scan(tmp_path / "x" / "**") == scan("x")


@pytest.mark.parametrize("name", ["a[1].mp4", "what?.mp4", "st*r.mp4", "[0-9].mp4"])
def test_name_with_glob_characters_that_exists_is_a_file(tmp_path: Path, name: str) -> None:
    make_files(tmp_path, name, "a1.mp4", "whats.mp4", "star.mp4", "5.mp4")
    assert ids(scan(tmp_path / name)) == [name]


def test_folder_with_glob_characters_is_walked(tmp_path: Path) -> None:
    make_files(tmp_path, "[x]/a.mp4", "x/b.mp4")
    assert ids(scan(tmp_path / "[x]")) == ["a.mp4"]


@pytest.mark.parametrize(
    "name",
    [
        "with space.mp4",
        " lead and trail .mp4",
        "été.mp4",
        "e\u0301te.mp4",
        "视频/片段.mp4",
        "🏃‍♀️.mp4",
        "two\nlines.mp4",
        "tab\there.mp4",
        "-dash.mp4",
        "back\\slash.mp4",
        "quo'te\".mp4",
        "%41.mp4",
        "a:b.mp4",
    ],
)
def test_odd_names_are_ids_as_given(tmp_path: Path, name: str) -> None:
    make_files(tmp_path, name)
    found = scan(tmp_path)
    assert ids(found) == [name]
    assert found.videos[0].path == f"{tmp_path}/{name}"


def test_names_that_are_not_unicode_get_an_id_that_is(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    try:
        make_files(tmp_path, name)
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    video = scan(tmp_path).videos[0]
    assert video.id == "caf\\udce9.mp4"
    assert video.id.encode("utf-8").decode("utf-8") == video.id
    assert Path(video.path).read_bytes() == b"1234"
    assert scan(tmp_path / name).videos == (video,)


def test_same_stem_with_another_extension_is_another_video(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4", "a.mkv", "a/a.mp4")
    assert ids(scan(tmp_path)) == ["a.mkv", "a.mp4", "a/a.mp4"]


def test_same_name_in_two_folders_stays_apart(tmp_path: Path) -> None:
    make_files(tmp_path, "x/a.mp4", "y/a.mp4")
    found = scan(tmp_path / "x", tmp_path / "y")
    assert ids(found) == ["x/a.mp4", "y/a.mp4"]
    assert found.root == str(tmp_path)


def test_a_video_given_by_several_inputs_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path, "x/a.mp4", "x/b.mp4")
    monkeypatch.chdir(tmp_path)
    listed = ["x/a.mp4", f"{tmp_path}/x/a.mp4", "./x/../x/b.mp4"]
    found = scan("x", tmp_path / "x", "x/*.mp4", "x/a.mp4", "x/../x", listed=listed)
    assert ids(found) == ["a.mp4", "b.mp4"]


def test_order_does_not_depend_on_the_order_of_the_inputs(tmp_path: Path) -> None:
    make_files(tmp_path, "c.mp4", "a.mp4", "b.mp4")
    names = [tmp_path / name for name in ("c.mp4", "a.mp4", "b.mp4")]
    assert ids(scan(*names)) == ids(scan(*reversed(names))) == ["a.mp4", "b.mp4", "c.mp4"]


def test_listed_path_that_is_missing_is_a_video_to_fail(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4")
    found = scan(listed=[str(tmp_path / "a.mp4"), str(tmp_path / "sub" / "gone.mp4")])
    assert found.root == str(tmp_path)
    assert found.videos[1] == VideoRef("sub/gone.mp4", str(tmp_path / "sub" / "gone.mp4"), -1, -1)


def test_listed_paths_are_not_patterns_and_not_filtered(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4", "b.txt")
    assert ids(scan(listed=[str(tmp_path / "*.mp4"), str(tmp_path / "b.txt")])) == ["*.mp4", "b.txt"]


@pytest.mark.parametrize("name", ["gone.mp4", "gone/*.mp4", "two\nlines.mp4"])
def test_missing_input_is_named(tmp_path: Path, name: str) -> None:
    make_files(tmp_path, "a.mp4")
    with pytest.raises(InputError) as caught:
        scan(tmp_path, tmp_path / name)
    assert repr(str(tmp_path / name)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_input_is_a_file_not_found_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^no such file or folder: "):
        scan(tmp_path / "gone")


def test_folder_without_a_video_is_an_error(tmp_path: Path) -> None:
    make_files(tmp_path, "notes.txt", ".hidden.mp4")
    with pytest.raises(InputError, match=r"no video found in .*\.mp4 \.mkv") as caught:
        scan(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_empty_list_is_an_error() -> None:
    with pytest.raises(InputError, match="no video found in the list"):
        scan()


def test_ids_are_relative_to_the_root(tmp_path: Path) -> None:
    make_files(tmp_path, "x/y/a.mp4")
    found = scan(tmp_path / "x" / "y" / "a.mp4", root=tmp_path)
    assert ids(found) == ["x/y/a.mp4"]
    assert found.root == str(tmp_path)


@pytest.mark.parametrize("inside", ["y", "x/y", "xx"])
def test_input_outside_the_root_is_refused(tmp_path: Path, inside: str) -> None:
    make_files(tmp_path, "x/a.mp4")
    (tmp_path / inside).mkdir(parents=True)
    with pytest.raises(UsageError, match="not under the root") as caught:
        scan(tmp_path / "x", root=tmp_path / inside)
    assert str(tmp_path / "x" / "a.mp4") in str(caught.value)
    assert str(tmp_path / inside) in str(caught.value)


def test_listed_folder_above_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(UsageError, match="not under the root"):
        scan(listed=[str(tmp_path)], root=tmp_path / "x")


def test_names_that_begin_with_dots_are_inside_the_root(tmp_path: Path) -> None:
    make_files(tmp_path, "..a.mp4", "...mp4")
    assert ids(scan(tmp_path / "..a.mp4", tmp_path / "...mp4", root=tmp_path)) == ["...mp4", "..a.mp4"]


@pytest.mark.parametrize(
    ("sizes", "most_videos", "most_bytes", "expected"),
    [
        pytest.param([], 3, 10, [], id="nothing"),
        pytest.param([1], 3, 10, [1], id="one"),
        pytest.param([1] * 6, 3, 100, [3, 3], id="by-count"),
        pytest.param([1] * 7, 3, 100, [3, 3, 1], id="by-count-with-rest"),
        pytest.param([5, 5, 5, 5], 100, 10, [2, 2], id="by-bytes-exactly"),
        pytest.param([9, 9, 1], 100, 10, [2, 1], id="by-bytes-once-reached"),
        pytest.param([50, 1, 50], 100, 10, [1, 2], id="one-large-video"),
        pytest.param([-1, -1, 10, -1], 100, 10, [3, 1], id="unknown-sizes-weigh-nothing"),
        pytest.param([0, 0, 0], 1, 10, [1, 1, 1], id="one-a-part"),
    ],
)
def test_parts_by_hand(sizes: list[int], most_videos: int, most_bytes: int, expected: list[int]) -> None:
    parts = cut_parts(make_videos(sizes), most_videos, most_bytes)
    assert [len(part) for part in parts] == expected


@given(SIZES, st.integers(1, 10), st.integers(1, 120))
def test_parts_are_the_list_and_keep_the_limits(sizes: list[int], most_videos: int, most_bytes: int) -> None:
    videos = make_videos(sizes)
    parts = cut_parts(videos, most_videos, most_bytes)
    assert [video for part in parts for video in part] == videos
    for number, part in enumerate(parts):
        weights = [max(video.size, 0) for video in part]
        assert 1 <= len(part) <= most_videos
        assert sum(weights[:-1]) < most_bytes
        full = len(part) == most_videos or sum(weights) >= most_bytes
        assert full or number == len(parts) - 1


@given(SIZES, st.integers(1, 10), st.integers(1, 120), st.integers(0, 60))
def test_parts_of_a_longer_list_begin_the_same(sizes: list[int], most_videos: int, most_bytes: int, keep: int) -> None:
    videos = make_videos(sizes)
    short, whole = (cut_parts(some, most_videos, most_bytes) for some in (videos[:keep], videos))
    assert whole[: max(len(short) - 1, 0)] == short[:-1]


def test_nothing_committed_plans_everything() -> None:
    parts = plan_parts(make_videos([1] * 5), {}, 2, 100)
    assert cut_ids(parts) == {0: ["000.mp4", "001.mp4"], 1: ["002.mp4", "003.mp4"], 2: ["004.mp4"]}


def test_plan_goes_on_behind_a_committed_prefix() -> None:
    parts = plan_parts(make_videos([1] * 5), {0: ["000.mp4", "001.mp4"]}, 2, 100)
    assert cut_ids(parts) == {1: ["002.mp4", "003.mp4"], 2: ["004.mp4"]}


def test_plan_fills_a_hole_under_its_old_number() -> None:
    parts = plan_parts(make_videos([1] * 5), {0: ["000.mp4", "001.mp4"], 2: ["004.mp4"]}, 2, 100)
    assert cut_ids(parts) == {1: ["002.mp4", "003.mp4"]}


def test_nothing_is_left_when_all_is_committed() -> None:
    assert plan_parts(make_videos([1] * 3), {0: ["000.mp4", "001.mp4"], 1: ["002.mp4"]}, 2, 100) == []


@pytest.mark.parametrize(
    "committed",
    [
        pytest.param({0: ["000.mp4", "002.mp4"], 1: ["004.mp4"]}, id="videos-between"),
        pytest.param({0: ["000.mp4", "gone.mp4"], 1: ["002.mp4", "004.mp4"]}, id="a-video-went"),
        pytest.param({0: ["002.mp4", "000.mp4"], 1: ["004.mp4"]}, id="another-order"),
        pytest.param({1: ["000.mp4", "002.mp4", "004.mp4"]}, id="other-limits"),
    ],
)
def test_changed_list_makes_new_parts_behind_the_last(committed: dict[int, list[str]]) -> None:
    parts = plan_parts(make_videos([1] * 7), committed, 2, 100)
    assert cut_ids(parts) == {2: ["001.mp4", "003.mp4"], 3: ["005.mp4", "006.mp4"]}


def test_appended_video_leaves_a_part_that_was_not_full_as_it_is() -> None:
    parts = plan_parts(make_videos([1] * 4), {0: ["000.mp4", "001.mp4"], 1: ["002.mp4"]}, 2, 100)
    assert cut_ids(parts) == {2: ["003.mp4"]}


@given(SIZES, st.sets(st.integers(0, 60)), st.integers(1, 10), st.integers(1, 120), st.sets(st.integers(0, 20)))
def test_every_video_is_planned_or_committed_exactly_once(
    sizes: list[int], absent: set[int], most_videos: int, most_bytes: int, finished: set[int]
) -> None:
    videos = make_videos(sizes)
    before = [video for number, video in enumerate(videos) if number not in absent]
    first = plan_parts(before, {}, most_videos, most_bytes)
    committed = {part.number: [video.id for video in part.videos] for part in first if part.number in finished}
    parts = plan_parts(videos, committed, most_videos, most_bytes)
    planned = [video.id for part in parts for video in part.videos]
    assert sorted([*planned, *(i for known in committed.values() for i in known)]) == [video.id for video in videos]
    assert not {part.number for part in parts} & committed.keys()
