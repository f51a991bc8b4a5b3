"""A spec is resolved once: from the command line to the first video, one scheme and one source are built."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mgmtool import plugins
from mgmtool.cli import main
from mgmtool.errors import UsageError
from mgmtool.extraction import Recipe, extract_video, stream
from mgmtool.types import ExtractSpec
from support import tiny_videos


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a plug-in of each kind is loaded, which each build does."""
    counted: Counter[str] = Counter()
    load = plugins.Family.load

    def counting(family: plugins.Family[Any], name: str) -> Any:
        counted[family.kind] += 1
        return load(family, name)

    monkeypatch.setattr(plugins.Family, "load", counting)
    return counted


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--scheme", "motion-guided", "--scheme-option", "c=8"]], ids=str)
def test_scheme_and_source_are_built_once_up_to_the_end(builds: Counter[str], tmp_path: Path, more: list[str]) -> None:
    tiny_videos.write_clips(tmp_path / "clips", 2)
    arguments = ["extract", str(tmp_path / "clips"), "-o", str(tmp_path / "m.zarr"), "--engine", "inline", "-q"]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, *more])
    assert ended.value.code == 0
    assert builds == {"scheme": 1, "source": 1, "engine": 1}


def test_a_recipe_goes_to_workers_as_it_is() -> None:
    recipe = Recipe.of(ExtractSpec(scheme_options={"pool": 3}))
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    assert Recipe.of(recipe) is recipe


def test_options_are_normalised_where_that_is_asked_for() -> None:
    spec = ExtractSpec(scheme_options={"sigma-min": "1"}, source_options={"cell": 16.0})
    assert Recipe.of(spec).spec is spec
    found = Recipe.of(spec).normalised().spec
    assert found.scheme_options == {"sigma_min": 1.0}
    assert found.source_options == {"cell": 16}
    assert isinstance(found.source_options["cell"], int)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ExtractSpec(scheme="tub"), "unknown scheme 'tub'"),
        (ExtractSpec(source="kodec"), "unknown source 'kodec'"),
        (ExtractSpec(scheme="cube"), "scheme is 'cube', which is for clips; expected one that every frame"),
        (ExtractSpec(ratio=1.5), "ratio is 1.5; expected 0 to 1"),
    ],
)
def test_what_cannot_be_extracted_is_refused(spec: ExtractSpec, words: str, tmp_path: Path) -> None:
    for resolve in (Recipe.of, stream.warm_up, lambda spec: extract_video(tmp_path / "absent.mp4", spec)):
        with pytest.raises(UsageError, match=words):
            resolve(spec)
    if spec.scheme == "cube":
        assert not Recipe.of(spec, clips=True).scheme.volumes
