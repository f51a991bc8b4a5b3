"""What is compared: schemes with their options, on one or more motion sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgmtool import masking, plugins, sources
from mgmtool.errors import UsageError
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
class Contender:
    """One row of the table.

    Attributes
    ----------
    label : str
        How tables name it.
    spec : ExtractSpec or None
        Scheme and source; None for the oracle, which looks at the truth.
    """

    label: str
    spec: ExtractSpec | None

    @property
    def moves(self) -> bool:
        """Whether it looks at motion."""
        return self.spec is not None and masking.build(self.spec.scheme, self.spec.scheme_options).needs_motion


def default_contenders() -> tuple[str, ...]:
    """Schemes that are compared where none is named: motion-guided, without each of its kinds of evidence, and baselines."""
    return _DEFAULT


def contenders(schemes: Sequence[str], motion: Sequence[str]) -> list[Contender]:
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
        An unknown scheme, source or option.
    """
    found: list[Contender] = []
    for name in dict.fromkeys((*schemes, *_BASELINES)):
        scheme, options = _parse(name, "mgmtool.masking")
        needed = motion if masking.build(scheme, options).needs_motion else motion[:1]
        for origin in needed:
            source, source_options = _parse(origin, "mgmtool.sources")
            sources.build(source, source_options)
            spec = ExtractSpec(scheme, options, source, source_options)
            found.append(Contender(name if origin == motion[0] else f"{name} @ {origin}", spec))
    return [*found, Contender(ORACLE, None)]


def _parse(text: str, family: str) -> tuple[str, dict[str, object]]:
    """Split a name from its options and bring those to their types."""
    name, colon, rest = text.partition(":")
    given = dict(_pair(item, text) for item in rest.split(",")) if colon else {}
    built = plugins.options(plugins.build(family, name, given))
    return name, {key: built[key] for key in (k.replace("-", "_") for k in given)}


def _pair(item: str, text: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not (key and equals):
        raise UsageError(f"{text!r}: {item!r}; expected NAME or NAME:KEY=VALUE,KEY=VALUE")
    return key.strip(), value.strip()
