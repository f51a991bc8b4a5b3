"""Lists of paths, one a line, as training codebases write them: alone, or with labels behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?:[ ,;\t]+(.*))?')
_DIGITS = "0123456789"


def split_line(line: str, extensions: tuple[str, ...], exists: Callable[[str], bool]) -> tuple[str, str | None]:
    """Tell a path from the label behind it.

    After a tab anything may be a label. After spaces and commas only integers are: a path may have spaces and commas itself. How
    many of the integers at the end are labels is decided by the name that is left, which ends like a video. If no such name does,
    the first counts that is there: the whole line, the line less its last integer, and so on; if none is, the last integer is
    the label.

    Parameters
    ----------
    line : str
        Without its end, and without white space there.
    extensions : tuple of str
        Endings of videos, in lower case.
    exists : callable
        Whether a path exists; asked only where no name ends like a video.

    Returns
    -------
    path : str
    label : str or None
    """
    if "\t" in line:
        names = list(_before_tabs(line))
        name = next(_videos(names, extensions), names[0])
        return name, line[len(name) :].strip() or None
    names = [line, *_before_integers(line)]
    name = next(_videos(names, extensions), None) or _there(names, exists)
    return name, line[len(name) :].lstrip(" ,") or None


def split_quoted(line: str, extensions: tuple[str, ...], exists: Callable[[str], bool]) -> tuple[str, str | None]:
    """Do the same for a line of a csv file without header, where a path may be in quotes."""
    quoted = _QUOTED.fullmatch(line)
    if quoted is None:
        return split_line(line, extensions, exists)
    return quoted[1].replace('""', '"'), quoted[2] or None


def _videos(names: list[str], extensions: tuple[str, ...]) -> Iterator[str]:
    return (name for name in names if name.lower().endswith(extensions))


def _there(names: list[str], exists: Callable[[str], bool]) -> str:
    """Return the first name that exists, or the line less its last integer."""
    if len(names) == 1:
        return names[0]
    return next(filter(exists, names), names[1])


def _before_tabs(line: str) -> Iterator[str]:
    """Beginnings of a line that end at a tab, the shortest first, and the whole line."""
    stop = line.find("\t", len(line) - len(line.lstrip()))
    while stop >= 0:
        yield line[:stop].rstrip(" ")
        stop = line.find("\t", stop + 1)
    yield line


def _before_integers(line: str) -> Iterator[str]:
    """Yield the line less its last integer, less its last two, and so on."""
    while True:
        rest = line.rstrip(_DIGITS)
        if rest == line:
            return
        signless = rest[:-1] if rest.endswith(("+", "-")) else rest
        line = signless.rstrip(" ,")
        if line == signless or not line:
            return
        yield line
