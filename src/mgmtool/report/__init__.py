"""Report on a store as one HTML page.

``facts`` gathers statistics in one pass, with ``bounded`` and ``frames``; ``samples`` chooses videos and ``gallery`` draws
them; ``charts``, ``tables`` and ``content`` make the content of the page, ``page`` the page itself.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from mgmtool.errors import OutputError, one_line
from mgmtool.report.facts import COLUMNS, Facts
from mgmtool.report.gallery import BYTES, Preview, preview
from mgmtool.report.page import render
from mgmtool.report.samples import Sample, Samples
from mgmtool.store import Scan, open_store
from mgmtool.video.encode import written_whole

__all__ = ["ReportRun", "check_output", "save", "write_report"]


class ReportRun:
    """Make a report step by step: :meth:`read` the store, :meth:`draw` the samples, return the :meth:`page`.

    Parameters
    ----------
    store : path or URL
        The mask store.
    gallery : int
        Sample videos chosen at random; 0 shows none at all.
    seed : int
        Seed of that choice.
    root : path or URL, optional
        Folder in which the videos lie now; by default each is where it was when it was extracted.

    Attributes
    ----------
    total : int
        Videos to read.
    samples : list of Sample
        Videos to draw; empty until the store is read.

    Raises
    ------
    StoreError
        There is no mask store at that place.
    """

    def __init__(self, store: str | Path, *, gallery: int = 8, seed: int = 0, root: str | Path | None = None) -> None:
        self._scan = Scan(store)
        self._root = None if root is None else str(root)
        self._facts = Facts(Samples(gallery, seed))
        self._previews: list[Preview] = []
        self.total, self.samples = self._scan.count(), list[Sample]()

    def read(self) -> Generator[tuple[int, int]]:
        """Read the store part by part; yields the numbers of videos and frames so far."""
        for part in self._scan.scan(COLUMNS):
            self._facts.add(part)
            yield self._facts.videos, self._facts.frames.frames
        self.samples = self._facts.samples.chosen()

    def draw(self) -> Generator[Preview]:
        """Draw the samples; yields the preview of each."""
        hottest = self._facts.motion.above(0.95) or 1.0
        for sample in self.samples:
            most = BYTES // len(self.samples)
            self._previews.append(preview(self._scan, sample, root=self._root, hottest=hottest, most_bytes=most))
            yield self._previews[-1]

    def page(self, title: str | None = None) -> str:
        """Return the page as HTML; the title is by default the name of the store."""
        store_bytes = sum(open_store(self._scan.name).array_bytes().values())
        return render(self._scan, self._facts, self._previews, store_bytes, title)


def write_report(
    store: str | Path,
    output: str | Path,
    *,
    gallery: int = 8,
    seed: int = 0,
    root: str | Path | None = None,
    title: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the report on a store to a file; :class:`ReportRun` does it step by step.

    Parameters
    ----------
    store : path or URL
        The mask store.
    output : path
        File to write; it appears once it is complete.
    gallery, seed, root
        See :class:`ReportRun`.
    title : str, optional
        By default the name of the store.
    overwrite : bool
        Whether to replace an existing file.

    Raises
    ------
    StoreError
        There is no mask store, or it is damaged.
    OutputError
        The output already exists, or cannot be written.
    """
    check_output(output, overwrite)
    steps = ReportRun(store, gallery=gallery, seed=seed, root=root)
    for _ in steps.read():
        pass
    for _ in steps.draw():
        pass
    return save(steps.page(title), output)


def check_output(output: str | Path, overwrite: bool) -> None:
    """Refuse to replace an existing file without being told to.

    Raises
    ------
    OutputError
    """
    if not overwrite and Path(output).exists():
        raise OutputError(f"output {one_line(str(output))} already exists; use --overwrite to replace it")


def save(page: str, output: str | Path) -> Path:
    """Write a page; the file appears once it is complete."""
    with written_whole(Path(output)) as partial:
        partial.write_text(page, "utf-8")
    return Path(output)
