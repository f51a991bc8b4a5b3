"""``mgmtool schemes``."""

from __future__ import annotations

from mgmtool import plugins
from mgmtool.cli.console import show_plugins
from mgmtool.cli.options import Json
from mgmtool.cli.records import as_command


@as_command
def command(answer: Json) -> None:
    """List the mask schemes, one line each."""
    show_plugins(plugins.SCHEMES, answer.as_json)
