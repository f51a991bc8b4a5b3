"""Plan what is left to do: the place where recipe, corpus, engine and store meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgmtool import corpus, engines
from mgmtool.corpus import Corpus
from mgmtool.engines import Engine
from mgmtool.errors import PASSING, UsageError
from mgmtool.extraction.recipe import Recipe
from mgmtool.extraction.run import ExtractRun, Plan
from mgmtool.store import Committed, StoreWriter
from mgmtool.types import FINGERPRINTS, ExtractSpec, Outcome, Resume
from mgmtool.video.container import library_versions


def prepare(
    inputs: Sequence[str] | Corpus,
    output: str | Path,
    spec: ExtractSpec | Recipe,
    engine: Engine,
    *,
    overwrite: bool = False,
    resume: Resume | None = None,
    scratch: str | None = None,
    named: Sequence[str] = (),
    profile: bool = False,
) -> ExtractRun:
    """Find the videos, open the store, and plan what is left to do. Nothing is decoded yet.

    Parameters
    ----------
    inputs : sequence of str, or Corpus
        Files, folders, globs, or URLs of the like; or the result of :func:`mgmtool.corpus.scan`.
    output : path or URL
        Folder of the store; made if absent, resumed if it was made with the same spec.
    spec : ExtractSpec or Recipe
        What to extract.
    engine : Engine
        Who does the work.
    overwrite : bool
        Remove a mask store that already exists.
    resume : Resume, optional
        How to resume an existing store.
    scratch : str, optional
        Folder for temporary files, above all the copies of remote videos, one per worker; by default the system's.
    named : sequence of str
        What the record of the run calls the inputs, where they are a corpus.
    profile : bool
        Whether to measure where the time goes.

    Raises
    ------
    InputError, UsageError, StoreError, StoreWriteError
    """
    recipe, how = Recipe.of(spec), resume or Resume()
    if scratch is not None:
        if not Path(scratch).is_dir():
            raise UsageError(f"scratch is {scratch!r}, which is no folder; expected one that is there")
        scratch = str(Path(scratch).absolute())  # tasks elsewhere have another current folder
    found = _find(inputs, recipe, how)
    if overwrite:
        StoreWriter.remove(output)
    writer = StoreWriter.open(
        output,
        recipe.spec,
        energy=recipe.stores_energy,
        input_root=found.root,
        versions=library_versions(),
        scratch=scratch,
    )
    ready = _plan(found, recipe, how, writer.committed())
    given = tuple(named or (() if isinstance(inputs, Corpus) else inputs))
    fields = (ready.recipe, ready.corpus, ready.parts, ready.earlier, ready.changed, ready.resume)
    return ExtractRun(*fields, writer, engine, scratch, given, profile)


def plan(
    inputs: Sequence[str] | Corpus,
    output: str | Path,
    spec: ExtractSpec | Recipe,
    *,
    overwrite: bool = False,
    resume: Resume | None = None,
) -> Plan:
    """Find the videos and plan what is left to do, as :func:`prepare` does, without writing anything.

    Raises
    ------
    InputError, UsageError, StoreError
    """
    recipe, how = Recipe.of(spec), resume or Resume()
    found = _find(inputs, recipe, how)
    before = Committed() if overwrite else StoreWriter.look(output, recipe.spec, input_root=found.root)
    return _plan(found, recipe, how, before)


def _find(inputs: Sequence[str] | Corpus, recipe: Recipe, how: Resume) -> Corpus:
    """Find the videos, unless that was done already; refuse an unknown fingerprint before that takes its time."""
    if how.fingerprint not in FINGERPRINTS:
        raise UsageError(f"fingerprint is {how.fingerprint!r}; expected one of: {', '.join(FINGERPRINTS)}")
    return inputs if isinstance(inputs, Corpus) else corpus.scan(inputs, recipe.source.extensions)


def _plan(found: Corpus, recipe: Recipe, how: Resume, before: Committed) -> Plan:
    changed = corpus.changed_videos(found.videos, before.videos, how.fingerprint)
    again = {video.id for video in changed} if how.refresh else set()
    failed = {name: video.failure for name, video in before.videos.items() if not video.done}
    again |= {name for name, failure in failed.items() if how.retry_failed or failure in PASSING}
    parts = corpus.plan_parts(
        found.videos,
        before.parts,
        recipe.spec.part_videos,
        recipe.spec.part_bytes,
        known=before.videos,
        numbers=before.numbers,
        again=again,
        shard=how.shard,
    )
    kept = (before.videos[video.id] for video in found.videos if video.id in before.videos and video.id not in again)
    earlier = Counter("done" if video.done else "failed" for video in kept)
    return Plan(recipe, found, parts, earlier, changed, how)


def extract(
    inputs: Sequence[str],
    output: str | Path,
    spec: ExtractSpec | None = None,
    engine: str | Engine = "local",
    *,
    resume: Resume | None = None,
) -> Iterator[Outcome]:
    """Extract masks of a corpus into a store.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders, globs.
    output : path
        Folder of the store. A store made with the same spec is resumed.
    spec : ExtractSpec, optional
        What to extract.
    engine : str or Engine
        ``"inline"``, ``"local"``, or an engine with options from :func:`mgmtool.engines.build`.
    resume : Resume, optional
        How to resume an existing store; which shard of the parts to do.

    Yields
    ------
    Outcome
        One per video that was not committed before, in order.

    Raises
    ------
    InputError, UsageError, StoreError, StoreWriteError
        At once, or while the work is done. A bad video is an outcome, not an error.
    """
    chosen = engines.build(engine) if isinstance(engine, str) else engine
    return prepare(inputs, output, spec or ExtractSpec(), chosen, resume=resume).outcomes()
