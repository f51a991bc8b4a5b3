"""Manifests: every form of line to its entry, odd names there and back, what is refused, and the command line."""

from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgmtool import corpus
from mgmtool.corpus import Corpus, Entry, read_manifest
from mgmtool.corpus._lists import split_line, split_quoted
from mgmtool.errors import InputError, UsageError
from mgmtool.types import VideoRef
from support import calling, tiny_videos

EXTENSIONS = (".mp4", ".mkv", ".webm")
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a manifest and return its path."""

    def put(name: str, *lines: str | bytes, end: bytes = b"\n") -> str:
        raw = b"".join((line.encode() if isinstance(line, str) else line) + end for line in lines)
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.lower().endswith(".gz") else raw)
        return str(tmp_path / name)

    return put


def entries(path: str, **options: Any) -> list[Entry]:
    return list(read_manifest(path, EXTENSIONS, **options))


def pairs(path: str, **options: Any) -> list[tuple[str, str | None]]:
    """Names below the folder of the manifest, and labels."""
    return [(os.path.relpath(entry.path, Path(path).parent), entry.label) for entry in entries(path, **options)]


def scan(*listed: str | Entry, root: str | None = None, limit: int | None = None) -> Corpus:
    return corpus.scan([], EXTENSIONS, listed=listed, root=root, limit=limit)


# --- lists --------------------------------------------------------------------------------------------------------------

LINES = [
    ("a.mp4", "a.mp4", None),
    ("sub dir/a b.mp4", "sub dir/a b.mp4", None),
    ("a.mp4 7", "a.mp4", "7"),
    ("a.MP4 7", "a.MP4", "7"),
    ("a.mp4,7", "a.mp4", "7"),
    ("a.mp4, 7", "a.mp4", "7"),
    ("a.mp4\t7", "a.mp4", "7"),
    ("a.mp4 \t 7", "a.mp4", "7"),
    ("a.mp4   007", "a.mp4", "007"),
    ("a.mp4 -1", "a.mp4", "-1"),
    ("a.mp4 +1", "a.mp4", "+1"),
    ("a.mp4 0 -1", "a.mp4", "0 -1"),
    ("a.mp4 1 5 7", "a.mp4", "1 5 7"),
    ("a.mp4,1,5,7", "a.mp4", "1,5,7"),
    ("clip 7.mp4", "clip 7.mp4", None),
    ("clip 7.mp4 3", "clip 7.mp4", "3"),
    ("my clip, 7.mp4", "my clip, 7.mp4", None),
    ("a.mp4 3.mp4 7", "a.mp4 3.mp4", "7"),
    ("a.mp4\tplaying the guitar, badly", "a.mp4", "playing the guitar, badly"),
    ("a.mp4\t3\t5", "a.mp4", "3\t5"),
    ("a.mp4\tb.mp4", "a.mp4", "b.mp4"),
    ("tab\there.mp4", "tab\there.mp4", None),
    ("tab\there.mp4\t3", "tab\there.mp4", "3"),
    ("v_Guitar_1\tplaying", "v_Guitar_1", "playing"),
    ("\ta.mp4", "\ta.mp4", None),
    ("a.mp4 playing", "a.mp4 playing", None),
    ("a.mp4 0.5", "a.mp4 0.5", None),
    ("a.mp4 ٣", "a.mp4 ٣", None),
    ("a.mp4;7", "a.mp4;7", None),
    ("v_Guitar_1 7", "v_Guitar_1", "7"),
    ("v_Guitar_1 7 8", "v_Guitar_1 7", "8"),
    ("there 7", "there 7", None),
    ("there 7 8", "there 7", "8"),
    ("there 7 8 9", "there 7", "8 9"),
    ("7", "7", None),
    ("-7", "-7", None),
    (" 7", " 7", None),
    ("7 8", "7", "8"),
    ("# a.mp4", "# a.mp4", None),
    ('"a b.mp4" 3', '"a b.mp4"', "3"),
    (" a.mp4 3", " a.mp4", "3"),
    ("https://host/a.mp4 3", "https://host/a.mp4", "3"),
    ("s3://bucket/a 3", "s3://bucket/a", "3"),
]


@pytest.mark.parametrize(("line", "path", "label"), LINES)
def test_line_of_a_list(line: str, path: str, label: str | None) -> None:
    assert split_line(line, EXTENSIONS, {"there 7"}.__contains__) == (path, label)


@pytest.mark.parametrize(
    ("line", "path", "label"),
    [
        ('"a, b.mp4",3', "a, b.mp4", "3"),
        ('"a b.mp4" 3', "a b.mp4", "3"),
        ('"say ""hi"".mp4"', 'say "hi".mp4', None),
        ('"a.mp4",playing guitar', "a.mp4", "playing guitar"),
        ('"a.mp4', '"a.mp4', None),
        ("a.mp4 3", "a.mp4", "3"),
    ],
)
def test_line_of_csv_without_header(line: str, path: str, label: str | None) -> None:
    assert split_quoted(line, EXTENSIONS, lambda _: False) == (path, label)


def test_disk_is_asked_only_for_names_that_do_not_end_like_a_video() -> None:
    asked: list[str] = []

    def exists(name: str) -> bool:
        asked.append(name)
        return False

    for line in ("a.mp4", "a.mp4 3", "a.mp4 3 4", "a.mp4\tx", "no ending", "v_1\t3"):
        split_line(line, EXTENSIONS, exists)
    assert asked == []
    split_line("v_1 3 4", EXTENSIONS, exists)
    assert asked == ["v_1 3 4", "v_1 3", "v_1"]


@pytest.mark.parametrize("name", ["m.txt", "m.list", "m", "m.TXT", "m.lst.gz", "m.txt.GZ"])
def test_lists_by_their_ending(write: Write, name: str) -> None:
    assert pairs(write(name, "a.mp4 1", "", "   ", "sub/b.mp4 2")) == [("a.mp4", "1"), ("sub/b.mp4", "2")]


def test_list_with_bom_and_crlf(write: Write) -> None:
    assert pairs(write("m.txt", b"\xef\xbb\xbfa.mp4 1", "", "b.mp4", end=b"\r\n")) == [("a.mp4", "1"), ("b.mp4", None)]


def test_last_line_needs_no_end(write: Write) -> None:
    assert pairs(write("m.txt", "a.mp4 1\nb.mp4 2", end=b"")) == [("a.mp4", "1"), ("b.mp4", "2")]


def test_names_that_are_not_utf8_survive(write: Write) -> None:
    for name in ("m.txt", "m.csv"):
        (entry,) = entries(write(name, *(["path"] if name == "m.csv" else []), b"caf\xe9.mp4"))
        assert os.fsencode(entry.path).endswith(b"/caf\xe9.mp4")


def test_whole_line_that_exists_is_a_path(write: Write, tmp_path: Path) -> None:
    (tmp_path / "clip 7").touch()
    assert pairs(write("m.txt", "clip 7", "clip 8")) == [("clip 7", None), ("clip", "8")]


def test_list_has_no_columns(write: Write) -> None:
    with pytest.raises(UsageError, match=r"m\.txt.*list of paths, which has no column 'x'"):
        entries(write("m.txt", "a.mp4"), path_column="x")


# --- tables -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column", ["path", "video_path", "video", "filename", "file", "filepath", "name", "Video_Path"]
)
@pytest.mark.parametrize("label", ["label", "class", "labels", "target", "Label"])
def test_columns_are_known_by_name(write: Write, column: str, label: str) -> None:
    path = write("m.csv", f"x,{label},{column}", "1,run,a.mp4")
    assert entries(path) == [Entry(str(Path(path).parent / "a.mp4"), "run", '{"x":"1"}')]


def test_first_known_column_is_the_path_and_the_others_are_carried(write: Write) -> None:
    path = write("m.csv", "name,id,path,class,label", "n,7,a.mp4,c,l")
    assert [(e.label, e.extra) for e in entries(path)] == [("l", '{"name":"n","id":"7","class":"c"}')]


def test_path_column_is_as_asked_for(write: Write, tmp_path: Path) -> None:
    path = write("m.csv", "path,Clip", "a.mp4,b.mp4")
    for name in ("Clip", "clip"):
        assert [(e.path, e.extra) for e in entries(path, path_column=name)] == [
            (str(tmp_path / "b.mp4"), '{"path":"a.mp4"}')
        ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("m.csv", ("path,label", '"a, b.mp4","say ""x"""', "", "c.mp4,")),
        ("m.CSV.gz", ("path,label", '"a, b.mp4","say ""x"""', "c.mp4,")),
        ("m.tsv", ("path\tlabel", 'a, b.mp4\t"say ""x"""', "c.mp4\t")),
        ("m.csv", ("path;label", '"a, b.mp4";"say ""x"""', "c.mp4;")),
        ("m.csv", ("", "path,label", '"a, b.mp4","say ""x"""', "c.mp4,")),
        ("m.jsonl", ('{"path": "a, b.mp4", "label": "say \\"x\\""}', "", '"c.mp4"')),
        ("m.ndjson.gz", ('{"path": "a, b.mp4", "label": "say \\"x\\""}', '{"file": "c.mp4", "label": null}')),
    ],
)
def test_tables(write: Write, name: str, lines: Sequence[str]) -> None:
    for end in (b"\n", b"\r\n"):
        assert pairs(write(name, *lines, end=end)) == [("a, b.mp4", 'say "x"'), ("c.mp4", None)]


def test_csv_with_bom(write: Write) -> None:
    assert pairs(write("m.csv", b"\xef\xbb\xbfpath,label", "a.mp4,1")) == [("a.mp4", "1")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("a.mp4 1", "b.mp4 2"), [("a.mp4", "1"), ("b.mp4", "2")]),
        (("a.mp4,1", "b, c.mp4,2"), [("a.mp4", "1"), ("b, c.mp4", "2")]),
        (("a.mp4,0,0",), [("a.mp4", "0,0")]),
        (('"a, b.mp4",1', "c.mp4,2"), [("a, b.mp4", "1"), ("c.mp4", "2")]),
        (("a.mp4",), [("a.mp4", None)]),
        (("there,3", "gone,4"), [("there", "3"), ("gone", "4")]),
        (("a.mp4\t1",), [("a.mp4", "1")]),
    ],
)
def test_csv_without_header_is_a_list(
    write: Write, tmp_path: Path, lines: Sequence[str], expected: list[tuple[str, str]]
) -> None:
    (tmp_path / "there").touch()
    assert pairs(write("train.csv", *lines)) == expected
    assert pairs(write("train.tsv", *lines)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", '{"path":"a","x":7}'),
        ("1e999", '{"path":"a","x":null}'),
        ("NaN", '{"path":"a","x":null}'),
        ('{"b": [1.50, -Infinity], "a": null}', '{"path":"a","x":{"b":[1.5,null],"a":null}}'),
        ('"\\u00e9\\ud83d\\ude00"', '{"path":"a","x":"é😀"}'),
        ('"\\udce9"', '{"path":"a","x":"\\udce9"}'),
        ("12345678901234567890123", '{"path":"a","x":12345678901234567890123}'),
        ("true", '{"path":"a","x":true}'),
    ],
)
def test_extra_is_canonical_json(write: Write, value: str, expected: str) -> None:
    (entry,) = entries(write("m.jsonl", f'{{ "path":"a" ,"v":"b.mp4", "x" : {value} }}'), path_column="v")
    assert entry.extra == expected
    json.loads(str(entry.extra).encode("utf-8"))


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("3", "3"),
        ('"x"', "x"),
        ("null", None),
        ("NaN", None),
        ('""', None),
        ("true", "true"),
        ("[1, 2]", "[1,2]"),
        ("0", "0"),
    ],
)
def test_label_of_json_is_text(write: Write, value: str, label: str | None) -> None:
    (entry,) = entries(write("m.jsonl", f'{{"path": "a.mp4", "label": {value}}}'))
    assert (entry.label, entry.extra) == (label, None)


@pytest.mark.parametrize(
    ("written", "size"),
    [("12", 12), ("12.0", 12), (" 12 ", 12), ("1.7e+3", 1700), ("0", 0), ("", -1), ("nan", -1), ("-1", -1)],
)
def test_sizes_and_times_are_trusted(write: Write, tmp_path: Path, written: str, size: int) -> None:
    (tmp_path / "a.mp4").write_bytes(b"four")
    path = write("m.csv", "path,size_bytes,mtime_ns", f"a.mp4,{written},1700000000000000001")
    (entry,) = entries(path)
    assert (entry.size, entry.mtime_ns, entry.extra) == (size, 1700000000000000001, None)


# --- parquet ------------------------------------------------------------------------------------------------------------


def test_parquet(tmp_path: Path) -> None:
    day = datetime.date(2024, 2, 29)
    moment = datetime.datetime(2024, 2, 29, 1, 2, 3, 4)
    table = pa.table(
        {
            "video": pa.array([b"bytes of a film", None]),
            "path": pa.array(["a.mp4", "b.mp4"]).dictionary_encode(),
            "label": pa.array([3, None]),
            "fps": [25.0, float("nan")],
            "day": [day, None],
            "time": pa.array([moment, None], pa.timestamp("ns")),
            "length": pa.array([datetime.timedelta(seconds=1), None], pa.duration("ms")),
            "price": [decimal.Decimal("1.50"), None],
            "boxes": [[[1, 2], []], None],
            "camera": [{"make": "é", "iso": 100}, None],
            "thumb": [{"bytes": b"png", "path": "x"}, None],
            "size_bytes": [10, None],
        }
    )
    path = str(tmp_path / "m.Parquet")
    pq.write_table(table, path)
    first, second = entries(path)
    assert (first.path, first.label, first.size) == (str(tmp_path / "a.mp4"), "3", 10)
    assert (second.path, second.label, second.size) == (str(tmp_path / "b.mp4"), None, -1)
    assert json.loads(str(first.extra)) == {
        "fps": 25.0,
        "day": "2024-02-29",
        "time": "2024-02-29 01:02:03.000004000",
        "length": 1000,
        "price": "1.50",
        "boxes": [[1, 2], []],
        "camera": {"make": "é", "iso": 100},
    }
    assert set(json.loads(str(second.extra)).values()) == {None}


def test_parquet_is_read_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mgmtool.corpus import _parquet

    monkeypatch.setattr(_parquet, "_BATCH_ROWS", 3)
    names = [f"{number}.mp4" for number in range(10)]
    pq.write_table(pa.table({"path": names, "class": range(10)}), tmp_path / "m.parquet", row_group_size=4)
    assert pairs(str(tmp_path / "m.parquet")) == [(name, str(number)) for number, name in enumerate(names)]


def test_parquet_with_no_path_in_a_row_names_the_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["a.mp4", None]}), tmp_path / "m.parquet")
    with pytest.raises(InputError, match=r"m\.parquet', row 2: the path is None"):
        entries(str(tmp_path / "m.parquet"))


@pytest.mark.parametrize(("column", "asked"), [("films", None), ("path", "films"), ("path", None)])
def test_parquet_without_its_column_of_paths(tmp_path: Path, column: str, asked: str | None) -> None:
    values = [b"film"] if (column, asked) == ("path", None) else ["a.mp4"]
    pq.write_table(pa.table({column: values}), tmp_path / "m.parquet")
    with pytest.raises(UsageError, match=rf"m\.parquet' has no column .*{column} \((string|binary)\)"):
        entries(str(tmp_path / "m.parquet"), path_column=asked)


# --- odd names, there and back ------------------------------------------------------------------------------------------

LETTERS = st.characters(exclude_characters="\0/", exclude_categories=("Cs",))
NAMES = st.lists(st.text(LETTERS, max_size=12).map(lambda text: f"n{text}.mp4"), min_size=1, max_size=5)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name).resolve()


@given(NAMES, st.sampled_from(["", " 7", ",7", ", -1", "\t7", " 1 2"]), st.sampled_from([b"\n", b"\r\n"]))
def test_names_of_a_list_come_back(folder: Path, names: list[str], label: str, end: bytes) -> None:
    names = [name.replace("\n", "").replace("\t", "") for name in names]
    (folder / "m.txt").write_bytes(b"".join((name + label).encode() + end for name in names))
    assert entries(str(folder / "m.txt")) == [Entry(f"{folder}/{name}", label.strip(" ,\t") or None) for name in names]


@given(NAMES, TEXTS, TEXTS, st.sampled_from([("m.csv", ","), ("m.tsv", "\t"), ("m.csv", ";")]))
def test_names_of_csv_come_back(folder: Path, names: list[str], label: str, more: str, form: tuple[str, str]) -> None:
    with (folder / form[0]).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=form[1])
        writer.writerows([("more", "label", "path"), *((more, label, name) for name in names)])
    found = entries(str(folder / form[0]))
    assert [(entry.path, entry.label) for entry in found] == [(f"{folder}/{name}", label or None) for name in names]
    assert all(json.loads(str(entry.extra)) == {"more": more} for entry in found)


@given(NAMES, TEXTS, st.dictionaries(TEXTS.map("x{}".format), VALUES | st.lists(VALUES), max_size=3), st.booleans())
def test_names_of_json_come_back(
    folder: Path, names: list[str], label: str, more: dict[str, Any], ascii_only: bool
) -> None:
    records = [{"path": name, **more, "label": label} for name in names]
    text = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
    (folder / "m.jsonl").write_bytes(text.encode("utf-8"))
    for entry, name in zip(entries(str(folder / "m.jsonl")), names, strict=True):
        assert (entry.path, entry.label) == (f"{folder}/{name}", label or None)
        assert (json.loads(entry.extra) if entry.extra else {}) == more


@given(NAMES, TEXTS, st.integers(-(2**63), 2**63 - 1))
def test_names_of_parquet_come_back(folder: Path, names: list[str], label: str, number: int) -> None:
    rows = [{"path": name, "number": number, "label": label} for name in names]
    pq.write_table(pa.Table.from_pylist(rows), folder / "m.parquet")
    expected = [Entry(f"{folder}/{name}", label or None, f'{{"number":{number}}}') for name in names]
    assert entries(str(folder / "m.parquet")) == expected


# --- what is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "lines", "kind", "message"),
    [
        ("m.txt", (), InputError, "lists no video"),
        ("m.txt", ("", "  "), InputError, "lists no video"),
        ("m.csv", (), InputError, "lists no video"),
        ("m.csv", ("path,label",), InputError, "lists no video"),
        ("m.jsonl", ("",), InputError, "lists no video"),
        ("m.txt", ("a.mp4", "b\0.mp4"), InputError, r"line 2: .*NUL"),
        ("m.txt", (" \v",), InputError, r"line 1: the path is"),
        ("m.csv", ("path,label", "a.mp4"), InputError, r"line 2: 1 fields; expected 2, as the header has"),
        ("m.csv", ("path,label", "a.mp4,1", "b.mp4,1,2"), InputError, r"line 3: 3 fields; expected 2"),
        ("m.csv", ("path,label", '"a', 'b.mp4",1', ",1"), InputError, r"line 4: the path is ''; expected the name"),
        ("m.csv", ("path,label", "x" * 200_000), InputError, r"line 2: field larger"),
        ("m.csv", ("path,x,x", "a.mp4,1,2"), InputError, "has the column 'x' twice"),
        ("m.csv", ("path,size_bytes", "a.mp4,1.5"), InputError, r"line 2: size_bytes is '1\.5'; expected an integer"),
        ("m.csv", ("path,size_bytes", "a.mp4,big"), InputError, r"line 2: size_bytes is 'big'; expected an integer"),
        ("m.csv", ("path,mtime_ns", f"a.mp4,{2**63}"), InputError, r"line 2: mtime_ns is"),
        (
            "m.csv",
            ("uid,split", "1,train"),
            UsageError,
            r"columns are 'uid', 'split'; expected one of path.*--path-column",
        ),
        ("m.jsonl", ('"a.mp4"', "{"), InputError, r"line 2: not JSON \(.*\); expected an object or a path"),
        ("m.jsonl", ("a.mp4",), InputError, r"line 1: not JSON"),
        ("m.jsonl", ("[" * 100_000,), InputError, r"line 1: .*JSON"),
        ("m.jsonl", ("7",), InputError, r"line 1: JSON of '7'; expected an object or a path"),
        ("m.jsonl", ('{"x": 1}',), InputError, r"line 1: no path; the keys are 'x'; expected path, video_path"),
        ("m.jsonl", ("{}",), InputError, r"line 1: no path; the keys are none"),
        ("m.jsonl", ('{"path": 7}',), InputError, r"line 1: the path is 7; expected the name of a file"),
        ("m.jsonl", ('{"path": " "}',), InputError, r"line 1: the path is ' '"),
        ("m.jsonl", ('{"path": "\\u0000"}',), InputError, r"line 1: .*NUL"),
        ("m.jsonl", ('""',), InputError, r"line 1: the path is ''"),
        ("m.parquet", ("no parquet",), InputError, "cannot be read as Parquet"),
        ("m.parquet", (), InputError, "cannot be read as Parquet"),
    ],
)
def test_what_cannot_be_used_is_named(
    write: Write, name: str, lines: Sequence[str], kind: type[Exception], message: str
) -> None:
    path = write(name, *lines)
    with pytest.raises(kind, match=message) as caught:
        entries(path)
    assert repr(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_utf16_is_named(write: Write) -> None:
    for name in ("m.txt", "m.csv"):
        with pytest.raises(InputError, match=r"line 1: .*UTF-8"):
            entries(write(name, "path,label\na.mp4,1\n".encode("utf-16")))


@pytest.mark.parametrize("name", ["m.txt", "m.csv", "m.jsonl", "m.parquet", "m.csv.gz"])
def test_manifest_that_is_not_there_or_is_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=rf"cannot read manifest .*{name}.*No such file"):
        entries(str(tmp_path / name))
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=rf"cannot read manifest .*{name}.*directory"):
        entries(str(tmp_path / name))


@pytest.mark.parametrize("cut", [slice(0, 30), slice(3, None)])
def test_damaged_gzip_is_named(tmp_path: Path, cut: slice) -> None:
    (tmp_path / "m.txt.gz").write_bytes(gzip.compress(b"a.mp4 1\n" + os.urandom(999).hex().encode())[cut])
    with pytest.raises(InputError, match=r"cannot read manifest .*m\.txt\.gz"):
        entries(str(tmp_path / "m.txt.gz"))


def test_damaged_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table({"path": [f"{number}.mp4" for number in range(1000)]}), path)
    raw = bytearray(path.read_bytes())
    raw[4:400] = bytes(396)
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"m\.parquet"):
        entries(str(path))


# --- to videos ----------------------------------------------------------------------------------------------------------


def test_paths_are_relative_to_the_manifest_or_the_root(write: Write, tmp_path: Path) -> None:
    path = write("m.txt", "sub/../a.mp4 1", "/abs/b.mp4", "s3://bucket/c.mp4 3")
    assert [entry.path for entry in entries(path)] == [str(tmp_path / "a.mp4"), "/abs/b.mp4", "s3://bucket/c.mp4"]
    assert entries(path, root="/r")[0].path == "/r/a.mp4"
    assert [entry.path for entry in entries(path, root="s3://bucket/r/")][:2] == [
        "s3://bucket/r/sub/../a.mp4",
        "/abs/b.mp4",
    ]


def test_size_that_is_known_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "stat", None)
    found = scan(Entry("/v/b.mp4", "7", '{"x":1}', 5, 6), Entry("/v/a.mp4", size=0), "s3://c/c.mp4")
    assert found.videos == (
        VideoRef("a.mp4", "/v/a.mp4", 0, -1),
        VideoRef("b.mp4", "/v/b.mp4", 5, 6, label="7", extra='{"x":1}'),
        VideoRef("c/c.mp4", "s3://c/c.mp4"),
    )


def test_size_that_is_unknown_is_looked_up(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"four")
    found = scan(Entry(str(tmp_path / "a.mp4"), mtime_ns=7), Entry(str(tmp_path / "gone.mp4"), "3"))
    assert [(video.size, video.label) for video in found.videos] == [(4, None), (-1, "3")]
    assert found.videos[0].mtime_ns == (tmp_path / "a.mp4").stat().st_mtime_ns


def test_path_with_nul_is_a_video_to_fail() -> None:
    assert scan("/v/a\0.mp4").videos[0].size == -1


def test_first_label_counts(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"four")
    path = str(tmp_path / "a.mp4")
    listed = [
        path,
        Entry(f"{tmp_path}/x/../a.mp4"),
        Entry(path, "1"),
        Entry(path, "2", "{}", 9),
        Entry(path, "3", "[]", 8),
    ]
    found = corpus.scan([str(tmp_path)], EXTENSIONS, listed=listed)
    assert found.videos == (VideoRef("a.mp4", path, 9, -1, label="1", extra="{}"),)


def test_order_and_limit() -> None:
    listed = [Entry(f"/v/{name}.mp4", size=1) for name in ("c", "a", "d/a", "b")]
    assert [video.id for video in scan(*listed).videos] == ["a.mp4", "b.mp4", "c.mp4", "d/a.mp4"]
    short = scan(*listed, limit=2)
    assert [video.id for video in short.videos] == ["a.mp4", "b.mp4"]
    assert short.root == "/v"
    assert len(scan(*listed, limit=9).videos) == 4


@pytest.mark.parametrize(
    ("root", "expected", "top"),
    [
        (None, ["bucket/r/a.mp4", "host/b.mp4"], ""),
        ("s3://bucket/r", ["a.mp4", "host/b.mp4"], "s3://bucket/r"),
        ("s3://bucket/r/", ["a.mp4", "host/b.mp4"], "s3://bucket/r"),
        ("s3://bucket/", ["host/b.mp4", "r/a.mp4"], "s3://bucket"),
        ("s3://buck", ["bucket/r/a.mp4", "host/b.mp4"], "s3://buck"),
        ("/v", ["bucket/r/a.mp4", "host/b.mp4"], "/v"),
    ],
)
def test_ids_of_urls(root: str | None, expected: list[str], top: str) -> None:
    found = scan("s3://bucket/r/a.mp4", "https://host/b.mp4?x=1", root=root)
    assert [video.id for video in found.videos] == expected
    assert found.root == top
    assert {video.path for video in found.videos} == {"s3://bucket/r/a.mp4", "https://host/b.mp4?x=1"}


def test_files_beside_urls_are_rooted_among_themselves() -> None:
    found = scan("s3://bucket/a.mp4", "/v/x/a.mp4", "/v/y/a.mp4")
    assert (found.root, [video.id for video in found.videos]) == ("/v", ["bucket/a.mp4", "x/a.mp4", "y/a.mp4"])


def test_files_are_not_under_a_url() -> None:
    with pytest.raises(UsageError, match=r"/v/a\.mp4 is not under the root s3://bucket"):
        scan("/v/a.mp4", root="s3://bucket")


def test_two_videos_of_one_id_are_refused() -> None:
    with pytest.raises(UsageError, match=r"id 'h/a\.mp4': 'https?://h/a\.mp4' and 'https?://h/a\.mp4'"):
        scan("http://h/a.mp4", "https://h/a.mp4")


def test_everything_can_lie_in_the_top_folder() -> None:
    assert [video.id for video in scan("/a.mp4", "/b/c.mp4").videos] == ["a.mp4", "b/c.mp4"]


# --- the command line ---------------------------------------------------------------------------------------------------

Call = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def call(call: calling.Call) -> Call:
    """Run a command in this process; return its exit code, its events and stderr."""

    def run(*arguments: object, stdin: bytes = b"") -> tuple[int, list[dict[str, Any]], str]:
        ended = call(*arguments, "--engine", "inline", "--json", "-q", stdin=stdin)
        return ended.code, ended.events(), ended.err

    return run


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    tiny_videos.write_clips(folder / "sub", 3)
    return folder


def seen(events: list[dict[str, Any]]) -> dict[str, str]:
    return {event["id"]: event["status"] for event in events if event["event"] == "video"}


@pytest.fixture(params=["extract", "probe"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[object]:
    """Both commands that take a corpus."""
    return ["extract", "-o", tmp_path / "m.zarr", "--grid", "4x6"] if request.param == "extract" else ["probe"]


def test_manifest_on_the_command_line(call: Call, command: list[object], clips: Path, write: Write) -> None:
    first = write("train.csv", "clip,label", "sub/1.mp4,run", "sub/0.mp4,jump", "sub/1.mp4,fly")
    second = write("more.jsonl", '{"clip": "sub/gone.mp4"}')
    options = ["--root", clips, "--manifest", first, "--manifest", second, "--path-column", "clip"]
    code, events, _ = call(*command, *options)
    good = "done" if command[0] == "extract" else "readable"
    assert (code, seen(events)) == (3, {"sub/0.mp4": good, "sub/1.mp4": good, "sub/gone.mp4": "failed"})


def test_manifest_with_inputs_stdin_and_limit(call: Call, command: list[object], clips: Path, tmp_path: Path) -> None:
    (clips / "sub" / "list.txt").write_text("1.mp4 7\n0.mp4 3\n")
    named = [clips / "sub" / "2.mp4", "-", "--manifest", clips / "sub" / "list.txt"]
    code, events, _ = call(*command, *named, "--limit", 2, stdin=f"{clips}/sub/1.mp4\n".encode())
    assert (code, [*seen(events)]) == (0, ["0.mp4", "1.mp4"])


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 2, "no INPUT given; expected files, folders, glob patterns, or - for a list on stdin; or --manifest FILE"),
        (["x", "--path-column", "p"], 2, "--path-column is 'p', but there is no --manifest to have it"),
        (["--manifest", "gone.csv"], 1, "cannot read manifest 'gone.csv': No such file or directory"),
        (["--manifest", "m.csv"], 2, "expected one of path, video_path"),
        (["x", "--limit", "0"], 2, "--limit"),
        (["-0", "--manifest", "m.csv"], 2, "-0 is for a list on stdin"),
    ],
)
def test_what_the_command_line_refuses(
    call: Call,
    command: list[object],
    write: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    code: int,
    message: str,
) -> None:
    write("m.csv", "uid,split", "1,train")
    monkeypatch.chdir(tmp_path)
    ended, events, err = call(*command, *options)
    assert (ended, events) == (code, [])
    assert message in err
    assert not (tmp_path / "m.zarr").exists()


def test_examples_of_the_documentation(tmp_path: Path) -> None:
    """The table of lines in docs/cli.md, line by line."""
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
    table = page.partition("| line | path | label |\n|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
    assert len(table) == 12
    for row in table:
        line, path, label = ([*part.split("`"), ""][1] if "`" in part else None for part in row.split("|")[1:4])
        there = {str(line)} if "which exists" in row else set()
        assert split_line(str(line).replace("⇥", "\t"), EXTENSIONS, there.__contains__) == (path, label), row
