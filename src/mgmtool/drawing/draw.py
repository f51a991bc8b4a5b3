"""Draw the masks of a video: of one scheme, or of several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mgmtool import sources
from mgmtool.drawing.contenders import Contender, clip_masks, masks_of, times_of
from mgmtool.drawing.footage import Footage
from mgmtool.drawing.outputs import OutputOptions, check_output
from mgmtool.drawing.overlay import Layers
from mgmtool.drawing.scene import DrawnScheme, Scene
from mgmtool.errors import UsageError
from mgmtool.sources import Source
from mgmtool.types import DecodeOptions, MaskVolume, VideoRef


def visualize(
    video: str | Path,
    output: str | Path,
    *,
    volume: MaskVolume,
    layers: Layers | None = None,
    frames: int = 12,
    max_side: int | None = None,
    fps: float | None = None,
    motion: Source | None = None,
    reading: DecodeOptions | None = None,
) -> Path:
    """Draw the masks of a video on its frames.

    The suffix of the output selects the kind. ``.mp4``: a video of every frame. ``.gif``: an animation that loops forever, of
    evenly spaced frames, at most 600. ``.png``: a contact sheet. Memory does not grow with the length of the video.

    Parameters
    ----------
    video : path
        A local video file.
    output : path
        File to write; it appears once it is complete.
    volume : MaskVolume
        Masks of every frame of this very video.
    layers : Layers, optional
        What to draw; by default all but arrows.
    frames : int
        Frames on a contact sheet; evenly spaced, each in the middle of its share of the video.
    max_side : int, optional
        Longest side of each frame in pixels; by default 1280 for mp4, 480 for gif, and what fills a sheet 1600 pixels wide for
        png. Videos and animations are never enlarged.
    fps : float, optional
        Frames per second. Of an mp4: its speed; by default that of the video. Of a gif: how many frames of each second are
        kept, by default and at most 12.5.
    motion : Source, optional
        Where arrows come from; by default ``auto``. Used only if there are arrows to draw.
    reading : DecodeOptions, optional
        Which stream is drawn, and the limits of the file; use those of the masks.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    UsageError
        An output of an unknown kind, a number out of range, or a volume whose number of frames is not that of the video.
    OutputError
        The output cannot be written.
    VideoError
        The video cannot be read, or arrows were asked for and it has no motion vectors.
    """
    target, options = Path(output), OutputOptions(frames, max_side, fps)
    check_output(video, target)
    options.check()
    if not len(volume):
        raise UsageError("the masks cover 0 frames; expected those of a video")
    footage = Footage.of(str(video), reading or DecodeOptions(), volume.pts, motion or sources.build("auto"))
    return Scene(footage, [DrawnScheme(partial(_whole, volume))], layers or Layers(), options).write(target)


def compare(
    video: VideoRef,
    output: str | Path,
    compared: Sequence[Contender],
    *,
    layers: Layers | None = None,
    frames: int = 6,
    max_side: int | None = None,
    fps: float | None = None,
) -> Path:
    """Draw the masks of several schemes on the same frames.

    The suffix of the output selects the kind. ``.png``: a strip of evenly spaced frames for each scheme. ``.mp4``, ``.gif``: a
    video or an animation with a panel for each scheme. The video is decoded once for each scheme that has mask volumes, and
    once for its frames, which are held one at a time for an mp4. Schemes for clips only hide tokens of the frames that are
    shown: on a sheet, those are one clip, each frame a tubelet; in a video or an animation, every 16 are a clip of 8 tubelets.

    Parameters
    ----------
    video : VideoRef
        A local video file; random choices depend on its id.
    output : path
        File to write; it appears once it is complete.
    compared : sequence of Contender
        The schemes, see :func:`mgmtool.drawing.read_contenders`; all with the same source and reading.
    layers : Layers, optional
        What to draw; by default all but arrows, hidden patches dark.
    frames : int
        Frames in each strip of a sheet.
    max_side : int, optional
        Longest side of each frame in pixels; by default what fills a sheet 1600 pixels wide, and what makes a video at most
        1920 and an animation at most 720 wide.
    fps : float, optional
        As in :func:`mgmtool.drawing.visualize`.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    UsageError
        No scheme to compare, an output of an unknown kind, or a number out of range.
    OutputError
        The output cannot be written.
    VideoError
        The video cannot be read, or a scheme cannot be used on it.
    """
    target, options = Path(output), OutputOptions(frames, max_side, fps)
    check_output(video.path, target)
    options.check()
    if not compared:
        raise UsageError("no scheme to compare; expected at least one")
    spec = compared[0].spec
    volumes = masks_of(video, compared)
    known = next((volume for volume in volumes if volume is not None), None)
    times = times_of(video, spec) if known is None else known
    footage = Footage.of(video.path, spec.reading, times.pts, sources.build(spec.source, spec.source_options))
    schemes = [
        DrawnScheme(partial(clip_masks, video, contender, times), contender.label, clips_only=True)
        if volume is None
        else DrawnScheme(partial(_whole, volume), contender.label)
        for contender, volume in zip(compared, volumes, strict=True)
    ]
    return Scene(footage, schemes, layers or Layers(dark=True), options).write(target)


def _whole(volume: MaskVolume, *_: object) -> MaskVolume:
    """Return masks that do not depend on the frames that are shown."""
    return volume
