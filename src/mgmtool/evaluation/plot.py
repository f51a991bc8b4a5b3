"""Recall per sequence and scheme, as a picture."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mgmtool.errors import OutputError, UsageError, one_line
from mgmtool.evaluation.summary import ContenderScores, Summary
from mgmtool.files import written_whole

FORMATS = (".png", ".svg", ".pdf")
_MARKERS = "os^Dv<>phX*P"
_NO_DATE: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Equal comparisons make equal files."""
_LINE_INCHES, _WIDTH_INCHES = 0.42, 10.0


def check_plot(path: Path) -> None:
    """Say early what would go wrong late.

    Raises
    ------
    UsageError
        The ending is none that can be drawn, or matplotlib is not installed.
    OutputError
        There is no folder to write to, or the file is a folder.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"plot is {str(path)!r}; expected a name that ends in {', '.join(FORMATS)}")
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError("a plot needs matplotlib, which is not installed; pip install 'mgmtool[plot]'")
    if path.is_dir() or not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: expected a file in a folder that is there")


def draw(summary: Summary, path: Path) -> None:
    """Draw recall against the sequences, one panel a box, one mark a contender, with the means at the bottom.

    Parameters
    ----------
    summary : Summary
        What to draw.
    path : Path
        File to write: .png, .svg or .pdf.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure  # no pyplot: nothing global, no window system

    boxes = list(dict.fromkeys(row.box for row in summary.rows))
    lines = len(summary.rows[0].sequences) + 1
    figure = Figure(figsize=(_WIDTH_INCHES, len(boxes) * (1.6 + _LINE_INCHES * lines)), layout="constrained")
    panels = figure.subplots(len(boxes), 1, squeeze=False)[:, 0]
    for panel, box in zip(panels, boxes, strict=True):
        _panel(panel, box, [row for row in summary.rows if row.box == box])
    panels[0].legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False)
    kind = path.suffix.lower()[1:]
    with written_whole(path) as partial, rc_context({"svg.hashsalt": "mgmtool"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a script that the font does not know
        figure.savefig(partial, format=kind, dpi=150, metadata=_NO_DATE.get(kind))


def _panel(panel: Any, box: str, rows: Sequence[ContenderScores]) -> None:
    names = [*rows[0].sequences, "mean"]
    for number, row in enumerate(rows):
        recalls = [*(numbers["recall"] for numbers in row.sequences.values()), row.mean["recall"]]
        marker = _MARKERS[number % len(_MARKERS)]
        oracle = row.seconds is None
        panel.plot(
            recalls,
            range(len(names)),
            linestyle="none",
            marker="|" if oracle else marker,
            markersize=14 if oracle else 6,
            color="black" if oracle else f"C{number % 10}",
            alpha=0.85,
            label=_plain(row.label),
        )
    panel.set_yticks(range(len(names)), [_plain(one_line(name)) for name in names])
    panel.invert_yaxis()
    panel.axhline(len(names) - 1.5, color="0.6", linewidth=0.8)
    panel.set_xlim(0.0, 1.02)
    panel.set_xlabel("share of the object that is hidden (recall)")
    panel.set_title(f"box {box} tokens", loc="left", fontsize=10)
    panel.grid(axis="x", color="0.9")


def _plain(text: str) -> str:
    """Keep a name from being read as a formula."""
    return text.replace("$", r"\$")
