"""Draw numbers as SVG text to embed in a page; colours come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from numpy.typing import NDArray

from mgmtool.types import Int64

_WIDTH, _HEIGHT = 440, 196
_LEFT, _TOP, _FLOOR = 6, 24, 150
_HEAT_SIDE, _HEAT_HIGH = 280, 210


def upper_labels(edges: Sequence[float], factor: float = 1) -> list[str]:
    """Label the bins of :class:`~mgmtool.report.bounded.Bins`: each by its upper edge, the last by the edge below it."""
    texts = [f"{edge * factor:.4g}" for edge in edges]
    return [*texts, f">{texts[-1]}"]


def histogram(counts: Int64, labels: Sequence[str], axis: str, noun: str) -> str:
    """Draw columns, each with its share above and its label below.

    Parameters
    ----------
    counts : int64 (bins,)
        How many there are of each.
    labels : sequence of str
        One per bin.
    axis : str
        What the labels measure.
    noun : str
        What is counted.
    """
    total, highest = max(int(counts.sum()), 1), max(int(counts.max()), 1)
    room = (_WIDTH - 2 * _LEFT) / len(counts)
    columns = [
        _column(_LEFT + number * room, room, count / highest, count / total, label, f"{count:,} {noun}, {axis} {label}")
        for number, (count, label) in enumerate(zip(counts.tolist(), labels, strict=True))
    ]
    line = f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{_FLOOR}" y2="{_FLOOR}"/>'
    words = f'<text class="axis-name" x="{_WIDTH / 2:g}" y="{_HEIGHT - 8}">{escape(axis)}</text>'
    return _svg(_WIDTH, _HEIGHT, f"Histogram of {int(counts.sum()):,} {noun}: {axis}", "".join(columns) + line + words)


def _column(left: float, room: float, height: float, share: float, label: str, words: str) -> str:
    middle, tall = left + room / 2, round((_FLOOR - _TOP) * height, 1)
    tall = max(tall, 1.0) if share else 0.0
    shown = (
        f'<text class="value" x="{middle:.1f}" y="{_FLOOR - tall - 5:.1f}">{short_share(share)}</text>' if share else ""
    )
    bar = f'<rect class="bar" x="{left + 2:.1f}" y="{_FLOOR - tall:.1f}" width="{room - 4:.1f}" height="{tall:.1f}" rx="2"/>'
    name = f'<text class="label" x="{middle:.1f}" y="{_FLOOR + 16}">{escape(label)}</text>'
    return f"<g><title>{escape(words)}</title>{bar}{shown}{name}</g>"


def short_share(share: float) -> str:
    """Write a share in at most four letters: ``0``, ``<1%``, ``7%``, ``>99%``."""
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{share:.0%}"


def heat_map(counts: Int64, total: int) -> str:
    """Draw how many boxes contain each point of the frame; the frame is drawn 4 by 3, whatever its shape.

    Parameters
    ----------
    counts : int64 (rows, cols)
        Boxes that contain each point.
    total : int
        All boxes.
    """
    shares: NDArray[Any] = counts / max(total, 1)
    rows, cols = shares.shape
    high, wide = _HEAT_HIGH / rows, _HEAT_SIDE / cols
    cells = [
        f'<rect x="{col * wide:g}" y="{row * high:g}" width="{wide:g}" height="{high:g}" '
        f'fill-opacity="{share:.3f}"><title>{share:.1%}</title></rect>'
        for row, line in enumerate(shares.tolist())
        for col, share in enumerate(line)
    ]
    frame = f'<rect class="frame" x="0.5" y="0.5" width="{_HEAT_SIDE - 1}" height="{_HEAT_HIGH - 1}"/>'
    words = f"Heat map over the frame: from {shares.min():.0%} to {shares.max():.0%} of {total:,} boxes contain a point"
    return _svg(_HEAT_SIDE, _HEAT_HIGH, words, f'<g class="heat">{"".join(cells)}</g>{frame}')


def _svg(width: int, height: int, words: str, content: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(words)}">{content}</svg>'
