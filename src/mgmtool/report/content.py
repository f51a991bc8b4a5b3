"""Turn statistics into the content of the page: cards, tables, charts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mgmtool.report import charts, tables
from mgmtool.report.facts import ROWS, Facts
from mgmtool.report.frames import FrameStatistics
from mgmtool.report.gallery import Preview
from mgmtool.report.tables import Cell, Table
from mgmtool.report.words import FAILURES, FLAGS, RISKS
from mgmtool.storage import public
from mgmtool.types import FrameFlag

Chart = tuple[str, str, str]
"""Title, SVG and remark."""


def cards(facts: Facts, store_bytes: int) -> list[tuple[str, str, str, str]]:
    """Return name, big number, remark and tone of each headline figure."""
    frames, videos = facts.frames, max(facts.videos, 1)
    speed = frames.frames / facts.seconds if facts.seconds else 0.0
    unknown = f"; {facts.unknown_lengths:,} without a frame rate" if facts.unknown_lengths else ""
    return [
        ("Videos", f"{facts.videos:,}", f"{facts.done:,} done", ""),
        ("Failed", f"{facts.failed:,}", f"{tables.percent(facts.failed / videos)} of all", "bad" if facts.failed else "good"),
        ("Frames", f"{frames.frames:,}", f"{tables.hours(facts.hours)} of video{unknown}", ""),
        ("With vectors", _flag_share(frames, FrameFlag.HAS_VECTORS), "of all frames", ""),
        ("Propagated", _flag_share(frames, FrameFlag.PROPAGATED), "frames without motion of their own", ""),
        ("Damaged", f"{facts.corrupt:,}", f"videos; {facts.lost:,} with lost packets", "bad" if facts.corrupt else ""),
        ("Input", tables.size(facts.size_bytes), f"{tables.size(store_bytes)} of masks", ""),
        ("Work", tables.hours(facts.seconds / 3600), f"{speed:,.0f} frames/s of one worker", ""),
    ]  # fmt: skip


def _flag_share(frames: FrameStatistics, flag: FrameFlag) -> str:
    return tables.percent(int(frames.flags[list(FrameFlag).index(flag)]) / max(frames.frames, 1))


def motion_charts(facts: Facts) -> list[Chart]:
    """Chart the motion of the videos."""
    energy = (
        "Energy of the strongest cell, averaged over the frames of a video. Energy measures motion against the camera."
    )
    still = (
        "Share of the frames of a video whose box comes from their neighbours because they have no motion of their own."
    )
    return [
        _of_videos("Energy", facts.motion.counts, charts.upper_labels(facts.motion.edges), "energy, up to", energy),
        _of_videos("Frames without motion", facts.still.counts[:-1], _shares(facts), "% of the frames, up to", still),
    ]


def frame_charts(facts: Facts) -> list[Chart]:
    """Chart vectors, length and size of the videos."""
    vectors = "Motion vectors cover more than 2 % of such a frame."
    return [
        _of_videos(
            "Frames with vectors", facts.vector_share.counts[:-1], _shares(facts), "% of the frames, up to", vectors
        ),
        _of_videos("Length", facts.length.counts, charts.upper_labels(facts.length.edges), "seconds, up to"),
        _of_videos(
            "Frame size", facts.side.counts, charts.upper_labels(facts.side.edges), "short side in pixels, up to"
        ),
    ]


def _shares(facts: Facts) -> list[str]:
    return charts.upper_labels(facts.still.edges, 100)[:-1]


def _of_videos(title: str, counts: Any, labels: Sequence[str], axis: str, remark: str = "") -> Chart:
    return title, charts.histogram(counts, labels, axis, "videos"), remark


def box_charts(facts: Facts) -> list[Chart]:
    """Chart where boxes lie and how fast they move."""
    frames = facts.frames
    where = "Share of the boxes that contain each point of the frame; 0 % is pale, 100 % is full colour."
    speed = "How far the centre of the box moves from one frame to the next, without scene cuts."
    labels = charts.upper_labels(frames.speed.edges, 100)
    moved = charts.histogram(frames.speed.counts, labels, "% of the short side per frame, up to", "frames")
    return [("Where boxes lie", charts.heat_map(frames.heat, frames.boxes), where), ("Box speed", moved, speed)]


def flags(facts: Facts) -> Table:
    """List frames by flag."""
    table, total = Table("flags", "Frames by flag", ("Frames", "Number", "Share")), max(facts.frames.frames, 1)
    for flag, number in zip(FrameFlag, facts.frames.flags.tolist(), strict=True):
        table.rows.append(
            [tables.words(FLAGS[str(flag.name)]), tables.count(number), tables.share(number / total, bar=True)]
        )
    return table


def codecs(facts: Facts) -> Table:
    """List videos by codec and source."""
    columns = ("Codec", "Source", "Videos", "Share", "Frames", "With vectors", "Propagated", "Frames/s")
    table = Table("codecs", "Videos by codec and motion source", columns)
    for (codec, source), (videos, frames, vectors, still, seconds), _ in facts.codecs.most():
        whole = max(frames, 1)
        shares = (tables.share(vectors / whole), tables.share(still / whole))
        share = tables.share(videos / max(facts.done, 1), bar=True)
        speed = tables.count(frames / seconds if seconds else 0)
        table.rows.append(
            [tables.name(codec), tables.name(source), tables.count(videos), share, tables.count(frames), *shares, speed]
        )
    return table


def failures(facts: Facts) -> Table:
    """List failed videos by class."""
    table = Table("failures-by-class", "Failed videos by class", ("Class", "Videos", "Share of the failed", "Meaning"))
    for failure, (number,), _ in facts.failures.most():
        share = tables.share(number / max(facts.failed, 1), bar=True)
        table.rows.append([tables.name(failure), tables.count(number), share, tables.words(FAILURES.get(failure, ""))])
    return table


def messages(facts: Facts) -> Table:
    """List failed videos by message."""
    caption = "Messages; those that differ only in names or digits are counted together"
    rest = f"{facts.messages.rest[0]:,.0f} videos have other messages." if facts.messages.rest else ""
    table = Table("messages", caption, ("Class", "Videos", "Message of the first one", "Its id"), more=rest)
    for (failure, _), (number,), (video_id, message) in facts.messages.most():
        table.rows.append([tables.name(failure), tables.count(number), tables.words(message), tables.name(video_id)])
    return table


def failed_videos(facts: Facts, store: str) -> Table:
    """List failed videos one by one."""
    more = _more(facts.failed_rows.offered, f"mgmtool failures {store} lists all")
    table = Table("failed", "Failed videos", ("Id", "Class", "Message"), more=more)
    for row in facts.failed_rows.items():
        table.rows.append([tables.name(row["id"]), tables.name(row["failure"]), tables.words(row["message"] or "")])
    return table


def slowest(facts: Facts, store: str) -> Table:
    """List the videos that took longest."""
    more = _more(facts.slowest.offered, f"the column seconds of {store}/index.parquet has all")
    table = Table(
        "slowest", "Videos by processing time", ("Id", "Seconds", "Frames", "Frames/s", "Size", "Codec"), more=more
    )
    for row in facts.slowest.items():
        frames, spent = row["num_frames"] or 0, row["seconds"] or 0.0
        size = f"{row['width']} x {row['height']}" if row["width"] else ""
        pixels = Cell(size, (row["width"] or 0) * (row["height"] or 0))
        numbers = [tables.seconds(spent), tables.count(frames), tables.count(frames / spent if spent else 0), pixels]
        table.rows.append([tables.name(row["id"]), *numbers, tables.name(row["codec"] or row["failure"] or "")])
    return table


def risks(facts: Facts) -> Table:
    """List videos by index risk."""
    columns = ("Risk", "Videos", "Share", "Meaning", "Example")
    table = Table("risks", "Why another reader may number frames differently", columns)
    for risk, (number,), example in facts.risks.most():
        numbers = [tables.count(number), tables.share(number / max(facts.done, 1), bar=True)]
        table.rows.append([tables.name(risk), *numbers, tables.words(RISKS.get(risk, "")), tables.name(example)])
    return table


def risky_videos(facts: Facts, store: str) -> Table:
    """List videos with index risks one by one."""
    more = _more(facts.risky_rows.offered, f"the column index_risk of {store}/index.parquet has all")
    table = Table("risky", "Videos with index risks", ("Id", "Risks", "Frames", "Frames per second"), more=more)
    for row in facts.risky_rows.items():
        fps = Cell(f"{row['fps']:.6g}", row["fps"]) if row["fps"] else Cell("", 0.0)
        names = tables.words(", ".join(row["index_risk"]))
        table.rows.append([tables.name(row["id"]), names, tables.count(row["num_frames"]), fps])
    return table


def _more(offered: int, where: str) -> str:
    return f"{ROWS:,} of {offered:,} are shown; {where}." if offered > ROWS else ""


def sample_words(preview: Preview) -> list[str]:
    """Describe a sample in a few short lines."""
    row, sample = preview.sample.row, preview.sample
    rate = f"{row['fps']:.4g} fps" if row["fps"] else "frame rate unknown"
    found = [f"{row['width']} x {row['height']}, {rate}, {row['num_frames']:,} frames, {row['codec']}"]
    found += [] if math.isnan(sample.motion) else [f"energy {tables.number(sample.motion)}"]
    found += [f"{tables.percent(sample.still)} propagated"]
    return [*found, *([] if preview.problem else [f"frames {preview.first:,} to {preview.last:,} shown"])]


def settings(attributes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the settings the store was made with, as names and values."""
    spec = attributes["spec"]
    plain = {name: spec.get(name) for name in ("grid", "ratio", "seed", "energy_grid")}
    found = []
    for name in ("scheme", "source"):
        options = _pairs(spec.get(f"{name}_options", {}))
        found.append((name, f"{spec[name]} ({options})" if options else str(spec[name])))
    found += [(name.replace("_", " "), str(value)) for name, value in plain.items()]
    found += [
        ("reading", _pairs(spec.get("reading", {}))),
        ("input root", public(str(attributes.get("input_root", "")))),
    ]
    return [*found, ("versions", _pairs(attributes.get("versions", {})))]


def _pairs(values: Any) -> str:
    if not isinstance(values, Mapping):
        return tables.shortened(str(values))
    return tables.shortened(", ".join(f"{key} {value}" for key, value in values.items() if value not in (None, {}, [])))


def runs(count: int, records: Sequence[Mapping[str, Any]]) -> Table:
    """List the runs that wrote the store, latest first."""
    columns = ("Started", "Status", "Host", "Machine", "Engine", "Shard", "Done", "Failed", "Seconds", "Versions")
    more = (
        f"The last {len(records):,} of {count:,} runs are shown; the folder runs of the store has all."
        if count > len(records)
        else ""
    )
    table = Table("runs", "Runs", columns, more=more)
    for run in reversed(records):
        engine = run.get("engine") if isinstance(run.get("engine"), Mapping) else {}
        machine = f"{run.get('platform', '')}, {run.get('cpus', '?')} CPUs"
        who = [
            tables.words(run.get("started", "")),
            tables.words(run.get("status", "")),
            tables.name(run.get("host", "")),
        ]
        how = [tables.words(machine), tables.name((engine or {}).get("name", "")), tables.name(run.get("shard", ""))]
        numbers = [_number(run.get(name)) for name in ("done", "failed", "seconds")]
        table.rows.append([*who, *how, *numbers, tables.words(_pairs(run.get("versions", {})))])
    return table


def _number(value: Any) -> Cell:
    known = isinstance(value, int | float) and math.isfinite(value)
    return Cell(f"{value:,.6g}" if known else "", value if known else 0.0)
