"""Every option that more than one command has, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mgmtool.cli import _completion

if TYPE_CHECKING:
    from mgmtool.engines import Engine
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.types import DecodeOptions, PatchGrid

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    _GridParam = click.ParamType["PatchGrid"]
    _PairParam = click.ParamType[tuple[str, str]]
    _PlaceParam = click.ParamType[str | Path]
else:  # click before 8.4 knows no type arguments
    _GridParam = _PairParam = _PlaceParam = click.ParamType


class GridType(_GridParam):
    """``HxW``."""

    name = "HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PatchGrid:
        """Read a grid or say what was expected."""
        from mgmtool.types import PatchGrid

        if isinstance(value, PatchGrid):
            return value
        try:
            return PatchGrid.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class KeyValueType(_PairParam):
    """``KEY=VALUE``."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first equals sign or say what was expected."""
        from mgmtool.errors import UsageError
        from mgmtool.plugins import parse_pair

        if isinstance(value, tuple):
            return value
        try:
            return parse_pair(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class PlaceType(_PlaceParam):
    """A path, or a URL, which stays the text it is: a path has no two slashes in a row.

    Parameters
    ----------
    **checks
        What :class:`click.Path` checks of a path.
    """

    name = "path or URL"

    def __init__(self, **checks: Any) -> None:
        self._path = click.Path(path_type=Path, **checks)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | Path:
        """Keep a URL, and turn anything else into a path."""
        text = str(value)
        return text if "://" in text else Path(self._path.convert(value, param, ctx))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[_completion.Item]:
        """Offer files where no folder will do, else stores."""
        return (_completion.stores if self._path.dir_okay else _completion.files)(ctx, param, incomplete)


_FROM_1 = click.IntRange(1, 2**31 - 1)

READING = {
    "stream": click.option(
        "--stream",
        type=click.IntRange(0),
        help="Number of the video stream among all streams, from 0.  [default: the first that is no picture]",
    ),
    "strict": click.option("--strict", is_flag=True, help="Fail a video with corrupt frames or lost packets."),
    "max_pixels": click.option(
        "--max-pixels", type=_FROM_1, default=2**27, show_default=True, help="Fail a video of larger pictures."
    ),
    "max_frames": click.option(
        "--max-frames", type=_FROM_1, default=10_000_000, show_default=True, help="Fail a video of more frames."
    ),
}
"""Options that make up a :class:`~mgmtool.types.DecodeOptions`."""

SPEC = {
    "scheme": click.option(
        "--scheme",
        default="motion-guided",
        show_default=True,
        shell_complete=_completion.plugin_names("mgmtool.masking"),
        help="Mask scheme; see mgmtool schemes.",
    ),
    "scheme_option": click.option(
        "--scheme-option", type=KeyValueType(), multiple=True, help="Option of the scheme; may be repeated."
    ),
    "source": click.option(
        "--source",
        default="auto",
        show_default=True,
        shell_complete=_completion.plugin_names("mgmtool.sources"),
        help="Motion source; see mgmtool sources.",
    ),
    "source_option": click.option(
        "--source-option", type=KeyValueType(), multiple=True, help="Option of the source; may be repeated."
    ),
    "grid": click.option(
        "--grid", type=GridType(), default="14x14", show_default=True, help="Patches over the whole frame."
    ),
    "ratio": click.option(
        "--ratio", type=click.FloatRange(0, 1), default=0.75, show_default=True, help="Share of the patches to hide."
    ),
    "seed": click.option("--seed", type=int, default=0, show_default=True, help="Seed of everything random."),
    **READING,
}
"""Options that make up an :class:`~mgmtool.types.ExtractSpec`."""

progress = click.option(
    "--progress",
    type=click.Choice(["auto", "bar", "plain", "none"]),
    default="auto",
    show_default=True,
    help="auto draws a bar on a terminal and prints a line every 30 s elsewhere.",
)
json_output = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
"""For commands that answer with one table."""


ENGINE = {
    "engine": click.option(
        "--engine",
        default="local",
        show_default=True,
        shell_complete=_completion.plugin_names("mgmtool.engines"),
        help="Who does the work: local (processes), ray (a cluster), inline, or an installed one.",
    ),
    "engine_option": click.option(
        "--engine-option", type=KeyValueType(), multiple=True, help="Option of the engine; may be repeated."
    ),
    "workers": click.option(
        "--workers", default="auto", show_default=True, help="Processes of the local engine, or in each task of Ray."
    ),
    "timeout": click.option(
        "--timeout", type=float, help="Seconds a video may take on the local engine.  [default: 300]"
    ),
    "retries": click.option(
        "--retries", type=int, help="Further tries for a video that has cost its worker.  [default: 1]"
    ),
    "worker_memory": click.option(
        "--worker-memory", help="Memory a worker may take: auto, none, or a size such as 4GB.  [default: auto]"
    ),
    "ray_address": click.option(
        "--ray-address",
        metavar="ADDRESS",
        help="Ray cluster: host:port, auto, or local.  [default: $RAY_ADDRESS, a running one, or a new one here]",
    ),
}
"""Options that make up an engine."""

INPUTS = {
    "nul": click.option("-0", "nul", is_flag=True, help="Paths on stdin (INPUT -) end with NUL, not with a newline."),
    "root": click.option(
        "--root", type=click.Path(file_okay=False), help="Folder, or URL of one, to which ids are relative."
    ),
    "manifest": click.option(
        "--manifest",
        type=click.Path(),
        multiple=True,
        help="File that lists videos: .txt, .csv, .tsv, .jsonl or .parquet; may be repeated.",
    ),
    "path_column": click.option("--path-column", help="Column of the manifest that holds paths."),
    "limit": click.option("--limit", type=click.IntRange(1), help="Take only the first N videos of the ordered list."),
}
"""Options that say what INPUT means."""


def spec_options(command: F) -> F:
    """Add every option of :data:`SPEC`, in its order."""
    return _with(SPEC, command)


def reading_options(command: F) -> F:
    """Add every option of :data:`READING`, in its order."""
    return _with(READING, command)


def engine_options(command: F) -> F:
    """Add every option of :data:`ENGINE`, in its order."""
    return _with(ENGINE, command)


def input_options(command: F) -> F:
    """Add every option of :data:`INPUTS`, in its order."""
    return _with(INPUTS, command)


def _with(options: Mapping[str, Callable[[F], F]], command: F) -> F:
    for option in reversed(list(options.values())):
        command = option(command)
    return command


def make_recipe(**values: Any) -> Recipe:
    """Build spec, scheme and source from the values of :func:`spec_options` and further fields of :class:`ExtractSpec`.

    The options of plug-ins are checked and brought to their types, so that ``c=8`` and ``c=8.0`` are the same spec.
    """
    from mgmtool.extraction.recipe import Recipe
    from mgmtool.types import ExtractSpec

    for kind in ("scheme", "source"):
        values[f"{kind}_options"] = dict(values.pop(f"{kind}_option"))
    reading = make_reading(**{name: values.pop(name) for name in READING})
    return Recipe.of(ExtractSpec(**values, reading=reading)).normalised()


def make_reading(**values: Any) -> DecodeOptions:
    """Build the reading from the values of :func:`reading_options`."""
    from mgmtool.types import DecodeOptions

    return DecodeOptions(**values)


def make_engine(engine: str, engine_option: Sequence[tuple[str, str]] = (), **flags: Any) -> Engine:
    """Build the engine from the values of :func:`engine_options`; an option that it does not have is an error."""
    from mgmtool import engines

    if flags.get("workers") == "auto":  # the default of every engine
        flags["workers"] = None
    flags["address"] = flags.pop("ray_address", None)
    return engines.build(engine, merge_options("engine", engine_option, flags, {"address": "ray-address"}))


def merge_options(
    kind: str, pairs: Sequence[tuple[str, str]], flags: Mapping[str, Any], spelling: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Put the options of a plug-in together: those given as ``KEY=VALUE``, and those that have a flag of their own.

    Parameters
    ----------
    kind : str
        ``"engine"`` or ``"format"``.
    pairs : sequence of (str, str)
        Values of ``--engine-option`` or ``--format-option``.
    flags : mapping
        Option to the value of its flag; None where the flag was not given.
    spelling : mapping, optional
        Option to the name of its flag, where they differ.

    Raises
    ------
    UsageError
        An option was given both ways.
    """
    from mgmtool.errors import UsageError

    given = {name: value for name, value in flags.items() if value is not None}
    for name, text in {key.replace("-", "_"): value for key, value in pairs}.items():
        if name in given:
            flag = (spelling or {}).get(name, name.replace("_", "-"))
            raise UsageError(f"--{flag} and --{kind}-option {name}={text} are the same option; expected one of them")
        given[name] = text
    return given
