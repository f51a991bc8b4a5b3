"""A scheme with its options, as comparisons name it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mgmtool.extraction.recipe import Recipe
from mgmtool.plugins import SCHEMES
from mgmtool.types import ExtractSpec


@dataclass(frozen=True, slots=True)
class Contender:
    """One scheme of a comparison.

    Attributes
    ----------
    label : str
        How tables and drawings name it.
    recipe : Recipe
        What makes its masks; its scheme may be for clips only.
    """

    label: str
    recipe: Recipe

    @classmethod
    def parse(cls, text: str, spec: ExtractSpec) -> Contender:
        """Read ``NAME`` or ``NAME:KEY=VALUE,KEY=VALUE``, which becomes the label.

        Parameters
        ----------
        text : str
            Scheme and options.
        spec : ExtractSpec
            Everything else.

        Raises
        ------
        UsageError
            An unknown scheme or option, or a value that does not fit it.
        """
        name, options = SCHEMES.parse(text)
        chosen = replace(spec, scheme=name, scheme_options=options)
        return cls(text, Recipe.of(chosen, clips=True).normalised())

    @property
    def spec(self) -> ExtractSpec:
        """What its masks are made with."""
        return self.recipe.spec

    @property
    def moves(self) -> bool:
        """Whether it looks at motion."""
        return self.recipe.scheme.needs_motion

    @property
    def volumes(self) -> bool:
        """Whether the scheme has mask volumes; if not, it is for clips only."""
        return self.recipe.scheme.volumes

    @property
    def source(self) -> str:
        """How tables name its motion source: sources of one name differ in their options."""
        options = ",".join(f"{key}={value}" for key, value in self.spec.source_options.items())
        return f"{self.spec.source}:{options}" if options else self.spec.source
