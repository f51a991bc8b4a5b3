"""One sequence through every contender."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from mgmtool.errors import GroundTruthError, TracksFailure, VideoError, one_line
from mgmtool.evaluation.contenders import Oracle
from mgmtool.evaluation.crops import draw_clips
from mgmtool.evaluation.motion import motion_ratios
from mgmtool.evaluation.scores import LEAST_OBJECT, ClipScore, oracle, score
from mgmtool.evaluation.sequences import Sequence
from mgmtool.evaluation.truth import token_shares
from mgmtool.extraction.contender import Contender
from mgmtool.extraction.recipe import Recipe
from mgmtool.extraction.stream import whole_video
from mgmtool.training.clips import place_clip
from mgmtool.types import (
    ClipRequest,
    Float32,
    Float64,
    FrameFlag,
    PatchGrid,
    TokenLayout,
    VideoFacts,
    VideoMotion,
    VideoRef,
)

_GRID = PatchGrid(14, 14)


@dataclass(frozen=True, slots=True)
class EvaluateSpec:
    """How contenders are compared.

    Attributes
    ----------
    contenders : list of Contender or Oracle
        Rows of the table.
    boxes : tuple of (int, int)
        Sides of the box in tokens; each is a table of its own.
    seeds : int
        How often clips are drawn; seeds 0, 1, ...
    clips : int
        Clips drawn per sequence and seed.
    grid : PatchGrid
        Tokens over the crop.
    """

    contenders: list[Contender | Oracle]
    boxes: tuple[tuple[int, int], ...] = ((7, 7),)
    seeds: int = 3
    clips: int = 20
    grid: PatchGrid = _GRID

    def layouts(self) -> list[TokenLayout]:
        """Return the token layout of each box."""
        return [TokenLayout(self.grid.rows, self.grid.cols, y * x, y, x) for y, x in self.boxes]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a sequence does not count; one line."""

    sequence: Sequence
    message: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One contender on one sequence, box and seed.

    Attributes
    ----------
    scores : list of ClipScore
        Clip by clip.
    hidden : float64 (tubelets, rows, cols)
        Mean of the masks of the clips.
    """

    scores: list[ClipScore]
    hidden: Float64


@dataclass(frozen=True, slots=True)
class SequenceResult:
    """One sequence, compared.

    Attributes
    ----------
    sequence : Sequence
        Which one.
    cells : dict
        (contender label, box number, seed) to its cell.
    truth : list of float64 (tubelets, rows, cols)
        For each seed, the mean over its clips of the share of object divided by its sum.
    seconds : dict
        CPU seconds per frame for each contender, decoding included.
    ratios : dict
        For each motion source, by :attr:`Contender.source`, median object / background motion over the frames: raw and
        compensated.
    """

    sequence: Sequence
    cells: dict[tuple[str, int, int], Cell] = field(default_factory=dict)
    truth: list[Float64] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, tuple[float, float]] = field(default_factory=dict)


def evaluate_sequences(sequences: Iterable[Sequence], spec: EvaluateSpec) -> Iterator[SequenceResult | Problem]:
    """Compare all contenders on each sequence; one that cannot be used is a problem, and the others continue."""
    for sequence in sequences:
        try:
            yield evaluate_sequence(sequence, spec)
        except (GroundTruthError, TracksFailure) as error:
            yield Problem(sequence, one_line(str(error)))
        except VideoError as error:  # says what is wrong, not with which file
            yield Problem(sequence, one_line(f"{sequence.video}: {error}"))


def evaluate_sequence(sequence: Sequence, spec: EvaluateSpec) -> SequenceResult:
    """Compare all contenders on one sequence.

    Raises
    ------
    GroundTruthError, VideoError
        The sequence cannot be used.
    """
    result = SequenceResult(sequence)
    motions: dict[str, VideoMotion] = {}
    known: list[tuple[list[ClipRequest], list[Float32]]] = []
    for contender in spec.contenders:
        if isinstance(contender, Oracle):
            continue
        motion, facts, seconds = motion_of(sequence, contender.recipe)
        motions[contender.label], result.seconds[contender.label] = motion, seconds
        known = known or clips_and_shares(
            sequence, spec, facts
        )  # looked at before the video is decoded again and again
        if contender.moves and contender.source not in result.ratios:
            result.ratios[contender.source] = motion_ratios(sequence, contender.recipe.source, facts)
    for seed, (clips, shares) in enumerate(known):
        _compare(result, spec, seed, list(zip(clips, shares, strict=True)), motions)
    return result


def motion_of(sequence: Sequence, recipe: Recipe) -> tuple[VideoMotion, VideoFacts, float]:
    """Take a video through the pipeline of ``mgmtool extract``, as it would be stored; and the CPU seconds per frame."""
    video = VideoRef(sequence.video.name, str(sequence.video))
    tracks = recipe.scheme.tracks(video)
    start = time.process_time()
    if recipe.scheme.needs_motion:
        volume, facts = whole_video(video, recipe)
        motion = VideoMotion.of(volume, facts.info.height, facts.info.width, tracks)
    else:  # a clip takes nothing else of the volume, and some schemes have none
        with recipe.source.open(video, motion=False, luma=False) as stream:
            energies = recipe.scheme.energies(stream.frames, recipe.spec.energy_grid)
            cuts = [FrameFlag.SCENE_CUT in frame.flags for frame in energies]
            facts = stream.facts()
        motion = VideoMotion(facts.info.height, facts.info.width, np.cumsum(cuts), tracks=tracks)
    return motion, facts, (time.process_time() - start) / len(motion)


def clips_and_shares(
    sequence: Sequence, spec: EvaluateSpec, facts: VideoFacts
) -> list[tuple[list[ClipRequest], list[Float32]]]:
    """For every seed, draw the clips and see how much of each of their tokens is object."""
    count, height, width = facts.num_frames, facts.info.height, facts.info.width
    layout = spec.layouts()[0]
    try:
        drawn = [
            list(draw_clips(sequence.name, count, height, width, layout, seed, spec.clips))
            for seed in range(spec.seeds)
        ]
    except GroundTruthError as error:
        raise GroundTruthError(f"{sequence.video}: {error}") from None
    objects = sequence.object_frames(count, height, width)
    shares, shown = token_shares(objects, [clip for clips in drawn for clip in clips])
    if not shown:
        raise GroundTruthError(f"{sequence.truth}: empty ground truth; expected an object in at least one frame")
    return [(clips, shares[seed * spec.clips : (seed + 1) * spec.clips]) for seed, clips in enumerate(drawn)]


def _compare(
    result: SequenceResult,
    spec: EvaluateSpec,
    seed: int,
    clips: list[tuple[ClipRequest, Float32]],
    motions: dict[str, VideoMotion],
) -> None:
    """Place every contender's masks in the clips of one seed, and compare."""
    useful = [(clip, share) for clip, share in clips if share.sum(dtype=np.float64) >= LEAST_OBJECT]
    if not useful:
        most = max(share.sum(dtype=np.float64) for _, share in clips)
        raise GroundTruthError(
            f"{result.sequence.truth}: at most {most:.3f} tokens of object in the {len(clips)} clips of seed {seed}; "
            f"expected {LEAST_OBJECT:g} or more in at least one"
        )
    result.truth.append(np.mean([share / share.sum(dtype=np.float64) for _, share in useful], axis=0))
    for contender in spec.contenders:
        for number, layout in enumerate(spec.layouts()):
            masks = [
                oracle(share, layout)
                if isinstance(contender, Oracle)
                else place_clip(motions[contender.label], replace(clip, layout=layout), contender.recipe.scheme)
                for clip, share in useful
            ]
            scores = [score(mask, share) for mask, (_, share) in zip(masks, useful, strict=True)]
            hidden = np.mean([mask.mask for mask in masks], axis=0)
            result.cells[contender.label, number, seed] = Cell(scores, hidden)
