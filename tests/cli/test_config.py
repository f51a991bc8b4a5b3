"""``mgmtool config --example``: a file that loads as it is, and with every line switched on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from mgmtool.cli import cli
from support.calling import exit_code

SETTING = re.compile(r"^#(?=[\w-]+ = )", re.MULTILINE)


@pytest.fixture
def example(capsys: pytest.CaptureFixture[str]) -> str:
    assert exit_code("config", "--example") == 0
    return capsys.readouterr().out


def names() -> list[str]:
    return cli.list_commands(click.Context(cli))


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def options(name: str) -> list[click.Option]:
    return [option for option in command(name).params if isinstance(option, click.Option) and not option.hidden]


def test_as_it_is_it_changes_nothing(example: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [line for line in example.splitlines() if not re.fullmatch(r"#.*|\[[\w-]+\]|", line)] == []
    (tmp_path / "c.toml").write_text(example)
    assert exit_code("schemes") == 0
    plain = capsys.readouterr().out
    assert exit_code("--config", str(tmp_path / "c.toml"), "schemes") == 0
    assert capsys.readouterr().out == plain


def test_every_option_of_every_command_is_in_it(example: str) -> None:
    tables = tomllib.loads(SETTING.sub("", example))
    assert set(tables) == {name for name in names() if name != "config" and options(name)}
    for name, table in tables.items():
        assert len(table) == len(options(name)), name


def test_switched_on_every_line_is_taken(example: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "c.toml"
    config.write_text(SETTING.sub("", example))
    context = click.Context(cli)
    assert exit_code("--config", str(config), "sources") == 0
    assert "codec" in capsys.readouterr().out
    from mgmtool.cli._config import load_config

    load_config(context, cli.params[0], config)
    assert context.default_map is not None
    for name in set(context.default_map):
        sub = click.Context(command(name), parent=context, info_name=name)
        for option in options(name):
            option.type_cast_value(sub, sub.lookup_default(str(option.name)))  # raises BadParameter


def test_switched_on_defaults_are_the_defaults(example: str) -> None:
    tables = tomllib.loads(SETTING.sub("", example))
    assert tables["extract"].items() >= {"ratio": 0.75, "energy": True, "grid": "14x14", "timeout": 300}.items()
    assert tables["extract"]["scheme-option"] == ["pool=3"]
    assert tables["visualize"]["output"] == "masks.png"


def test_a_table_of_no_command_names_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text("[extarct]\n")
    assert exit_code("--config", str(tmp_path / "c.toml"), "schemes") == 2
    assert "'extarct' is not a table of a command (did you mean 'extract'?)" in capsys.readouterr().err
