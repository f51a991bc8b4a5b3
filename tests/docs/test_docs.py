"""The documentation against the code: links, Python examples, command lines, and lists that must be complete."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

from mgmtool import cli, masking, sources
from mgmtool.errors import FAILURE_CLASSES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
END_OF_COMMAND = {"|", "||", "&&", ";", ">", ">>", "<", "&"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path, *languages: str) -> list[str]:
    return [code for language, code in FENCE.findall(page.read_text("utf-8")) if language in languages]


def anchors(page: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def command_lines(page: Path) -> list[str]:
    """Calls of mgmtool in shell examples and in running text, without what follows a pipe."""
    text = page.read_text("utf-8")
    shell = "\n".join(blocks(page, "sh", "text")).replace("\\\n", " ")
    lines = [line.strip() for line in shell.splitlines()]
    inline = re.findall(r"`(mgmtool [^`\n]+)`", FENCE.sub("", text))
    return [line for line in (*lines, *inline) if line.startswith("mgmtool ")]


def commands() -> dict[str, click.Command]:
    context = click.Context(cli.cli)
    found = {name: cli.cli.get_command(context, name) for name in cli.cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def flags(command: click.Command) -> set[str]:
    names = (
        name
        for param in command.params
        if isinstance(param, click.Option)
        for name in param.opts + param.secondary_opts
    )
    return {*names, "-h", "--help"}


@every_page
def test_links_resolve(page):
    for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}: no such file"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}: no such heading"


@every_page
def test_python_examples_parse(page):
    for code in blocks(page, "python"):
        ast.parse(code, filename=str(page))


@every_page
def test_command_lines_exist(page):
    known = commands()
    for line in command_lines(page):
        words = shlex.split(line, comments=True)[1:]
        stop = next((i for i, word in enumerate(words) if word in END_OF_COMMAND), len(words))
        used = {word.split("=")[0] for word in words[:stop] if re.match(r"--?[a-zA-Z0-9]", word)}
        name = words[0] if words[0] in known else None
        if not words[0].startswith("-") and not words[0].isupper():
            assert name is not None, f"{page.name}: {line!r}: no command {words[0]!r}"
        assert used <= flags(known[name] if name else cli.cli), f"{page.name}: {line!r}"


def section(text: str, title: str) -> str:
    """One level-two section of a page, up to the next."""
    return text.partition(f"\n## {title}")[2].partition("\n## ")[0]


def test_every_command_and_option_is_documented():
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for name, command in commands().items():
        assert f"`mgmtool {name}`" in page
        where = section(page, "schemes, sources" if name in {"schemes", "sources"} else name)
        missing = [
            flag for flag in flags(command) - {"-h", "--help"} if not re.search(rf"(?<![\w-]){flag}(?![\w-])", where)
        ]
        assert not missing, f"docs/cli.md says nothing of {missing} of {name}"


def test_every_failure_class_and_exit_code_is_documented():
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert [name for name in FAILURE_CLASSES if f"| `{name}` |" not in page] == []
    assert [code for code in (0, 1, 2, 3, 4, 130, 143) if f"| {code} |" not in section(page, "Exit codes")] == []


def test_every_index_column_is_documented_with_its_type():
    from mgmtool.store.index import SCHEMA

    table = section((ROOT / "docs" / "conventions.md").read_text("utf-8"), "Index columns")
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    documented = {name: kind for names, kind in rows for name in re.findall(r"`(\w+)`", names)}
    assert list(documented) == SCHEMA.names
    arrow = {"double": "float64", "float": "float32"} | dict.fromkeys(
        ("list<item: string>", "list<element: string>"), "list of string"
    )
    for field in SCHEMA:
        assert documented[field.name].split(" or null")[0].strip() == arrow.get(str(field.type), str(field.type)), (
            field.name
        )


def test_every_scheme_and_source_is_in_the_documentation():
    readme = (ROOT / "README.md").read_text("utf-8")
    architecture = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert [name for name in masking.names() if f"| `{name}`" not in readme] == []
    assert [name for name in sources.names() if f"`{name}`" not in architecture] == []
