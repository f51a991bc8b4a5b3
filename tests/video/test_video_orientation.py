"""The container's display matrix decides; frames that say otherwise are an index risk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgmtool.types import Orientation
from mgmtool.video.pictures import read_pictures
from mgmtool.video.reader import read_video
from support.base_clip import HEIGHT, WIDTH, remux, write_clip

SEI = "h264_metadata=display_orientation=insert:"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("plain") / "base.mp4")


def seen(path: Path) -> tuple[Orientation, tuple[str, ...]]:
    with read_video(str(path)) as opened:
        for _ in opened.frames:
            pass
        return opened.info.orientation, opened.index_risk()


@pytest.mark.parametrize("statement", ["flip=horizontal", "flip=vertical", "rotate=90", "rotate=180"])
def test_what_frames_say_turns_nothing_but_is_a_risk(statement: str, plain: Path, tmp_path: Path) -> None:
    stated = remux(plain, tmp_path / "a.mp4", SEI + statement)
    assert seen(stated) == (Orientation(), ("frame_orientation",))
    first, same = (next(read_pictures(str(path))).rgb for path in (plain, stated))
    assert first.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(first, same)


@pytest.mark.parametrize("statement", ["", "rotate=180", "flip=horizontal"])
def test_the_matrix_of_the_container_is_followed(statement: str, plain: Path, tmp_path: Path) -> None:
    turned = remux(plain, tmp_path / "a.mp4", SEI + statement if statement else "", rotation=90)
    orientation, risks = seen(turned)
    assert orientation == Orientation(transpose=True, flip_y=True)
    assert risks == (("frame_orientation",) if statement else ())
    picture = next(read_pictures(str(turned))).rgb
    np.testing.assert_array_equal(picture, orientation.picture(next(read_pictures(str(plain))).rgb))


def test_frames_that_say_what_the_container_says_are_no_risk(plain: Path, tmp_path: Path) -> None:
    turned = remux(plain, tmp_path / "a.mp4", SEI + "rotate=90", rotation=90)
    orientation, risks = seen(turned)
    assert orientation.transpose
    assert risks == ()
