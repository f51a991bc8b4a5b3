"""What is compared: schemes with their options, on one or more motion sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mgmtool.errors import UsageError
from mgmtool.extraction.contender import Contender
from mgmtool.plugins import SOURCES
from mgmtool.types import ExtractSpec

ORACLE = "oracle"
_BASELINES = ("random", "centre-box")
_SWITCHES = ("picture_check", "border_motion", "appearance")
_DEFAULT = (
    "motion-guided",
    *(f"motion-guided:{switch}=false" for switch in _SWITCHES),
    "motion-guided:border_motion=false,appearance=false",
    "motion-literal",
    "simulated-motion",
    "tube",
)


@dataclass(frozen=True, slots=True)
class Oracle:
    """The row of the table that looks at the ground truth: the best box there is. It has no scheme, and sees no motion."""

    label: str = ORACLE
    moves: bool = False
    volumes: bool = False
    source: str = ""


def default_contenders() -> tuple[str, ...]:
    """Schemes that are compared where none is named: motion-guided, without each of its kinds of evidence, and baselines."""
    return _DEFAULT


def contenders(schemes: Sequence[str], motion: Sequence[str]) -> list[Contender | Oracle]:
    """Read what users name, and add random tokens, the centre box and the oracle.

    Parameters
    ----------
    schemes : sequence of str
        ``NAME`` or ``NAME:KEY=VALUE,KEY=VALUE``.
    motion : sequence of str
        Motion sources, named likewise. A scheme that needs motion is compared on each of them.

    Raises
    ------
    UsageError
        An unknown scheme, source or option, or no source.
    """
    specs = {}
    for origin in motion:
        source, options = SOURCES.parse(origin)
        SOURCES.build(source, options)  # a source that no scheme looks at is checked, too
        specs[origin] = ExtractSpec(source=source, source_options=options)
    if not specs:
        raise UsageError("no motion source; expected at least one")
    first, *others = specs
    found: list[Contender | Oracle] = []
    for name in dict.fromkeys((*schemes, *_BASELINES)):
        contender = Contender.parse(name, specs[first])
        found.append(contender)
        if contender.moves:
            found += [replace(Contender.parse(name, specs[o]), label=f"{name} @ {o}") for o in others]
    return [*found, Oracle()]
