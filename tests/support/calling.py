"""The command line in this process: how a call ended, and what it wrote."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from mgmtool.cli import main


class Ended(NamedTuple):
    """How a call ended."""

    code: int
    out: str
    err: str

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """The events on stdout, one per line; those of some kinds, or all."""
        events = [json.loads(line) for line in self.out.splitlines()]
        return [event for event in events if not kinds or event["event"] in kinds]

    def error(self) -> str:
        """The one line on stderr, where there is nothing on stdout."""
        assert self.out == ""
        (line,) = self.err.splitlines()
        return line.removeprefix("mgmtool: error: ")


Call = Callable[..., Ended]


def exit_code(*arguments: object) -> int:
    """Run a command in this process."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def run(capsys: pytest.CaptureFixture[str], *arguments: object, stdin: bytes = b"") -> Ended:
    """Run a command in this process, and take what it writes."""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = exit_code(*arguments)
    return Ended(code, *capsys.readouterr())
