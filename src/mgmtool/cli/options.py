"""Every option that more than one command has, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from mgmtool.types import ExtractSpec, PatchGrid

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    _GridParam = click.ParamType["PatchGrid"]
    _PairParam = click.ParamType[tuple[str, str]]
else:  # click before 8.4 knows no type arguments
    _GridParam = _PairParam = click.ParamType


class GridType(_GridParam):
    """``HxW``."""

    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PatchGrid:
        """Read a grid or say what was expected."""
        from mgmtool.types import PatchGrid

        if isinstance(value, PatchGrid):
            return value
        try:
            return PatchGrid.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class KeyValueType(_PairParam):
    """``KEY=VALUE``."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first equals sign or say what was expected."""
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not (key and equals):
            self.fail(f"{value!r}; expected KEY=VALUE, for example smoothness=0.01", param, ctx)
        return key.strip(), text.strip()


SPEC = {
    "scheme": click.option(
        "--scheme", default="motion-guided", show_default=True, help="Mask scheme; see mgmtool schemes."
    ),
    "scheme_option": click.option(
        "--scheme-option", type=KeyValueType(), multiple=True, help="Option of the scheme; may be repeated."
    ),
    "source": click.option("--source", default="codec", show_default=True, help="Motion source; see mgmtool sources."),
    "source_option": click.option(
        "--source-option", type=KeyValueType(), multiple=True, help="Option of the source; may be repeated."
    ),
    "grid": click.option(
        "--grid", type=GridType(), default="14x14", show_default=True, help="Patches over the whole frame."
    ),
    "ratio": click.option(
        "--ratio", type=click.FloatRange(0, 1), default=0.75, show_default=True, help="Share of the patches to hide."
    ),
    "seed": click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random."),
}
"""Options that make up an :class:`~mgmtool.types.ExtractSpec`."""

json_output = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
"""For commands that answer with one table."""


def spec_options(command: F) -> F:
    """Add every option of :data:`SPEC`, in its order."""
    for option in reversed(SPEC.values()):
        command = option(command)
    return command


def make_spec(**values: Any) -> ExtractSpec:
    """Build the spec from the values of :func:`spec_options` and any further fields of :class:`ExtractSpec`.

    The options of plug-ins are checked and brought to their types, so that ``c=8`` and ``c=8.0`` are the same spec.
    """
    from mgmtool import masking, plugins, sources
    from mgmtool.types import ExtractSpec

    families = {"scheme": masking, "source": sources}
    for kind, family in families.items():
        given = dict(values.pop(f"{kind}_option"))
        built = plugins.options(family.build(values[kind], given))
        values[f"{kind}_options"] = {key.replace("-", "_"): built[key.replace("-", "_")] for key in given}
    return ExtractSpec(**values)
