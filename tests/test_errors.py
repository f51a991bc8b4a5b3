"""Errors cross process borders unchanged, are builtin kinds, and read as one harmless line."""

from __future__ import annotations

import copy
import errno
import inspect
import pickle

import pytest

from mgmtool import errors
from mgmtool.errors import FAILURE_CLASSES, MgmtoolError, VideoError, failure_of, one_line

EVERY = sorted(
    (kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MgmtoolError)),
    key=lambda kind: kind.__name__,
)
OF_VIDEOS = [kind for kind in EVERY if issubclass(kind, VideoError)]

every_error = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)


@every_error
def test_errors_survive_pickling(kind: type[MgmtoolError]) -> None:
    error = kind("grid is 'x'; expected HxW")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert again.args == error.args
        assert str(again) == "grid is 'x'; expected HxW"
        assert getattr(again, "failure", None) == getattr(kind, "failure", None)


@every_error
def test_errors_are_builtin_kinds(kind: type[MgmtoolError]) -> None:
    builtin = [base for base in kind.__mro__ if base.__module__ == "builtins"]
    assert kind is MgmtoolError or builtin[0] is not Exception


@every_error
def test_errors_without_a_message_still_read(kind: type[MgmtoolError]) -> None:
    assert str(kind()) == ""


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("UsageError", ValueError),
        ("InputError", FileNotFoundError),
        ("StoreError", ValueError),
        ("SpecMismatchError", ValueError),
        ("StoreWriteError", OSError),
        ("VideoError", RuntimeError),
        ("TimeoutFailure", TimeoutError),
        ("MemoryFailure", MemoryError),
        ("ReadFailure", OSError),
    ],
)
def test_who_knows_nothing_of_mgmtool_can_catch(name: str, builtin: type[Exception]) -> None:
    with pytest.raises(builtin, match=r"^why$"):
        raise getattr(errors, name)("why")


def test_every_failure_class_has_one_error() -> None:
    leaves = [kind.failure for kind in OF_VIDEOS if kind is not VideoError]
    assert sorted(leaves) == sorted(FAILURE_CLASSES)


@pytest.mark.parametrize("kind", OF_VIDEOS, ids=lambda kind: kind.__name__)
def test_failures_name_their_own_class(kind: type[VideoError]) -> None:
    assert failure_of(kind("two\nlines")) == (kind.failure, "two lines")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(MemoryError(), ("memory", "out of memory"), id="memory"),
        pytest.param(OSError(errno.EIO, "Input/output error"), ("io", "[Errno 5] Input/output error"), id="io"),
        pytest.param(PermissionError("no"), ("io", "no"), id="permission"),
        pytest.param(ZeroDivisionError("by zero"), ("crash", "ZeroDivisionError: by zero"), id="unforeseen"),
        pytest.param(KeyError("a\nb"), ("crash", "KeyError: 'a\\nb'"), id="key"),
        pytest.param(errors.UsageError("bad"), ("crash", "UsageError: bad"), id="usage"),
        pytest.param(KeyboardInterrupt(), ("crash", "KeyboardInterrupt:"), id="interrupt"),
    ],
)
def test_any_exception_has_a_failure_class(error: BaseException, expected: tuple[str, str]) -> None:
    assert failure_of(error) == expected
    assert expected[0] in FAILURE_CLASSES


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("plain", "plain", id="plain"),
        pytest.param("  a \t b\r\nc\u2028d\u00a0e ", "a b c d e", id="white-space"),
        pytest.param("\x1b[31mred\x07", "\\x1b[31mred\\x07", id="terminal"),
        pytest.param("a\x00b\x7f\x9bc", "a\\x00b\\x7f\\x9bc", id="controls"),
        pytest.param("evil\u202etxt", "evil\\u202etxt", id="right-to-left"),
        pytest.param("lone \udcff", "lone \\udcff", id="surrogate"),
        pytest.param("видео 動画 🎬", "видео 動画 🎬", id="any-language"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_messages_become_one_harmless_line(text: str, line: str) -> None:
    assert one_line(text) == line
    assert one_line(line) == line
    assert one_line(text).isprintable()
    one_line(text).encode()
