"""A spec with its plug-ins built: resolved once, and handed to whatever needs the scheme or the source."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from mgmtool import masking, plugins, sources
from mgmtool.errors import UsageError
from mgmtool.masking import Scheme
from mgmtool.sources import Source
from mgmtool.types import ExtractSpec


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an extraction does, checked and ready to use. Picklable: it goes to the workers as it is.

    Attributes
    ----------
    spec : ExtractSpec
        What was asked for.
    scheme : Scheme
        The mask scheme that the spec names, with its options.
    source : Source
        The motion source that the spec names, with its options.
    """

    spec: ExtractSpec
    scheme: Scheme
    source: Source

    @classmethod
    def of(cls, spec: ExtractSpec | Recipe, *, clips: bool = False) -> Recipe:
        """Build the plug-ins that a spec names; a recipe is returned as it is.

        Parameters
        ----------
        spec : ExtractSpec or Recipe
            What to extract.
        clips : bool
            Whether a scheme that is for clips only will do.

        Raises
        ------
        UsageError
            An unknown scheme, source or option, a ratio out of range, or a scheme that has no mask volumes.
        """
        if isinstance(spec, Recipe):
            return spec
        scheme = masking.build(spec.scheme, spec.scheme_options)
        source = sources.build(spec.source, spec.source_options)
        if not (scheme.volumes or clips):
            raise UsageError(
                f"scheme is {spec.scheme!r}, which is for clips; expected one that every frame of a video can have"
            )
        try:
            _ = spec.layout
        except ValueError as error:
            raise UsageError(str(error)) from None
        return cls(spec, scheme, source)

    def normalised(self) -> Recipe:
        """Return the recipe with the options of its spec in their types, so that ``c=8`` and ``c=8.0`` are one spec."""
        spec = dataclasses.replace(
            self.spec,
            scheme_options=plugins.chosen_options(self.scheme, self.spec.scheme_options),
            source_options=plugins.chosen_options(self.source, self.spec.source_options),
        )
        return dataclasses.replace(self, spec=spec)

    @property
    def stores_energy(self) -> bool:
        """Whether a store of this recipe has energy: the spec wants it, and the scheme finds some."""
        return self.spec.energy and self.scheme.needs_motion
