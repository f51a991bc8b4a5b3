"""Find, build and describe plug-ins: mask schemes, motion sources, engines and export formats.

Each kind of plug-in is a :class:`Family`. A built-in plug-in is a file in the package of its family: the module binds a frozen
dataclass to ``PLUGIN``, whose fields are the options and whose docstring begins with the one-line summary. Nothing is
registered: to add a scheme, add a file. Other packages offer plug-ins through the entry-point group of the family.
docs/adding.md shows both, and :mod:`mgmtool.testing` has the tests that every plug-in should pass.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import pkgutil
import sys
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from mgmtool.errors import UsageError, did_you_mean, one_line

Plugin = TypeVar("Plugin")

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


@dataclasses.dataclass(frozen=True)
class Family(Generic[Plugin]):
    """All plug-ins of one kind.

    Attributes
    ----------
    kind : str
        What messages call one of them, for example ``"scheme"``.
    package : str
        Package whose modules are the built-in plug-ins, for example ``"mgmtool.masking"``.
    group : str
        Entry-point group in which other packages offer theirs, for example ``"mgmtool.schemes"``.
    """

    kind: str
    package: str
    group: str

    def names(self) -> list[str]:
        """List the plug-ins, built-in and installed ones, sorted; imports none of them.

        Returns
        -------
        list of str
            Names as users write them: ``motion_guided.py`` is ``"motion-guided"``, an entry point keeps its name.
        """
        return sorted({*self._built_in(), *self._installed()})

    def load(self, name: str) -> type[Plugin]:
        """Import one plug-in and return its class.

        Raises
        ------
        UsageError
            There is no plug-in of that name (the message lists those there are), two packages offer one of that name, or the
            package that offers it cannot be imported.
        """
        built_in, installed = name in self._built_in(), self._installed().get(name, [])
        if not built_in and not installed:
            known = self.names()
            raise UsageError(
                f"unknown {self.kind} {name!r}{did_you_mean(name, known)}; expected one of: {', '.join(known)}"
            )
        if built_in + len(installed) > 1:
            owners = ["mgmtool itself"] * built_in + [f"the package {_owner(entry)}" for entry in installed]
            raise UsageError(
                f"{self.kind} {name!r} is offered by {' and by '.join(owners)}; expected one: remove or update "
                f"{_owner(installed[-1])}"
            )
        if built_in:
            plugin: type[Plugin] = importlib.import_module(f"{self.package}.{name.replace('-', '_')}").PLUGIN
            return plugin
        return self._import(installed[0])

    def build(self, name: str, options: Mapping[str, Any] | None = None) -> Plugin:
        """Make one plug-in with its options.

        Parameters
        ----------
        name : str
            One of :meth:`names`.
        options : mapping, optional
            Field name to value; text is converted to the type of the field. Hyphens in a name count as underscores.

        Raises
        ------
        UsageError
            See :meth:`load`; or an unknown option, or a value that does not fit the option's type or range.
        """
        plugin = self.load(name)
        known = sorted(default_options(plugin))
        hints = typing.get_type_hints(plugin)
        values = {}
        for key, value in (options or {}).items():
            field = key.replace("-", "_")
            if field not in known:
                expected = ", ".join(known) or "no options"
                raise UsageError(f"{name} has no option {key!r}{did_you_mean(field, known)}; it has: {expected}")
            values[field] = convert(value, hints[field], f"{name} option {field}")
        return plugin(**values)

    def summary(self, name: str) -> str:
        """Return the first line of a plug-in's docstring. Raises what :meth:`load` does."""
        return (self.load(name).__doc__ or "").strip().splitlines()[0]

    def name_of(self, plugin: object) -> str:
        """Return the name under which a built plug-in can be built again; its class where there is none."""
        kind = type(plugin)
        if kind.__module__.startswith(f"{self.package}."):
            return kind.__module__.rpartition(".")[2].replace("_", "-")
        value = f"{kind.__module__}:{kind.__qualname__}"
        return next((name for name, entries in self._installed().items() if entries[0].value == value), value)

    def parse(self, text: str) -> tuple[str, dict[str, str]]:
        """Read ``NAME`` or ``NAME:KEY=VALUE,KEY=VALUE``.

        Returns
        -------
        name : str
            Not looked up; :meth:`build` does.
        options : dict of str to str
            For :meth:`build`.

        Raises
        ------
        UsageError
            Something after the colon is not ``KEY=VALUE``.
        """
        name, colon, listed = text.partition(":")
        pairs = listed.split(",") if colon else []
        for pair in pairs:
            if not _is_pair(pair):
                raise UsageError(
                    f"{self.kind} {text!r} has {pair!r}; expected NAME or NAME:KEY=VALUE,KEY=VALUE, "
                    "for example motion-guided:pool=3"
                )
        return name.strip(), dict(map(parse_pair, pairs))

    def _built_in(self) -> list[str]:
        package = importlib.util.find_spec(self.package)
        folders = None if package is None else package.submodule_search_locations
        if folders is None:
            raise ModuleNotFoundError(f"no package {self.package!r}", name=self.package)
        modules = (module.name for module in pkgutil.iter_modules(folders))
        return [name.replace("_", "-") for name in modules if name[0] != "_" and name != "base"]

    def _installed(self) -> Mapping[str, list[EntryPoint]]:
        return _entry_points(self.group, tuple(sys.path))

    def _import(self, entry: EntryPoint) -> type[Plugin]:
        what = f"{self.kind} {entry.name!r} of the package {_owner(entry)}"
        try:
            plugin: type[Plugin] = entry.load()
        except Exception as error:
            reason = one_line(f"{type(error).__name__}: {error}")
            raise UsageError(f"{what} cannot be imported: {reason}") from error
        if not (isinstance(plugin, type) and dataclasses.is_dataclass(plugin)):
            raise UsageError(f"{what} is {one_line(entry.value)!r}; expected a frozen dataclass, as in module:Class")
        return plugin


SCHEMES: Family[Any] = Family("scheme", "mgmtool.masking", "mgmtool.schemes")
SOURCES: Family[Any] = Family("source", "mgmtool.sources", "mgmtool.sources")
ENGINES: Family[Any] = Family("engine", "mgmtool.engines", "mgmtool.engines")
FORMATS: Family[Any] = Family("format", "mgmtool.export", "mgmtool.formats")
"""The families, for callers that list names without importing what the plug-ins need; the package of each has it typed."""

FAMILIES: Mapping[str, Family[Any]] = {family.package: family for family in (SCHEMES, SOURCES, ENGINES, FORMATS)}
"""Each family by its package."""


@cache
def _entry_points(group: str, _path: tuple[str, ...]) -> Mapping[str, list[EntryPoint]]:
    """Entry points by name; looked up again where ``sys.path`` has changed, since a look takes milliseconds."""
    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=group):
        found.setdefault(entry.name, []).append(entry)
    return found


def _owner(entry: EntryPoint) -> str:
    return "without a name" if entry.dist is None else repr(entry.dist.name)


def default_options(plugin: type[Any]) -> dict[str, Any]:
    """Return the options of a plug-in's class with their defaults; :data:`dataclasses.MISSING` where one has none."""
    return {field.name: field.default for field in dataclasses.fields(plugin)}


def options(plugin: object) -> dict[str, Any]:
    """Return the options of a built plug-in as plain values, defaults included, ready for JSON."""
    return {field.name: getattr(plugin, field.name) for field in dataclasses.fields(plugin)}  # type: ignore[arg-type]


def chosen_options(plugin: object, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those options of a built plug-in that were given, under their own names and in their types.

    So ``c=8`` and ``c=8.0``, or ``sigma-min`` and ``sigma_min``, come out as the same.
    """
    built = options(plugin)
    return {name: built[name] for name in (key.replace("-", "_") for key in given)}


def parse_pair(text: str) -> tuple[str, str]:
    """Read ``KEY=VALUE``; spaces around both are dropped.

    Raises
    ------
    UsageError
        There is no equals sign, or nothing before it.
    """
    if not _is_pair(text):
        raise UsageError(f"{text!r}; expected KEY=VALUE, for example smoothness=0.01")
    key, _, value = text.partition("=")
    return key.strip(), value.strip()


def _is_pair(text: str) -> bool:
    key, equals, _ = text.partition("=")
    return bool(key.strip() and equals)


def convert(value: Any, hint: Any, what: str) -> Any:
    """Turn text into the annotated type of an option.

    Parameters
    ----------
    value : object
        Text from a command line, or a value that already has the right type.
    hint : type
        ``bool``, ``int``, ``float``, ``str``, or one of them ``| None``.
    what : str
        How an error names the option.

    Raises
    ------
    UsageError
        The text does not read as that type.
    """
    if isinstance(hint, types.UnionType):
        if value is None or (isinstance(value, str) and value in {"none", "auto"}):
            return None
        hint = next(arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    try:
        return _READERS.get(hint, hint)(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{what} is {value!r}; expected {_KINDS.get(hint, hint)}") from None


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in _TRUE | _FALSE:
        raise ValueError(text)
    return text in _TRUE


def _whole(value: Any) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return int(value)


_READERS: dict[Any, Callable[[Any], Any]] = {bool: _boolean, int: _whole}
