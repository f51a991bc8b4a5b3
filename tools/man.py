"""Writes the man pages in ``man/`` from the help texts of the commands, with click-man's page."""

from __future__ import annotations

import re
from importlib import metadata
from inspect import cleandoc
from itertools import accumulate
from pathlib import Path

import click
from click_man.man import ManPage

import mgmtool
from mgmtool.cli import cli
from mgmtool.cli.records import RecordCommand

FOLDER = Path(__file__).parent.parent / "man"
CLICK = metadata.version("click")


def pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    top = click.Context(cli, info_name="mgmtool", **cli.context_settings)
    commands = {name: cli.get_command(top, name) for name in cli.list_commands(top)}
    made = {"mgmtool.1": _page(top, {name: _summary(command) for name, command in commands.items() if command})}
    for name, command in commands.items():
        if command is not None and not command.hidden:
            made[f"mgmtool-{name}.1"] = _page(click.Context(command, info_name=name, parent=top), {})
    return made


def _page(ctx: click.Context, commands: dict[str, str]) -> str:
    """Lay out one page; click-man's own function cuts summaries short, and sees no commands that are loaded late."""
    page = ManPage(ctx.command_path)
    page.short_help = _roff(_summary(ctx.command))
    page.synopsis = " ".join(ctx.command.collect_usage_pieces(ctx))
    page.description = _roff(cleandoc(ctx.command.help or ""))
    sections = _sections(ctx)
    page.options = [(flags, _roff(text)) for rows in sections.values() for flags, text in rows]
    title, body = str(page).split("\n", 1)
    if len(sections) > 1:
        head, *entries = body.split(".TP\n")
        firsts = dict(zip(accumulate(map(len, sections.values()), initial=0), sections, strict=False))
        titled = (f".SS {firsts[k].capitalize()}\n.TP\n" if k in firsts else ".TP\n" for k in range(len(entries)))
        body = head + "".join(f"{heading}{entry}" for heading, entry in zip(titled, entries, strict=True))
    name = ctx.command_path.replace(" ", "-")
    title = f'.TH "{name.upper()}" "1" "" "mgmtool {mgmtool.__version__}" "mgmtool manual"'
    note = rf'.\" Written by "make man" with click {CLICK}; do not edit.'
    return f"{note}\n{title}\n{body}{_others(commands)}"


def _sections(ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
    """Return flags and help of the options by heading, as help shows them."""
    if isinstance(ctx.command, RecordCommand):
        return ctx.command.help_sections(ctx)
    records = [
        option.get_help_record(ctx) for option in ctx.command.get_params(ctx) if isinstance(option, click.Option)
    ]
    return {"options": list(filter(None, records))}


def _others(commands: dict[str, str]) -> str:
    """List the pages of the commands, or name the one that does."""
    if not commands:
        return ".SH SEE ALSO\n\\fBmgmtool\\fP(1), which lists the other commands\n"
    items = (f".TP\n\\fBmgmtool\\-{name}\\fP(1)\n{_roff(text)}.\n" for name, text in commands.items())
    return "".join([".SH COMMANDS\n", *items])


def _summary(command: click.Command) -> str:
    """Return the first sentence of a help text."""
    first = " ".join(cleandoc(command.help or "").partition("\n\n")[0].split())
    return re.split(r"\.(?:\s|$)", first)[0]


def _roff(text: str) -> str:
    """Have roff take text as it is: backslashes, hyphens that may be copied into a shell, dots at the start of a line."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)


def main() -> None:
    """Write the pages, and remove those of commands that are gone."""
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for file in FOLDER.glob("*.1"):
        if file.name not in made:
            file.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
