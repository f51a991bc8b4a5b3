"""What is to be done: the one place where source, scheme, engine and store meet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mgmtool import corpus, engines, masking, sources
from mgmtool.corpus import Corpus
from mgmtool.engines import Engine
from mgmtool.errors import UsageError
from mgmtool.extraction.run import ExtractRun, Plan
from mgmtool.store import Committed, StoreWriter
from mgmtool.types import FINGERPRINTS, ExtractSpec, KnownVideo, Outcome, Resume, VideoRef
from mgmtool.video.container import library_versions


def prepare(
    inputs: Sequence[str] | Corpus,
    output: str | Path,
    spec: ExtractSpec,
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
    spec : ExtractSpec
        What to extract.
    engine : Engine
        Who does the work.
    overwrite : bool
        Remove a mask store that is already there.
    resume : Resume, optional
        How to go on with one.
    scratch : str, optional
        Folder for temporary files, above all the copies of remote videos, one for each worker; by default that of the system.
    named : sequence of str
        What the record of the run calls the inputs, where they are a corpus.
    profile : bool
        Whether to measure where the time goes.

    Raises
    ------
    InputError, UsageError, StoreError, StoreWriteError
    """
    how = resume or Resume()
    _check(spec, how, scratch)
    found = _found(inputs, spec)
    if overwrite:
        StoreWriter.remove(output)
    energy = spec.energy and masking.build(spec.scheme, spec.scheme_options).needs_motion
    versions = library_versions()
    scratch = scratch and str(Path(scratch).absolute())  # tasks elsewhere have another current folder
    writer = StoreWriter.open(output, spec, energy=energy, input_root=found.root, versions=versions, scratch=scratch)
    ready = _planned(found, spec, how, writer.committed())
    given = tuple(named or (() if isinstance(inputs, Corpus) else inputs))
    fields = (ready.corpus, ready.parts, ready.earlier, ready.changed, ready.resume)
    return ExtractRun(*fields, writer, engine, scratch, given, profile)


def plan(
    inputs: Sequence[str] | Corpus,
    output: str | Path,
    spec: ExtractSpec,
    *,
    overwrite: bool = False,
    resume: Resume | None = None,
) -> Plan:
    """Find the videos and plan what is left to do, as :func:`prepare` would, without writing anything anywhere.

    Raises
    ------
    InputError, UsageError, StoreError
    """
    how = resume or Resume()
    _check(spec, how, None)
    found = _found(inputs, spec)
    before = Committed() if overwrite else StoreWriter.look(output, spec, input_root=found.root)
    return _planned(found, spec, how, before)


def _found(inputs: Sequence[str] | Corpus, spec: ExtractSpec) -> Corpus:
    return inputs if isinstance(inputs, Corpus) else corpus.scan(inputs, extensions_of(spec))


def _planned(found: Corpus, spec: ExtractSpec, how: Resume, before: Committed) -> Plan:
    changed = corpus.changed_videos(found.videos, before.videos, how.fingerprint)
    again = _again(before.videos, changed, how)
    parts = corpus.plan_parts(
        found.videos,
        before.parts,
        spec.part_videos,
        spec.part_bytes,
        known=before.videos,
        numbers=before.numbers,
        again=again,
        shard=how.shard,
    )
    kept = (before.videos[video.id] for video in found.videos if video.id in before.videos and video.id not in again)
    earlier = Counter("done" if video.done else "failed" for video in kept)
    return Plan(found, parts, earlier, changed, how)


def extensions_of(spec: ExtractSpec) -> Sequence[str]:
    """Return the endings by which a folder walk knows a video for the source of a spec."""
    return sources.build(spec.source, spec.source_options).extensions


def _check(spec: ExtractSpec, resume: Resume, scratch: str | None) -> None:
    scheme = masking.build(spec.scheme, spec.scheme_options)
    sources.build(spec.source, spec.source_options)
    if not scheme.volumes:
        raise UsageError(
            f"scheme is {spec.scheme!r}, which is for clips; expected one that every frame of a video can have"
        )
    if resume.fingerprint not in FINGERPRINTS:
        raise UsageError(f"fingerprint is {resume.fingerprint!r}; expected one of: {', '.join(FINGERPRINTS)}")
    if scratch is not None and not Path(scratch).is_dir():
        raise UsageError(f"scratch is {scratch!r}, which is no folder; expected one that is there")
    try:
        _ = spec.layout
    except ValueError as error:
        raise UsageError(str(error)) from None


def _again(known: Mapping[str, KnownVideo], changed: Sequence[VideoRef], resume: Resume) -> set[str]:
    """Ids that are there and are to be done again."""
    ids = {video.id for video in changed} if resume.refresh else set()
    return ids | {video_id for video_id, video in known.items() if resume.retry_failed and not video.done}


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
        How to go on with a store that is there; which shard of the parts to do.

    Yields
    ------
    Outcome
        One per video that was not committed before, in order.
    """
    chosen = engines.build(engine) if isinstance(engine, str) else engine
    return prepare(inputs, output, spec or ExtractSpec(), chosen, resume=resume).outcomes()
