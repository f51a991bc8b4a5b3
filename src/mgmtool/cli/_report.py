"""What ``mgmtool extract`` says of a run: as text, as events, in a log."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from mgmtool import extraction
from mgmtool.cli._log import Log
from mgmtool.cli._profile import print_profile
from mgmtool.cli._progress import Progress, make_progress
from mgmtool.cli._tables import json_line
from mgmtool.corpus import Part
from mgmtool.engines import Engine
from mgmtool.errors import one_line
from mgmtool.extraction import ExtractRun, Plan
from mgmtool.storage import public
from mgmtool.types import Outcome

if TYPE_CHECKING:
    from mgmtool.cli._extract import Request

_NAMED = 5
"""Most changed videos that are named on stderr."""


class Report:
    """Tells of one run wherever somebody wants to hear of it.

    Parameters
    ----------
    request : Request
        What was asked for.
    job : ExtractRun
        The run.
    engine : Engine
        Who does its work.
    log : Log
        The log file.
    """

    def __init__(self, request: Request, job: ExtractRun, engine: Engine, log: Log) -> None:
        self._request, self._job, self._engine, self._log = request, job, engine, log
        self._began, self._frames = perf_counter(), dict[int, int]()
        self.progress = Progress(0)

    def start(self) -> None:
        """Say what is going to be done."""
        facts = start_facts(self._request, self._job, self._engine)
        self._event({"event": "start", **facts})
        self._log.line("INFO", f"start on {socket.gethostname()}, process {os.getpid()}: {_command_line()}")
        self._log.line("INFO", ", ".join(f"{name} {version}" for name, version in facts["versions"].items()))
        counts = "{remaining} of {videos} videos to do, {engine} with {workers} workers, shard {shard}"
        self._log.line("INFO", counts.format(**facts))

    def changed(self) -> None:
        """Say which videos are no longer what was extracted."""
        job, request = self._job, self._request
        if not job.changed:
            return
        self._event({"event": "changed", "ids": [video.id for video in job.changed], "refresh": request.refresh})
        words = changed_words(job, request.refresh)
        self._log.line("WARNING", words)
        if not request.quiet:
            click.echo(words, err=True)

    def draw(self) -> Progress:
        """Begin to draw progress."""
        request, job = self._request, self._job
        self.progress = make_progress(request.progress, job.remaining, request.quiet, job.size_bytes)
        return self.progress

    def pulse(self) -> None:
        """Show that the run is alive, whatever happens."""
        self.progress.pulse()
        self._log.progress(self.progress.line)

    def video(self, outcome: Outcome) -> None:
        """Say how a video ended."""
        frames = 0 if outcome.facts is None else outcome.facts.num_frames
        self._frames[outcome.part] = self._frames.get(outcome.part, 0) + frames
        self._event(_video_event(outcome))
        name, quiet = one_line(outcome.video.id), self._request.quiet
        if not outcome.done:
            failed, message = f"failed ({outcome.failure})", one_line(str(outcome.message))
            self._log.line("ERROR", f"{failed} {name}: {message}")
            if not quiet:
                self.progress.say(f"{click.style(failed, fg='red')} {name}: {message}")
        elif self._request.verbose and not quiet:
            self.progress.say(f"done {name}: {frames} frames, {outcome.seconds:.2f} s")
        self.progress.advance(outcome)

    def part(self, part: Part) -> None:
        """Say that a part is committed."""
        frames = self._frames.pop(part.number, 0)
        counts = {"videos": len(part.videos), "num_frames": frames}
        self._event({"event": "part", "number": part.number, **counts})
        self._log.line("INFO", f"part {part.number} committed: {len(part.videos)} videos, {frames} frames")

    def broken_off(self) -> None:
        """Say how far things were when something ended them."""
        self._log.line("INFO", f"so far: {self._counts()}")

    def end(self, stopped: bool) -> None:
        """Say how it all ended."""
        request, words = self._request, f"{self._counts()}; {self._seconds():.1f} s"
        self._event(self._summary(stopped))
        self._log.line("INFO", f"{'stopped' if stopped else 'end'}: {words}")
        if not (request.as_json or request.quiet):
            click.echo(f"{one_line(str(request.output))}: {words}")
        if request.profile and not request.quiet:
            print_profile(self._job.totals.profile())
        if stopped and not (request.as_json or request.quiet):
            text = f"stopped: more than {request.max_failures} failures; the part being written was dropped"
            click.echo(text, err=True)

    def _event(self, event: Mapping[str, Any]) -> None:
        if self._request.as_json:
            click.echo(json_line(event))  # which flushes

    def _seconds(self) -> float:
        return perf_counter() - self._began

    def _counts(self) -> str:
        totals, earlier = self._job.totals, self._job.earlier
        classes = ", ".join(f"{count} {name}" for name, count in totals.failures.most_common())
        words = (
            f"{totals.done} done, {totals.failed} failed{f' ({classes})' if classes else ''}, {totals.frames} frames"
        )
        before = f"; {earlier['done']} done and {earlier['failed']} failed before" if earlier.total() else ""
        return words + before

    def _summary(self, stopped: bool) -> dict[str, Any]:
        totals = self._job.totals
        return {
            "event": "summary",
            "output": public(str(self._request.output)),
            "done": totals.done,
            "failed": totals.failed,
            "failures": dict(totals.failures),
            "earlier": dict(self._job.earlier),
            "num_frames": totals.frames,
            "size_bytes": totals.size_bytes,
            "seconds": round(self._seconds(), 3),
            "cpu_seconds": totals.cpu(extraction.engine_facts(self._engine)["name"] == "inline"),
            "videos_per_second": round((totals.done + totals.failed) / totals.wall, 3),
            "stopped": stopped,
            **({"profile": totals.profile()} if self._request.profile else {}),
        }


def start_facts(request: Request, plan: Plan, engine: Engine) -> dict[str, Any]:
    """Gather what is known before the first video."""
    return {
        "output": public(str(request.output)),
        "videos": len(plan.corpus.videos),
        "remaining": plan.remaining,
        "size_bytes": plan.size_bytes,
        "shard": str(plan.resume.shard),
        "engine": extraction.engine_facts(engine)["name"],
        "workers": extraction.worker_count(engine),
        "versions": extraction.versions(),
    }


def changed_words(plan: Plan, refresh: bool) -> str:
    """Name a few of the videos that have changed."""
    more = f", and {len(plan.changed) - _NAMED} more" if len(plan.changed) > _NAMED else ""
    names = ", ".join(one_line(video.id) for video in plan.changed[:_NAMED]) + more
    ending = "they are done again" if refresh else "--refresh does them again"
    return f"{len(plan.changed)} videos have changed since they were extracted: {names}; {ending}"


def _video_event(outcome: Outcome) -> dict[str, Any]:
    return {
        "event": "video",
        "id": outcome.video.id,
        "status": "done" if outcome.done else "failed",
        "failure": outcome.failure,
        "message": outcome.message,
        "num_frames": 0 if outcome.facts is None else outcome.facts.num_frames,
        "part": outcome.part,
        "seconds": round(outcome.seconds, 4),
        "cpu_seconds": round(outcome.cpu_seconds, 4),
        "size_bytes": outcome.video.size if outcome.video.size >= 0 else None,
    }


def _command_line() -> str:
    return shlex.join(["mgmtool", *map(public, sys.argv[1:])])
