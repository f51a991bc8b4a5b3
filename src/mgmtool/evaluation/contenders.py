"""What is compared: schemes with their options, on one or more motion sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mgmtool import masking, plugins
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

    @property
    def volumes(self) -> bool:
        """Whether it can be placed in a mask volume; the oracle cannot."""
        return self.spec is not None and masking.build(self.spec.scheme, self.spec.scheme_options).volumes

    @property
    def source(self) -> str:
        """How tables name its motion source: sources of one name differ in their options."""
        if self.spec is None:
            return ""
        options = ",".join(f"{key}={value}" for key, value in self.spec.source_options.items())
        return f"{self.spec.source}:{options}" if options else self.spec.source


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
        An unknown scheme, source or option, or no source.
    """
    origins = {origin: _parse(origin, "mgmtool.sources") for origin in motion}
    if not origins:
        raise UsageError("no motion source; expected at least one")
    first = next(iter(origins))
    found: list[Contender] = []
    for name in dict.fromkeys((*schemes, *_BASELINES)):
        scheme, options = _parse(name, "mgmtool.masking")
        moves = masking.build(scheme, options).needs_motion
        for origin in origins if moves else [first]:
            label = name if origin == first else f"{name} @ {origin}"
            found.append(Contender(label, ExtractSpec(scheme, options, *origins[origin])))
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
