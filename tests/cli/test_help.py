"""Help: options in sections, nothing hidden, nothing too wide; and options that mean the same in every command."""

from __future__ import annotations

import dataclasses
import re

import click
import pytest

from mgmtool.cli import cli
from mgmtool.cli.options import Inputs, Masks, Running, StoreMasks
from mgmtool.cli.records import SECTIONS, RecordCommand, argument, as_command, option, record

LONG = ["evaluate", "export", "extract", "probe", "repair", "report", "verify", "visualize"]
"""Commands that take long, and draw progress."""


def names() -> list[str]:
    return cli.list_commands(click.Context(cli))


def command(name: str) -> RecordCommand:
    found = cli.get_command(click.Context(cli), name)
    assert isinstance(found, RecordCommand)
    return found


def help_of(name: str, columns: int = 80) -> str:
    ctx = click.Context(command(name), info_name=name, terminal_width=columns, help_option_names=["-h", "--help"])
    return command(name).get_help(ctx)


def flag(name: str, long: str) -> click.Option:
    return next(p for p in command(name).params if isinstance(p, click.Option) and long in p.opts)


def test_extract_has_its_options_in_sections() -> None:
    headings = re.findall(r"^(\w+):$", help_of("extract"), re.MULTILINE)
    assert headings == ["Inputs", "Masks", "Running", "Failures", "Output"]
    assert list(command("extract").help_sections(click.Context(command("extract")))) == [
        section for section in SECTIONS if section != "drawing"
    ]


@pytest.mark.parametrize("name", names())
def test_help_hides_no_option(name: str) -> None:
    text = help_of(name)
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert all(re.search(rf"(?<![\w-]){opt}(?![\w-])", text) for opt in parameter.opts), parameter.opts


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("name", names())
def test_help_keeps_to_the_width(name: str, columns: int) -> None:
    assert max(map(len, help_of(name, columns).splitlines())) <= columns


def test_all_sections_have_one_column_of_help() -> None:
    options = help_of("extract").partition("Inputs:")[2]
    starts = {match.end() for match in re.finditer(r"^  -.*?  (?=\S)", options, re.MULTILINE)}
    assert {start - options.rfind("\n", 0, start) for start in starts} == {31}


@pytest.mark.parametrize("name", LONG)
def test_progress_and_quiet_are_the_same_in_every_long_command(name: str) -> None:
    for long in ("--progress", "--quiet"):
        assert flag(name, long).to_info_dict() == flag("extract", long).to_info_dict()


def test_shared_options_are_declared_once() -> None:
    assert issubclass(StoreMasks, Masks)
    for name in ("probe", "list"):
        for long in ("--manifest", "--root", "--limit"):
            assert flag(name, long).to_info_dict() == flag("extract", long).to_info_dict()


def test_a_record_gets_what_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    @record("inputs")
    class Words:
        words: tuple[str, ...] = argument(nargs=-1)
        most: int = option("--most", type=click.IntRange(1), default=2, last=True, help="Most words.")
        loud: bool = option("--loud", section="output", is_flag=True, help="In capitals.")

    def shout(words: Words) -> int:
        """Print words."""
        assert isinstance(words, Words)
        text = " ".join(words.words[: words.most])
        click.echo(text.upper() if words.loud else text)
        return 3

    shout.__annotations__ = {"words": Words, "return": int}  # the class is of this function only
    made = as_command(shout)
    assert made.name == "test_help"
    assert made.main(["a", "b", "c", "--loud"], standalone_mode=False) == 3
    assert capsys.readouterr().out == "A B\n"
    assert made.sections == {"most": "inputs", "loud": "output"}
    with pytest.raises(click.UsageError):
        made.main(["--most", "0"], standalone_mode=False)


def test_records_are_frozen() -> None:
    inputs = Inputs(inputs=("a",), manifest=(), root=None, limit=None, path_column=None, nul=False)
    with pytest.raises(AttributeError):
        inputs.limit = 3  # type: ignore[misc]
    assert Running.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_two_records_cannot_have_one_name() -> None:
    @record("output")
    class Other:
        limit: int = option("--most", help="Most videos.")

    def both(inputs: Inputs, other: Other) -> None:
        """Take both."""

    both.__annotations__ = {"inputs": Inputs, "other": Other}
    with pytest.raises(TypeError, match="the same name"):
        as_command(both)


def test_the_defaults_of_the_options_are_those_of_the_library() -> None:
    from mgmtool.types import ExtractSpec

    made = command("extract")
    context = made.make_context("extract", ["v", "-o", "m.zarr"])
    given = {field.name: context.params[field.name] for field in dataclasses.fields(StoreMasks)}
    assert StoreMasks(**given).store_recipe().spec == ExtractSpec()
