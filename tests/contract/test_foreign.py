"""Plug-ins of other packages: found by entry point, tested by the shipped contract, used in workers, refused in words."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgmtool import masking, plugins
from mgmtool.errors import UsageError
from mgmtool.extraction.contender import Contender
from mgmtool.store import Store
from mgmtool.types import ExtractSpec
from support import foreign, tiny_videos

MGMTOOL = ("-c", "from mgmtool.cli import main; main()")
LOWER_PART = "[mgmtool.schemes]\nlower-part = my_masks:LowerPart\n"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign.install(tmp_path_factory.mktemp("site"), LOWER_PART)


@pytest.fixture
def installed(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package, importable in this process."""
    monkeypatch.syspath_prepend(package)
    yield
    sys.modules.pop("my_masks", None)


def offer(entry_points: str, folder: Path, monkeypatch: pytest.MonkeyPatch, module: str = foreign.SCHEME) -> None:
    monkeypatch.syspath_prepend(foreign.install(folder, entry_points, "odd-masks", {"odd_masks": module}))
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "odd_masks", raising=False)


@pytest.mark.usefixtures("installed")
def test_a_scheme_of_another_package_is_one_of_the_family() -> None:
    assert "lower-part" in masking.names()
    assert "my_masks" not in sys.modules, "a list of names imports nothing"
    assert masking.summary("lower-part").startswith("The lower part of every frame,")
    built = masking.build("lower-part", {"upside-down": "yes"})
    assert plugins.options(built) == {"upside_down": True}
    assert plugins.SCHEMES.name_of(built) == "lower-part"
    assert Contender.parse("lower-part:upside_down=no", ExtractSpec()).spec.scheme_options == {"upside_down": False}
    with pytest.raises(UsageError, match=r"unknown scheme 'lower-par' \(did you mean 'lower-part'\?\)"):
        masking.build("lower-par")


def test_it_is_gone_with_its_package() -> None:
    assert "lower-part" not in masking.names()


def test_the_shipped_contract_runs_on_it(package: Path) -> None:
    (package / "test_my_masks.py").write_text(
        "from mgmtool.testing import SchemeContract\n\n\n"
        "class TestMyMasks(SchemeContract):\n"
        "    names = ['lower-part']\n"
        "    seedless = {'lower-part'}\n"
    )
    ended = foreign.run(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_masks.py")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(ended.stdout.splitlines()[-1].split()[0]) > 150
    assert "failed" not in ended.stdout


def test_the_shipped_contract_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = foreign.SCHEME.replace("< request.layout.masked", "<= request.layout.masked")
    foreign.install(tmp_path, LOWER_PART, modules={"my_masks": wrong})
    (tmp_path / "test_my_masks.py").write_text(
        "from mgmtool.testing import SchemeContract\n\n\nclass TestMyMasks(SchemeContract):\n    names = ['lower-part']\n"
    )
    ended = foreign.run(
        tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_masks.py", "-k", "volume or seeds"
    )
    assert ended.returncode == 1
    assert "test_every_frame_of_a_volume_hides_the_same_count" in ended.stdout
    assert "test_other_seeds_give_other_masks" in ended.stdout


def test_the_contract_needs_neither_pytest_nor_hypothesis_to_be_imported() -> None:
    code = "import sys, mgmtool.testing; print(sorted({'pytest', 'hypothesis'} & set(sys.modules)))"
    assert foreign.run(Path.cwd(), "-c", code).stdout == "[]\n"


EXAMPLES_OF_THE_DOCS = """
import numpy as np
import pytest

from mgmtool.testing import FormatContract, SchemeContract, SourceContract


class TestScheme(SchemeContract):
    names = ["lower-part"]
    seedless = {"lower-part"}


class TestSource(SourceContract):
    names = ["flow-file"]
    frames, height, width, step, luma = 6, 64, 80, (0, 4), False

    @pytest.fixture(autouse=True)
    def _saved(self, tmp_path_factory):
        self.path = tmp_path_factory.mktemp("flow") / "clip.flow.npy"
        np.save(self.path, np.full((6, 4, 5, 2), (0, 4), np.float32))

    def video(self, name):
        return self.path


class TestFormat(FormatContract):
    names = ["shares"]
"""


def test_the_examples_of_the_documentation_pass(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "adding.md").read_text()
    blocks = [
        block for block in re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE) if "PLUGIN =" in block
    ]
    modules = dict(zip(("lower_part", "flow_file", "shares"), blocks, strict=True))
    entry_points = (
        "[mgmtool.schemes]\nlower-part = lower_part:LowerPart\n"
        "[mgmtool.sources]\nflow-file = flow_file:FlowFile\n"
        "[mgmtool.formats]\nshares = shares:Shares\n"
    )
    foreign.install(tmp_path, entry_points, "examples", modules)
    (tmp_path / "test_examples.py").write_text(EXAMPLES_OF_THE_DOCS)
    chosen = "not volume and not exact_count"  # the counts are what takes long
    ended = foreign.run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, "test_examples.py")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed is not None
    assert int(passed[1]) > 60


@pytest.mark.parametrize("options", [("--engine", "inline"), ("--workers", "2")], ids=["inline", "workers"])
def test_a_clip_is_extracted_with_it(package: Path, tmp_path: Path, options: tuple[str, str]) -> None:
    tiny_videos.write_clips(tmp_path / "clips", 3)
    store = tmp_path / "m.zarr"
    arguments = ("extract", tmp_path / "clips", "-o", store, "--scheme", "lower-part", *options)
    ended = foreign.run(package, *MGMTOOL, *arguments, "--scheme-option", "upside_down=true")
    assert ended.returncode == 0, ended.stderr
    opened = Store.open(store)
    assert opened.spec.scheme == "lower-part"
    assert opened.spec.scheme_options == {"upside_down": True}
    for video_id in opened.index["id"].to_pylist():
        masks = opened.volume(video_id).mask
        assert masks[:, :10].all()
        assert not masks[:, 11:].any()


def test_it_is_listed_and_completed_but_help_imports_none_of_it(package: Path) -> None:
    listed = json.loads(foreign.run(package, *MGMTOOL, "schemes", "--json").stdout)
    assert listed["lower-part"]["options"] == {"upside_down": False}
    code = (
        "import sys\nfrom mgmtool.cli import main\n"
        "try: main(['extract', '--help'])\nexcept SystemExit: pass\n"
        "print('my_masks' in sys.modules)"
    )
    assert foreign.run(package, "-c", code).stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("group", "name", "kind"),
    [
        ("schemes", "tube", "scheme"),
        ("sources", "codec", "source"),
        ("engines", "local", "engine"),
        ("formats", "npz", "format"),
    ],
)
def test_a_name_of_mgmtool_itself_is_refused(
    group: str, name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(f"[mgmtool.{group}]\n{name} = odd_masks:LowerPart\n", tmp_path, monkeypatch)
    (family,) = (family for family in plugins.FAMILIES.values() if family.kind == kind)
    assert family.names().count(name) == 1
    with pytest.raises(UsageError) as caught:
        family.build(name)
    assert str(caught.value) == (
        f"{kind} {name!r} is offered by mgmtool itself and by the package 'odd-masks'; expected one: remove or update 'odd-masks'"
    )


@pytest.mark.usefixtures("installed")
def test_a_name_of_another_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer("[mgmtool.schemes]\nlower-part = odd_masks:LowerPart\n", tmp_path, monkeypatch)
    with pytest.raises(UsageError, match=r"^scheme 'lower-part' is offered by the package '.*' and by the package '"):
        masking.build("lower-part")


@pytest.mark.parametrize(
    ("target", "module", "words"),
    [
        ("odd_masks:LowerPart", "import no_such_library", "cannot be imported: ModuleNotFoundError: No module named"),
        ("odd_masks:LowerPart", "1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("odd_masks:NoSuchName", "", "cannot be imported: AttributeError: "),
        ("no_such_module:LowerPart", "", "cannot be imported: ModuleNotFoundError: "),
        ("odd_masks:LowerPart", "LowerPart = 7", "is 'odd_masks:LowerPart'; expected a frozen dataclass"),
        ("odd_masks", "LowerPart = 7", "is 'odd_masks'; expected a frozen dataclass"),
    ],
)
def test_what_cannot_be_imported_is_named_with_its_package(
    target: str, module: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(f"[mgmtool.schemes]\nodd = {target}\n", tmp_path, monkeypatch, module)
    with pytest.raises(UsageError) as caught:
        masking.build("odd")
    assert str(caught.value).startswith("scheme 'odd' of the package 'odd-masks' ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
