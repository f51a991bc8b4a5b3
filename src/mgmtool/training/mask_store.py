"""A mask store for training: token masks for the very frames and crop a sample uses."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from mgmtool import masking
from mgmtool.errors import UnknownVideoError, UsageError
from mgmtool.masking import Scheme
from mgmtool.store import Store
from mgmtool.store.rows import name_text
from mgmtool.store.videos import VideoName
from mgmtool.training._motion import preload, read_motion
from mgmtool.training._requests import MaskOptions, plain
from mgmtool.training.clips import check_clip, place_clips
from mgmtool.types import Clip, TokenMask, VideoRecord


class MaskStore(Store):
    """A mask store open for a training loader. Made by :func:`open_store`.

    Opening reads a few hundred bytes. The index and the arrays are opened when they are first needed, in the process that needs
    them, so a store can be handed to workers that are forked or spawned. It can be pickled. It knows the videos that were there
    when its index was read; open it again to see parts committed since.

    Attributes
    ----------
    name : str
        Path or URL.
    spec : ExtractSpec
        What the store was made with.
    attributes : dict
        Attributes of the root group.
    """

    @cached_property
    def _schemes(self) -> dict[str, Scheme]:
        """Schemes built so far, by name."""
        return {}

    def __len__(self) -> int:
        return len(self.videos)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids of the videos that are done."""
        return iter(self.videos)

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str | bytes | os.PathLike):
            return False
        try:
            self.videos.find(name)
        except UnknownVideoError:
            return False
        return True

    def __getitem__(self, name: VideoName) -> VideoRecord:
        """Read all that the store holds of a video; raises :class:`~mgmtool.errors.UnknownVideoError`, which is a KeyError."""
        volume, row = self.volume(name), self.videos.row(name)
        energy = None
        if volume.energy is not None and volume.energy_scale is not None:
            energy = volume.energy * volume.energy_scale[:, None, None]
        return VideoRecord(
            id=row["id"],
            path=row["path"],
            num_frames=row["num_frames"],
            fps=row["fps"],
            pts_seconds=volume.pts * (row["time_base_num"] / row["time_base_den"]),
            height=row["height"],
            width=row["width"],
            rotation=row["rotation"],
            mask=volume.mask,
            box=volume.box,
            energy=energy,
            flags=volume.flags,
            index_risk=tuple(row["index_risk"] or ()),
        )

    def preload(self) -> None:
        """Open or unpack now what clips need: under ``cache="ram"``, workers forked afterwards share the memory."""
        preload(self.arrays, self.videos.parts())

    def clip(
        self,
        id: VideoName,  # noqa: A002  what users call it
        frames: Sequence[int],
        *,
        crop: tuple[int, int, int, int] | None = None,
        hflip: bool = False,
        grid: tuple[int, int] = (14, 14),
        tubelet: int = 2,
        ratio: float = 0.75,
        scheme: str | Scheme = "motion-guided",
        seed: int = 0,
        num_frames: int | None = None,
        invert: bool = False,
        keep_visible: float = 0.0,
    ) -> TokenMask:
        """Decide what is hidden in one training sample.

        Parameters
        ----------
        id : str, path or bytes
            Id of the video; or a file name, or a path, that belongs to exactly one.
        frames : sequence of int
            Frame indices, in the order of the sample; repeats are allowed. Their number is a multiple of ``tubelet``.
        crop : (int, int, int, int), optional
            ``(top, left, height, width)`` in pixels of the displayed frame; all of it by default.
        hflip : bool
            The crop is mirrored left to right, last.
        grid : (int, int)
            Rows and columns of tokens over the crop.
        tubelet : int
            Frames of a tubelet.
        ratio : float
            Share of the tokens of every tubelet that is hidden, 0..1.
        scheme : str or Scheme
            Name of a mask scheme, with the options the store was made with if it is the same; or one built by
            :func:`mgmtool.masking.build`.
        seed : int
            With id, frames and crop it decides what is random; give the epoch to have another mask each time.
        num_frames : int, optional
            How many frames the reader of the sample counts: an error if the store counts others, since then the i-th frame of
            one is not that of the other.
        invert : bool
            Hide what the scheme would show.
        keep_visible : float
            Share of the hidden tokens that stays visible, others being hidden instead, 0..1.

        Returns
        -------
        TokenMask
            ``mask`` bool (len(frames) / tubelet, *grid), True = masked, exactly ``round(ratio * rows * cols)`` in every tubelet;
            on average over the tubelets for schemes that are exact over the clip, see :attr:`mgmtool.masking.Scheme.exact`.

        Raises
        ------
        UnknownVideoError
            No video has that name.
        UsageError
            A frame index outside the video, a crop outside the picture, another number of frames, or a scheme the store has
            nothing for.
        """
        return self.batch(
            [Clip(name_text(id), frames, crop, hflip, seed, num_frames)],
            grid=grid,
            tubelet=tubelet,
            ratio=ratio,
            scheme=scheme,
            invert=invert,
            keep_visible=keep_visible,
        )[0]

    def batch(
        self,
        clips: Sequence[Clip],
        *,
        grid: tuple[int, int] = (14, 14),
        tubelet: int = 2,
        ratio: float = 0.75,
        scheme: str | Scheme = "motion-guided",
        invert: bool = False,
        keep_visible: float = 0.0,
    ) -> list[TokenMask]:
        """Decide what is hidden in many training samples at once; the masks are those of :meth:`clip`.

        Parameters
        ----------
        clips : sequence of Clip
            The samples.
        grid, tubelet, ratio, scheme, invert, keep_visible
            As for :meth:`clip`, the same for all samples.
        """
        options, chosen = MaskOptions.of(grid, tubelet, ratio, invert, keep_visible), self._scheme(scheme)
        known = []
        for given in clips:
            clip, rows = plain(given), self.videos.find(given.id)
            motion = read_motion(self.arrays, rows, clip, chosen)
            known.append((motion, options.request(clip, rows, motion.first)))
        try:
            if len({motion.scheme for motion, _ in known}) == 1:
                return place_clips([(motion.motion, request) for motion, request in known], known[0][0].scheme)
            # Another scheme places the clips of parts of which only boxes are stored.
            return [place_clips([(motion.motion, request)], motion.scheme)[0] for motion, request in known]
        except UsageError:
            for clip, (motion, request) in zip(clips, known, strict=True):
                try:
                    check_clip(motion.motion, request)
                except UsageError as error:
                    raise UsageError(f"{clip.id!r}: {error}") from None
            raise

    def _scheme(self, scheme: str | Scheme) -> Scheme:
        if not isinstance(scheme, str):
            return scheme
        if scheme not in self._schemes:
            options = self.spec.scheme_options if scheme == self.spec.scheme else None
            self._schemes[scheme] = masking.build(scheme, options)
        return self._schemes[scheme]


def open_store(
    path: str | Path,
    cache: str | None = None,
    *,
    storage_options: Mapping[str, Any] | None = None,
    cache_folder: str | Path | None = None,
) -> MaskStore:
    """Open a mask store for training or for a look.

    Parameters
    ----------
    path : path or URL
        Folder of the store; ``s3://``, ``gs://``, ``https://`` and whatever else fsspec knows with ``mgmtool[remote]``.
    cache : None, "mmap" or "ram"
        None reads chunks from the store each time. "mmap" unpacks arrays into files once, which all processes of a machine share.
        "ram" unpacks them into memory: 261 bytes a frame with energy on 16x16 cells, 9 without energy.
    storage_options : mapping, optional
        For fsspec, with a URL.
    cache_folder : path, optional
        Where "mmap" keeps its files; by default ``$XDG_CACHE_HOME/mgmtool``.

    Raises
    ------
    StoreError
        There is no mask store there.
    UsageError
        An unknown cache, or a URL without fsspec.
    """
    return MaskStore.open(path, cache, storage_options=storage_options, cache_folder=cache_folder)
