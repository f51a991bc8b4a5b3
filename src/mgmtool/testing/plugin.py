"""What every plug-in keeps, whatever its kind."""

from __future__ import annotations

import dataclasses
import json
import pickle
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from mgmtool import plugins
from mgmtool.plugins import Family

Test = TypeVar("Test", bound=Callable[..., None])


def cases(**values: Collection[Any] | Callable[[Any], Collection[Any]]) -> Callable[[Test], Test]:
    """Run a test of a contract once for each of these values of an argument.

    Parameters
    ----------
    **values
        Argument of the test to its values, or to a function that takes the test's object and returns them.
    """

    def mark(test: Test) -> Test:
        test.cases = values  # type: ignore[attr-defined]
        return test

    return mark


class PluginContract:
    """Tests of any plug-in.

    Attributes
    ----------
    family : Family
        The kind of plug-in; each contract sets its own.
    names : sequence
        The plug-ins to test.
    options : mapping of str to mapping
        Options that :meth:`build` gives the plug-in of a name, by default none.
    """

    family: ClassVar[Family[Any]]
    names: ClassVar[Sequence[str]] = ()
    options: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Give every test the names, and whatever :func:`cases` says."""
        values = {"name": self.names, **getattr(metafunc.function, "cases", {})}
        for argument, given in values.items():
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, list(given(self) if callable(given) else given))

    def build(self, name: str, **options: Any) -> Any:
        """Return the plug-in of a name."""
        return self.family.build(name, {**self.options.get(name, {}), **options})

    def test_the_name_is_found_and_can_be_written_on_a_command_line(self, name: str) -> None:
        assert name in self.family.names()
        assert self.family.names() == sorted(self.family.names())
        assert not name.startswith(("-", "_"))
        assert not set(name) & set("_:,= ")

    def test_the_plugin_is_frozen_and_has_a_summary(self, name: str) -> None:
        plugin: Any = self.family.load(name)
        assert dataclasses.is_dataclass(plugin)
        assert vars(plugin)["__dataclass_params__"].frozen
        assert self.family.summary(name).endswith((".", ")"))

    def test_the_options_have_defaults_and_build_the_plugin_again(self, name: str) -> None:
        built = self.build(name)
        options = json.loads(json.dumps(plugins.options(built)))
        assert dataclasses.MISSING not in plugins.default_options(type(built)).values()
        assert self.family.build(name, options) == built
        as_text = {key: "none" if value is None else str(value) for key, value in options.items()}
        assert self.family.build(name, as_text) == built

    def test_unknown_options_are_refused(self, name: str) -> None:
        import pytest

        from mgmtool.errors import UsageError

        with pytest.raises(UsageError, match=f"^{name} has no option 'no-such-option'"):
            self.family.build(name, {"no-such-option": 1})

    def test_the_plugin_goes_to_other_processes(self, name: str) -> None:
        built = self.build(name)
        assert pickle.loads(pickle.dumps(built)) == built  # noqa: S301  our own
        assert self.family.name_of(built) == name
