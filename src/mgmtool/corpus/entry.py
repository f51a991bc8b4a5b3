"""One video of a manifest."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manifest says of one video.

    Attributes
    ----------
    path : str
        Where the file is, or a URL.
    label : str or None
        Its label, as text.
    extra : str or None
        Further columns, as a JSON object.
    size : int
        Bytes on disk, -1 where the manifest does not say. Where it does, nobody looks at the file itself.
    mtime_ns : int
        Modification time in nanoseconds since the epoch, -1 where unknown.
    """

    path: str
    label: str | None = None
    extra: str | None = None
    size: int = -1
    mtime_ns: int = -1


def merged(first: Entry | None, second: Entry) -> Entry:
    """Make one of what two mentions of a video say: the first to say something is right."""
    if first is None:
        return second
    sized = first if first.size >= 0 else second
    return replace(
        sized,
        path=first.path,
        label=second.label if first.label is None else first.label,
        extra=second.extra if first.extra is None else first.extra,
    )
