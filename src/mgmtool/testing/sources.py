"""What every motion source keeps, on a video whose motion is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from mgmtool.errors import VideoError, failure_of
from mgmtool.plugins import Family
from mgmtool.sources import SOURCES
from mgmtool.testing.plugin import PluginContract, cases
from mgmtool.types import FrameMotion, VideoFacts, VideoInfo, VideoRef

NOT_A_VIDEO = {"empty": b"", "text": b"This is no video.\n" * 100, "zeros": bytes(4096), "missing": None}
"""Contents of files that are no videos; None is no file."""


class Read(NamedTuple):
    """All that a source says of a video."""

    info: VideoInfo
    frames: list[FrameMotion]
    facts: VideoFacts


class SourceContract(PluginContract):
    """Tests of motion sources. A subclass says where the video is, and what is in it: content that moves evenly, without cuts.

    Attributes
    ----------
    names : sequence of str
        The sources to test.
    frames, height, width : int
        Frames of the video, and the displayed size in pixels.
    step : (float, float)
        Pixels (y, x) by which the content moves per frame.
    luma : bool
        Whether frames have mean luma; without, no scene cut can be found.
    """

    family: ClassVar[Family[Any]] = SOURCES
    frames: ClassVar[int]
    height: ClassVar[int]
    width: ClassVar[int]
    step: ClassVar[tuple[float, float]]
    luma: ClassVar[bool] = True

    def video(self, name: str) -> Path:
        """Return the path of the video, in the form that the source of a name reads."""
        raise NotImplementedError

    def read(self, name: str, path: Path | None = None, *, motion: bool = True, luma: bool = True) -> Read:
        """Read a whole video, by default the one of this test."""
        video = path or self.video(name)
        with self.build(name).open(VideoRef(video.name, str(video)), motion=motion, luma=luma) as stream:
            frames = list(stream.frames)
            return Read(stream.info, frames, stream.facts())

    def test_frames_come_numbered_and_in_order(self, name: str) -> None:
        frames = self.read(name).frames
        assert [frame.index for frame in frames] == list(range(self.frames))
        assert (np.diff([frame.pts for frame in frames]) > 0).all()
        assert frames[0].key_frame
        assert not any(frame.corrupt for frame in frames)

    def test_shapes_follow_from_frame_and_cell(self, name: str) -> None:
        info, frames, _ = self.read(name)
        assert (info.height, info.width) == (self.height, self.width)
        for frame in frames:
            assert (frame.height, frame.width) == (self.height, self.width)
            rows, cols = -(-self.height // frame.cell), -(-self.width // frame.cell)
            found = (frame.displacement, frame.coverage, frame.luma)
            shapes = [None if field is None else field.shape for field in found]
            assert shapes == [(rows, cols, 2), (rows, cols), (2 * rows, 2 * cols) if self.luma else None]

    def test_fields_are_finite_and_in_range(self, name: str) -> None:
        for frame in self.read(name).frames:
            assert frame.displacement is not None
            assert frame.coverage is not None
            assert (frame.luma is not None) == self.luma
            for field in (frame.displacement, frame.coverage, frame.luma):
                assert field is None or (field.dtype == np.float32 and np.isfinite(field).all())
            assert ((frame.coverage >= 0) & (frame.coverage <= 1)).all()
            assert not frame.displacement[frame.coverage == 0].any()
            if frame.luma is not None:
                assert ((frame.luma >= 0) & (frame.luma <= 255)).all()

    def test_frames_have_arrays_of_their_own(self, name: str) -> None:
        first, second, *_ = self.read(name).frames
        for one, other in ((first.displacement, second.displacement), (first.coverage, second.coverage)):
            assert one is not None
            assert other is not None
            assert not np.shares_memory(one, other)

    @cases(motion=[False, True], luma=[False, True])
    def test_only_what_is_asked_for_is_there(self, name: str, motion: bool, luma: bool) -> None:
        full = self.read(name).frames
        for frame, whole in zip(self.read(name, motion=motion, luma=luma).frames, full, strict=True):
            for field, wanted in {"displacement": motion, "coverage": motion, "luma": luma and self.luma}.items():
                found = getattr(frame, field)
                assert (found is not None) == wanted
                if wanted:
                    np.testing.assert_array_equal(found, getattr(whole, field))

    def test_facts_are_complete_at_the_end(self, name: str) -> None:
        info, frames, facts = self.read(name)
        assert facts.info == info
        assert facts.source
        assert facts.num_frames == len(frames) == self.frames
        assert facts.vector_frames == sum(frame.has_vectors for frame in frames)
        assert facts.corrupt_frames == facts.lost_packets == 0
        assert facts.index_risk == ()

    def test_displacement_is_where_content_went(self, name: str) -> None:
        moving = [frame for frame in self.read(name).frames if frame.has_vectors]
        assert moving
        for frame in moving:
            assert frame.displacement is not None
            assert frame.coverage is not None
            usual = np.median(frame.displacement[frame.coverage > 0], axis=0)
            np.testing.assert_allclose(usual, self.step, atol=0.5)

    @cases(content=NOT_A_VIDEO)
    def test_what_is_no_video_cannot_be_opened(self, name: str, content: str, tmp_path: Path) -> None:
        import pytest

        path, data = tmp_path / "file.mp4", NOT_A_VIDEO[content]
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(VideoError) as caught:
            self.read(name, path)
        assert failure_of(caught.value)[0] == "open"

    def test_folders_are_no_videos(self, name: str, tmp_path: Path) -> None:
        import pytest

        with pytest.raises(VideoError) as caught:
            self.read(name, tmp_path)
        assert failure_of(caught.value)[0] in {"open", "io"}

    @cases(error=[OSError(28, "No space left on device"), KeyError("x"), ValueError("x")])
    def test_errors_of_the_caller_pass_unchanged(self, name: str, error: Exception) -> None:
        import pytest

        video = VideoRef("clip", str(self.video(name)))
        with pytest.raises(type(error)) as caught, self.build(name).open(video, motion=True, luma=True):
            raise error
        assert caught.value is error

    def test_files_are_known_by_their_ending(self, name: str) -> None:
        endings = self.build(name).extensions
        assert self.video(name).name.endswith(endings)
        assert all(ending.startswith(".") and ending == ending.lower() for ending in endings)
