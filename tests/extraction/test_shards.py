"""Several drivers, one store: nothing is done twice, nothing is left out, and the bytes are those of one driver."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgmtool import engines
from mgmtool.cli._shard import choose_shard
from mgmtool.corpus import Part, plan_parts
from mgmtool.errors import UsageError
from mgmtool.extraction import extract, prepare
from mgmtool.store import open_store, rebuild_index, verify
from mgmtool.types import ExtractSpec, KnownVideo, PatchGrid, Resume, Shard, VideoRef
from support import stores, tiny_videos

SPEC = ExtractSpec(grid=PatchGrid(4, 6), energy_grid=PatchGrid(3, 4), part_videos=2)
INLINE = engines.build("inline")
PROGRAM = [sys.executable, "-c", "from mgmtool.cli import main; main()"]


def make_videos(sizes: list[int], prefix: str = "") -> list[VideoRef]:
    return [VideoRef(f"{prefix}{n:03}.mp4", f"/v/{prefix}{n:03}.mp4", size) for n, size in enumerate(sizes)]


@dataclasses.dataclass
class Corpus:
    """A list of videos, and what is committed of it."""

    videos: list[VideoRef]
    limits: tuple[int, int]
    committed: dict[int, list[str]] = dataclasses.field(default_factory=dict)
    numbers: set[int] = dataclasses.field(default_factory=set)
    known: dict[str, KnownVideo] = dataclasses.field(default_factory=dict)
    again: set[str] = dataclasses.field(default_factory=set)

    def plan(self, shard: Shard) -> list[Part]:
        known, numbers = self.known, self.numbers
        return plan_parts(
            self.videos, self.committed, *self.limits, known=known, numbers=numbers, again=self.again, shard=shard
        )

    def commit(self, parts: list[Part]) -> None:
        for part in parts:
            self.numbers.add(part.number)
            if not part.supersedes:
                self.committed[part.number] = [video.id for video in part.videos]
            self.known |= {video.id: KnownVideo(part.number, False) for video in part.videos}


@st.composite
def corpora(draw: st.DrawFn, grown: bool | None = None) -> Corpus:
    """A run that stopped somewhere, videos of it done again, its list perhaps changed since, and videos to be done again."""
    videos = make_videos(draw(st.lists(st.integers(0, 9), max_size=24)))
    limits = draw(st.integers(1, 4)), draw(st.integers(1, 30))
    corpus = Corpus(videos, limits)
    corpus.commit([part for part in corpus.plan(Shard()) if draw(st.integers(0, 3))])
    corpus.again = {video_id for video_id in corpus.known if draw(st.integers(0, 2)) == 0}
    shards = draw(st.integers(1, 3))
    retried = [part for index in range(shards) for part in corpus.plan(Shard(index, shards)) if part.supersedes]
    corpus.commit([part for part in retried if draw(st.booleans())])
    more = make_videos(draw(st.lists(st.integers(0, 9), max_size=9)), draw(st.sampled_from(["", "-", "z"])))
    grows = draw(st.booleans()) if grown is None else grown
    gone = {video.id for video in videos if grows and draw(st.integers(0, 5)) == 0}
    listed = {v.id: v for v in [*videos, *(more if grows else [])] if v.id not in gone}
    corpus.videos = sorted(listed.values(), key=lambda v: v.id)
    corpus.again = {video_id for video_id in corpus.known if draw(st.integers(0, 3)) == 0}
    return corpus


def ids_of(parts: list[Part]) -> list[str]:
    return [video.id for part in parts for video in part.videos]


@given(corpora(), st.integers(1, 5))
def test_shards_together_do_everything_once(corpus: Corpus, count: int) -> None:
    plans = [corpus.plan(Shard(index, count)) for index in range(count)]
    numbers = Counter(part.number for plan in plans for part in plan)
    assert max(numbers.values(), default=1) == 1
    assert numbers.keys().isdisjoint(corpus.numbers)
    assert all(Shard(index, count).has(part.number) for index, plan in enumerate(plans) for part in plan)
    listed = {video.id for video in corpus.videos}
    wanted = Counter((listed - corpus.known.keys()) | (listed & corpus.again))
    assert Counter(i for plan in plans for i in ids_of(plan)) == wanted
    assert Counter(ids_of(corpus.plan(Shard()))) == wanted
    for part in (part for plan in plans for part in plan):
        again = {i: corpus.known[i].part for i in ids_of([part]) if i in corpus.known}
        assert part.supersedes == again
        assert not again or len(again) == len(part.videos)
        assert all(part.number > older for older in again.values())


@given(corpora(grown=False), st.integers(1, 5))
def test_shards_of_an_unchanged_list_cut_the_parts_of_one_driver(corpus: Corpus, count: int) -> None:
    corpus.again = set()
    together = [part for index in range(count) for part in corpus.plan(Shard(index, count))]
    assert sorted(together, key=lambda part: part.number) == corpus.plan(Shard())


@given(corpora(), st.integers(2, 5), st.data())
def test_what_others_commit_meanwhile_changes_nothing(corpus: Corpus, count: int, data: st.DataObject) -> None:
    """Drivers plan one after the other, while those before them have committed any of their parts, whose videos all failed."""
    before = set(corpus.numbers)
    first = {index: corpus.plan(Shard(index, count)) for index in range(count)}
    order = data.draw(st.permutations(range(count)))
    planned: list[Part] = []
    for index in order:
        plan = corpus.plan(Shard(index, count))
        assert Counter(ids_of(plan)) == Counter(ids_of(first[index]))
        planned += plan
        corpus.commit([part for part in plan if data.draw(st.booleans())])
    assert max(Counter(part.number for part in planned).values(), default=1) == 1
    assert {part.number for part in planned}.isdisjoint(before)


def test_a_number_that_went_to_a_retry_is_not_given_again() -> None:
    """A list that grew behind its last part, when that was full, would have gone on with the number of the retry."""
    corpus = Corpus(make_videos([1] * 4), (2, 100))
    corpus.commit(corpus.plan(Shard()))
    corpus.again = {"001.mp4"}
    corpus.commit(corpus.plan(Shard()))
    assert corpus.numbers == {0, 1, 2}
    corpus.videos, corpus.again = make_videos([1] * 6), set()
    (part,) = corpus.plan(Shard())
    assert (part.number, ids_of([part])) == (3, ["004.mp4", "005.mp4"])


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_videos.write_mixed(tmp_path_factory.mktemp("mixed"), 8)


@pytest.fixture(scope="module")
def reference(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("reference") / "m.zarr"
    list(extract([str(mixed)], store, SPEC, INLINE))
    return store


def start(folder: Path, store: Path, shard: str, *words: str) -> subprocess.Popen[bytes]:
    options = ["--grid", "4x6", "--energy-grid", "3x4", "--part-videos", "2", "--engine", "inline", "--shard", shard]
    command = [*PROGRAM, "extract", str(folder), "-o", str(store), *options, *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_four_drivers_at_once_write_what_one_writes(mixed: Path, reference: Path, tmp_path: Path) -> None:
    store = tmp_path / "m.zarr"
    drivers = [start(mixed, store, f"{index}/4") for index in range(4)]
    told = [(driver.communicate(timeout=120)[1].decode(), driver.returncode) for driver in drivers]
    assert {code for _, code in told} <= {0, 3}, told
    assert not (store / "index.parquet").exists()
    assert rebuild_index(store) == (11, 6)
    stores.assert_same(store, reference)
    assert list(verify(store, deep=True)) == []


def test_two_drivers_of_one_shard_do_no_harm(mixed: Path, reference: Path, tmp_path: Path) -> None:
    store = tmp_path / "m.zarr"
    drivers = [start(mixed, store, "0/1") for _ in range(2)]
    told = [(driver.communicate(timeout=120)[1].decode(), driver.returncode) for driver in drivers]
    codes = [code for _, code in told]
    assert 3 in codes, told
    assert set(codes) <= {1, 3}, told
    stores.assert_same(store, reference)


def test_shards_one_after_the_other_and_retries(mixed: Path, reference: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(reference, tmp_path / "m.zarr"))
    seen = []
    for index in range(3):
        how = Resume(retry_failed=True, shard=Shard(index, 3))
        seen += [(o.video.id, o.part) for o in prepare([str(mixed)], store, SPEC, INLINE, resume=how).outcomes()]
    assert sorted(i for i, _ in seen) == sorted(tiny_videos.NOT_VIDEOS)
    rebuild_index(store)
    assert len(open_store(store).index) == 11
    assert list(verify(store, deep=True)) == []


def slurm(task: int, count: int | None = None, first: int | None = None, step: int | None = None) -> dict[str, str]:
    values = {"TASK_ID": task, "TASK_COUNT": count, "TASK_MIN": first, "TASK_STEP": step}
    return {f"SLURM_ARRAY_{name}": str(value) for name, value in values.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "environment", "expected", "origin"),
    [
        (None, {}, Shard(0, 1), None),
        ("2/4", {}, Shard(2, 4), None),
        ("0/1", slurm(3, 4), Shard(0, 1), None),
        (None, slurm(3, 4), Shard(3, 4), "SLURM_ARRAY_TASK_ID"),
        (None, slurm(5, 4, 5, 1), Shard(0, 4), "SLURM_ARRAY_TASK_ID"),
        (None, slurm(16, 4, 1, 5), Shard(3, 4), "SLURM_ARRAY_TASK_ID"),
        (None, slurm(6, 4, 0, 2), Shard(3, 4), "SLURM_ARRAY_TASK_ID"),
        ("/8", slurm(3), Shard(3, 8), "SLURM_ARRAY_TASK_ID"),
        ("/8", slurm(3, 4), Shard(3, 8), "SLURM_ARRAY_TASK_ID"),
        ("/8", {"JOB_COMPLETION_INDEX": "7"}, Shard(7, 8), "JOB_COMPLETION_INDEX"),
        ("/8", {**slurm(2), "JOB_COMPLETION_INDEX": "7"}, Shard(2, 8), "SLURM_ARRAY_TASK_ID"),
    ],
)
def test_which_shard_this_is(
    text: str | None, environment: dict[str, str], expected: Shard, origin: str | None
) -> None:
    assert choose_shard(text, environment) == (expected, origin)


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("4/4", {}, "shard is '4/4' of 4; expected I/N with I from 0 to N - 1"),
        ("0/0", {}, "shard is '0/0' of 0; expected I/N"),
        ("-1/4", {}, "shard is '-1/4'; expected I/N"),
        ("1", {}, "shard is '1'; expected I/N"),
        ("1/4/8", {}, "shard is '1/4/8'; expected I/N"),
        ("/4", {}, "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"),
        (None, {"JOB_COMPLETION_INDEX": "7"}, "JOB_COMPLETION_INDEX is 7, but nothing says of how many"),
        (None, slurm(7), "SLURM_ARRAY_TASK_ID is 7, but nothing says of how many"),
        ("/4", slurm(7), "SLURM_ARRAY_TASK_ID is 7 of 4; expected I/N"),
        (
            None,
            {"SLURM_ARRAY_TASK_ID": "x", "SLURM_ARRAY_TASK_COUNT": "4"},
            "SLURM_ARRAY_TASK_ID is 'x'; expected a whole",
        ),
        (None, {**slurm(1), "SLURM_ARRAY_TASK_COUNT": "-4"}, "SLURM_ARRAY_TASK_COUNT is '-4'; expected a whole number"),
    ],
)
def test_shards_that_cannot_be(text: str | None, environment: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_shard(text, environment)
    assert words in str(caught.value)
