"""What checking a store finds, and how far the check has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a store.

    Attributes
    ----------
    kind : str
        ``attributes``, ``record``, ``missing``, ``row``, ``id``, ``file``, ``checksum``, ``array``, ``frame``, ``open``,
        ``litter``, ``index`` or ``unchecked``.
    severity : str
        ``error``: the store is damaged. ``note``: readers are not affected.
    message : str
        One line: what was found, and what was expected.
    part : int or None
        Part in which it is.
    file : str or None
        File, relative to the store.
    id : str or None
        Id of the video it concerns.
    """

    kind: str
    severity: str
    message: str
    part: int | None = None
    file: str | None = None
    id: str | None = None

    @property
    def where(self) -> str:
        """The file and the id it concerns; the part where there is no file."""
        part = [f"part {self.part}"] if self.part is not None and self.file is None else []
        names = [self.file, None if self.id is None else repr(self.id)]
        return " ".join([*part, *(name for name in names if name is not None)])


@dataclass(slots=True)
class VerifyProgress:
    """How far a check has come.

    Attributes
    ----------
    parts, of_parts : int
        Parts checked, and those there were at the start.
    videos, frames : int
        Videos that count, failed ones included, and the frames of all parts.
    files, bytes : int
        Files looked at, and bytes read and compared with a checksum.
    """

    parts: int = 0
    of_parts: int = 0
    videos: int = 0
    frames: int = 0
    files: int = 0
    bytes: int = 0


def error(
    kind: str, message: str, part: int | None = None, *, file: str | None = None, video: str | None = None
) -> Finding:
    """Make a finding of damage; ``video`` is the id of one."""
    return Finding(kind, "error", message, part, file, video)


def note(kind: str, message: str, part: int | None = None, *, file: str | None = None) -> Finding:
    """Make a finding that affects no reader."""
    return Finding(kind, "note", message, part, file)
