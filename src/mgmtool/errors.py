"""Every exception mgmtool raises on purpose, as one tree.

Each error is also a builtin kind, so callers that know nothing of mgmtool can catch it, and each survives pickling, so it
crosses process borders unchanged. A :class:`VideoError` carries the failure class under which the index lists a video.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Collection
from typing import ClassVar


class MgmtoolError(Exception):
    """Root of every error raised on purpose. The text is one line that names the thing, the value and what was expected."""


class UsageError(MgmtoolError, ValueError):
    """A value given by the caller cannot be used: an unknown scheme, a malformed grid, a bad option."""


class InputError(MgmtoolError, FileNotFoundError):
    """No video was found where the caller pointed."""

    def __str__(self) -> str:
        """Return the message alone; the builtin parent would prepend an errno."""
        return str(self.args[0]) if self.args else ""


class StoreError(MgmtoolError, ValueError):
    """A store cannot be opened, is not ours, or contradicts itself."""


class UnknownVideoError(StoreError, KeyError):
    """A store has no such video, several of that name, or only its failure."""

    def __str__(self) -> str:
        """Return the message as it is; the builtin parent would quote it."""
        return str(self.args[0]) if self.args else ""


class SpecMismatchError(StoreError):
    """A store was made with another specification than the one asked for."""


class StoreBusyError(StoreError):
    """Another driver is writing the same part of a store, or has just committed it."""


class PartCommittedError(StoreBusyError):
    """A part that was to be written has been committed meanwhile."""


class StoreWriteError(MgmtoolError, OSError):
    """Writing a store failed (no space, no permission); what was committed before stays valid."""

    def __str__(self) -> str:
        """Return the message alone; the builtin parent would prepend an errno."""
        return str(self.args[0]) if self.args else ""


class OutputError(MgmtoolError, OSError):
    """A file the caller asked for cannot be written; nothing is left of it, and one that was there is untouched."""

    def __str__(self) -> str:
        """Return the message alone; the builtin parent would prepend an errno."""
        return str(self.args[0]) if self.args else ""


class ScratchError(MgmtoolError, OSError):
    """The folder for temporary files is full, or gone: whatever is tried next would fail, too."""

    def __str__(self) -> str:
        """Return the message alone; the builtin parent would prepend an errno."""
        return str(self.args[0]) if self.args else ""


class WorkerStartError(MgmtoolError, OSError):
    """No worker process can be started here: a limit of the system, or no room for what starts it."""

    def __str__(self) -> str:
        """Return the message alone; the builtin parent would prepend an errno."""
        return str(self.args[0]) if self.args else ""


class GroundTruthError(MgmtoolError, ValueError):
    """The ground truth of a sequence cannot be used: empty, unreadable, or of another length or size than its film."""


class VideoError(MgmtoolError, RuntimeError):
    """One video failed; the others go on.

    Attributes
    ----------
    failure : str
        The failure class written to the index, one of :data:`FAILURE_CLASSES`.
    """

    failure: ClassVar[str] = "decode"


class OpenFailure(VideoError):
    """The container cannot be opened: not a video, damaged beyond its header, or a name that is not a file."""

    failure = "open"


class NoVideoStreamFailure(VideoError):
    """The container opens but holds no video stream."""

    failure = "no_video_stream"


class NoMotionVectorsFailure(VideoError):
    """The video decodes, but its decoder exports no motion vectors, or the stream carries none."""

    failure = "no_motion_vectors"


class NoFramesFailure(VideoError):
    """The container opens and has a video stream, but not one frame could be decoded."""

    failure = "no_frames"


class DecodeFailure(VideoError):
    """Decoding went wrong in a way that leaves nothing usable."""

    failure = "decode"


class TimeoutFailure(VideoError, TimeoutError):
    """The video took longer than the time it was given; its worker was stopped."""

    failure = "timeout"


class CrashFailure(VideoError):
    """The process working on this video died, or met an error nobody foresaw."""

    failure = "crash"


class MemoryFailure(VideoError, MemoryError):
    """The video needed more memory than there was."""

    failure = "memory"


class ReadFailure(VideoError, OSError):
    """The operating system failed to read the file."""

    failure = "io"

    def __str__(self) -> str:
        """Return the message alone; the builtin parent would prepend an errno."""
        return str(self.args[0]) if self.args else ""


class TracksFailure(VideoError):
    """The file of detections or tracks that belongs to this video is missing, or cannot be used."""

    failure = "tracks"


FAILURE_CLASSES = (
    "open",
    "no_video_stream",
    "no_motion_vectors",
    "no_frames",
    "decode",
    "timeout",
    "crash",
    "memory",
    "io",
    "tracks",
)
"""Every failure class, in the order reports list them."""

PASSING = ("memory", "io")
"""Failure classes that were not the video's fault but that of the machine or of the way to the file: the next run tries these
videos again. The others say something of the video: ``timeout`` and ``crash``, too, since a video is tried twice before."""

NO_SPACE = "no space left for temporary files"
"""What a message begins with where a worker found its folder for temporary files full."""

_FULL = {errno.ENOSPC, errno.EDQUOT}


def failure_of(error: BaseException) -> tuple[str, str]:
    """Sort any exception met while working on a video into a failure class.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    failure : str
        One of :data:`FAILURE_CLASSES`.
    message : str
        One line for the index.
    """
    if isinstance(error, VideoError):
        return error.failure, one_line(str(error))
    if isinstance(error, MemoryError):
        return "memory", "out of memory"
    if isinstance(error, OSError):
        return "io", one_line(f"{NO_SPACE}: {error}" if is_full(error) else str(error))
    return "crash", one_line(f"{type(error).__name__}: {error}")


def is_full(error: OSError) -> bool:
    """Whether an error of the system says that a disk or a quota is full; what only reads is never told so."""
    return error.errno in _FULL


def did_you_mean(name: str, known: Collection[str], alike: float = 0.6) -> str:
    """Name the known word that is nearest to an unknown one, for the end of a message; nothing where none is near.

    Parameters
    ----------
    name : str
        The unknown word.
    known : collection of str
        The words there are.
    alike : float
        Least likeness, from 0 to 1, as :mod:`difflib` has it.
    """
    match = difflib.get_close_matches(name, known, n=1, cutoff=alike)
    return f" (did you mean {one_line(match[0])!r}?)" if match else ""


def one_line(text: str) -> str:
    """Fold white space and escape control characters, so that a message is one harmless line on any terminal."""
    folded = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in folded)
