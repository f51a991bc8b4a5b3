"""Types of values on a command line that click does not have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mgmtool.cli import completion
from mgmtool.errors import UsageError
from mgmtool.plugins import parse_pair

if TYPE_CHECKING:
    from mgmtool.types import PatchGrid

    _GridParam = click.ParamType[PatchGrid]
    _PairParam = click.ParamType[tuple[str, str]]
    _PlaceParam = click.ParamType[str | Path]
else:  # click before 8.4 knows no type arguments
    _GridParam = _PairParam = _PlaceParam = click.ParamType


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
        try:
            return parse_pair(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class PlaceType(_PlaceParam):
    """A path or a URL. A URL stays text, because a path cannot hold two slashes in a row.

    Parameters
    ----------
    **checks
        What :class:`click.Path` checks of a path.
    """

    name = "path or URL"

    def __init__(self, **checks: Any) -> None:
        self._path = click.Path(path_type=Path, **checks)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | Path:
        """Keep a URL, and turn anything else into a path."""
        from mgmtool.storage import is_url

        text = str(value)
        return text if is_url(text) else Path(self._path.convert(value, param, ctx))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[completion.Item]:
        """Offer files where a folder is not accepted, else stores."""
        return (completion.stores if self._path.dir_okay else completion.files)(ctx, param, incomplete)
