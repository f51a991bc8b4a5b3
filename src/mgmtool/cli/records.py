"""Commands whose options are the fields of records.

An option is declared once, as a field of a record: its type is what the command sees, its value here is what click reads.
A command is a function of such records; the annotations of its parameters say which options it has::

    @record("inputs")
    class Inputs:
        limit: int | None = option("--limit", type=click.IntRange(1), help="Take only the first N videos.")

    @as_command
    def command(inputs: Inputs) -> int:
        '''Count videos.'''
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

import click
from click.core import ParameterSource

T = TypeVar("T")

SECTIONS = ("inputs", "masks", "drawing", "running", "failures", "output")
"""Headings of a help page, in the order in which it has them."""

_FLAG_COLUMNS = 26
"""Columns that a help page keeps for flags; longer ones stand on a line of their own."""


@dataclass
class _Declared:
    """A parameter as a field declares it; without a section of its own, it has that of its record."""

    make: Callable[..., click.Parameter]
    flags: tuple[str, ...]
    section: str | None = None
    last: bool = False


def option(*flags: str, section: str | None = None, last: bool = False, **attributes: Any) -> Any:
    """Declare an option as a field of a record.

    Parameters
    ----------
    *flags : str
        As :class:`click.Option` has them; the name in Python is that of the field.
    section : str, optional
        Heading under which help shows it; by default that of the record.
    last : bool
        Whether it belongs at the end of its section, as an option that few people need.
    **attributes
        Passed to :class:`click.Option`. A default is shown unless ``show_default`` says otherwise.
    """
    if attributes.get("default") is not None and not attributes.get("is_flag"):
        attributes.setdefault("show_default", True)
    make = functools.partial(click.Option, **attributes)
    return dataclasses.field(metadata={"declared": _Declared(make, flags, section, last)})


def argument(**attributes: Any) -> Any:
    """Declare an argument as a field of a record; attributes are those of :class:`click.Argument`."""
    return dataclasses.field(metadata={"declared": _Declared(functools.partial(click.Argument, **attributes), ())})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option, argument))
def record(section: str) -> Callable[[type[T]], type[T]]:
    """Turn a class of declared options into a frozen record.

    Parameters
    ----------
    section : str
        Heading under which help shows its options, one of :data:`SECTIONS`.
    """

    def decorate(made: type[T]) -> type[T]:
        for value in vars(made).values():
            if isinstance(value, dataclasses.Field):
                declared = value.metadata["declared"]
                declared.section = declared.section or section
        return dataclass(frozen=True, kw_only=True)(made)

    return decorate


class RecordCommand(click.Command):
    """A command whose help shows options under the headings of their records.

    Parameters
    ----------
    sections : mapping
        Name of each option to its heading.
    **attributes
        Passed to :class:`click.Command`.
    """

    def __init__(self, *, sections: dict[str, str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.sections = sections

    def help_sections(self, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
        """Return the flags and the help of every option by heading; under ``options`` if there is only one heading."""
        rows: dict[str, list[tuple[str, str]]] = {}
        single, section = len(set(self.sections.values())) < 2, "options"
        for parameter in self.get_params(ctx):
            shown = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if shown is not None:
                # --help is of no record; it stands at the end of the last section.
                section = "options" if single else self.sections.get(str(parameter.name), section)
                rows.setdefault(section, []).append(shown)
        return rows

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options section by section, all in columns of one width."""
        sections = self.help_sections(ctx)
        width = min(max(len(flags) for rows in sections.values() for flags, _ in rows), _FLAG_COLUMNS)
        for name, rows in sections.items():
            # write_dl goes by the longest flags that it is given: pad those of a row that fits.
            short = next((number for number, (flags, _) in enumerate(rows) if len(flags) <= width), 0)
            rows[short] = rows[short][0].ljust(width), rows[short][1]
            with formatter.section(name.capitalize()):
                formatter.write_dl(rows, col_max=width)


def as_command(function: Callable[..., int | None]) -> RecordCommand:
    """Make a command of a function of records, named like its module; what the function returns is the exit code.

    Raises
    ------
    TypeError
        Two records have a field of the same name.
    """
    hints = typing.get_type_hints(function)
    kinds: dict[str, type[Any]] = {name: kind for name, kind in hints.items() if name != "return"}
    fields = [field for kind in kinds.values() for field in dataclasses.fields(kind)]
    declared = {field.name: field.metadata["declared"] for field in fields}
    if len(declared) < len(fields):
        raise TypeError(f"{function.__module__}: two records have a field of the same name")
    sections = {name: made.section for name, made in declared.items() if made.flags}

    def place(item: tuple[str, _Declared]) -> tuple[int, bool]:
        """Arguments come first, in their order; then options by section."""
        _, made = item
        return (SECTIONS.index(made.section) if made.flags else -1, made.last)

    def callback(**given: Any) -> None:
        made = {
            name: kind(**{field.name: given[field.name] for field in dataclasses.fields(kind)})
            for name, kind in kinds.items()
        }
        code = function(**made)
        if code:
            click.get_current_context().exit(code)

    return RecordCommand(
        name=function.__module__.rpartition(".")[2],
        help=function.__doc__,
        callback=callback,
        params=[made.make([*made.flags, name]) for name, made in sorted(declared.items(), key=place)],
        sections=sections,
    )


def given_flags(names: Collection[str]) -> str:
    """Name those of these options that stand on the command line, in its order, with commas between."""
    ctx = click.get_current_context()
    given = [name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    return ", ".join(f"--{name.replace('_', '-')}" for name in given if name in names)
