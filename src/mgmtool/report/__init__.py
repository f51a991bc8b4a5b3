"""A store as one HTML page for people.

``facts`` gathers statistics in one pass, with ``bounded`` and ``frames``; ``samples`` chooses videos, ``gallery`` draws them;
``charts``, ``tables`` and ``content`` say what stands in the page, ``page`` makes it.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from mgmtool.errors import OutputError, one_line
from mgmtool.files import written_whole
from mgmtool.report.facts import COLUMNS, Facts
from mgmtool.report.gallery import BYTES, Shown, show
from mgmtool.report.page import render
from mgmtool.report.samples import Sample, Samples
from mgmtool.store import Store, stored_parts

__all__ = ["ReportRun", "check_output", "save", "write_report"]


class ReportRun:
    """A report in the making: :meth:`read` the store, :meth:`draw` the gallery, :meth:`page`.

    Parameters
    ----------
    store : path or URL
        The mask store.
    gallery : int
        Sample videos drawn by chance; 0 shows none at all.
    seed : int
        Seed of that draw.
    root : path or URL, optional
        Folder in which the videos lie now; by default each is where it was when it was extracted.

    Attributes
    ----------
    total : int
        Videos to be read.
    samples : list of Sample
        Videos to be drawn, once the store is read.

    Raises
    ------
    StoreError
        There is no mask store there.
    """

    def __init__(self, store: str | Path, *, gallery: int = 8, seed: int = 0, root: str | Path | None = None) -> None:
        self._store = Store.open(store)
        self._root = None if root is None else str(root)
        self._facts = Facts(Samples(gallery, seed))
        self._shown: list[Shown] = []
        self.total, self.samples = self._store.records.count(), list[Sample]()

    def read(self) -> Generator[tuple[int, int]]:
        """Read the store, part by part; yields videos and frames so far."""
        for part in stored_parts(self._store, COLUMNS):
            self._facts.add(part)
            yield self._facts.videos, self._facts.frames.frames
        self.samples = self._facts.samples.chosen()

    def draw(self) -> Generator[Shown]:
        """Draw the samples; yields each."""
        hottest = self._facts.motion.above(0.95) or 1.0
        for sample in self.samples:
            most = BYTES // len(self.samples)
            self._shown.append(show(self._store, sample, root=self._root, hottest=hottest, most_bytes=most))
            yield self._shown[-1]

    def page(self, title: str | None = None) -> str:
        """Return the page; a title other than the name of the store may be given."""
        store_bytes = sum(self._store.array_bytes().values())
        return render(self._store, self._facts, self._shown, store_bytes, title)


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
    """Write the report of a store. See :class:`ReportRun`.

    Parameters
    ----------
    store : path or URL
        The mask store.
    output : path
        File to write; it appears once it is whole.
    gallery, seed, root
        See :class:`ReportRun`.
    title : str, optional
        By default the name of the store.
    overwrite : bool
        Whether a file that is there is replaced.

    Raises
    ------
    StoreError
        There is no mask store, or it is damaged.
    OutputError
        The output is there already, or cannot be written.
    """
    check_output(output, overwrite)
    run = ReportRun(store, gallery=gallery, seed=seed, root=root)
    for _ in run.read():
        pass
    for _ in run.draw():
        pass
    return save(run.page(title), output)


def check_output(output: str | Path, overwrite: bool) -> None:
    """Refuse to replace a file that nobody wants replaced.

    Raises
    ------
    OutputError
    """
    if not overwrite and Path(output).exists():
        raise OutputError(f"output {one_line(str(output))} is there already; --overwrite replaces it")


def save(page: str, output: str | Path) -> Path:
    """Write a page, whole or not at all."""
    with written_whole(Path(output)) as partial:
        partial.write_text(page, "utf-8")
    return Path(output)
