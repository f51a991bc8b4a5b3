"""What ``mgmtool extract`` tells of a run: text, events, a log."""

from __future__ import annotations

import os
import shlex
import socket
import sys
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import click

from mgmtool.cli.console import Progress, failed, json_line, notice, show_profile
from mgmtool.cli.events import changed_words, start_facts, summary_event, totals_words, video_event
from mgmtool.cli.log import Log
from mgmtool.cli.options import Output
from mgmtool.cli.words import shown, skipped_words
from mgmtool.corpus import Part
from mgmtool.engines import Engine
from mgmtool.errors import one_line
from mgmtool.extraction import ExtractRun
from mgmtool.storage import public, redacted
from mgmtool.types import Outcome


class Narrator:
    """Tells of one run on stdout, on stderr and in a log, as the output options ask.

    Parameters
    ----------
    output : Output
        Who wants to hear what.
    run : ExtractRun
        The run.
    engine : Engine
        Who does its work.
    log : Log
        The log file.
    """

    def __init__(self, output: Output, run: ExtractRun, engine: Engine, log: Log) -> None:
        self._output, self._run, self._engine, self._log = output, run, engine, log
        self._began, self._frames = perf_counter(), dict[int, int]()
        self.progress = Progress(0)

    def start(self) -> None:
        """Say what is going to be done, and which videos are no longer what was extracted."""
        run, log = self._run, self._log
        facts = start_facts(self._output.output, run, self._engine)
        self._event({"event": "start", **facts})
        command_line = shlex.join(["mgmtool", *(redacted(public(text)) for text in sys.argv[1:])])
        log.line("INFO", f"start on {socket.gethostname()}, process {os.getpid()}: {command_line}")
        log.line("INFO", ", ".join(f"{name} {version}" for name, version in facts["versions"].items()))
        counts = "{remaining} of {videos} videos to do, {engine} with {workers} workers, shard {shard}"
        log.line("INFO", counts.format(**facts))
        self._tell_workers(facts["workers"])
        if run.corpus.skipped:
            log.line("INFO", skipped_words(run.corpus.skipped))
            if not self._output.quiet:
                notice(skipped_words(run.corpus.skipped))
        if run.changed:
            ids = [video.id for video in run.changed]
            self._event({"event": "changed", "ids": ids, "refresh": run.resume.refresh})
            log.line("WARNING", changed_words(run))
            if not self._output.quiet:
                notice(changed_words(run))

    def _tell_workers(self, count: int) -> None:
        """Say that there are fewer workers than were asked for."""
        wanted = getattr(self._engine, "workers", None)
        if isinstance(wanted, int) and count < wanted:
            words = f"{count} workers, not {wanted}: too few files may be open at a time, see ulimit -n"
            self._log.line("WARNING", words)
            if not self._output.quiet:
                notice(words)

    def draw(self) -> Progress:
        """Begin to draw progress, and to write it to the log now and then."""
        self.progress = self._output.draw(self._run.remaining, self._run.size_bytes)
        if self._output.log_file is not None:
            self.progress.on_pulse = lambda: self._log.progress(self.progress.line)
        return self.progress

    def video(self, outcome: Outcome) -> None:
        """Say how a video ended."""
        output, name = self._output, outcome.video.id
        frames = 0 if outcome.facts is None else outcome.facts.num_frames
        self._frames[outcome.part] = self._frames.get(outcome.part, 0) + frames
        self._event(video_event(outcome))
        if not outcome.done:
            line = failed(name, str(outcome.message), kind=f"failed ({outcome.failure})")
            self._log.line("ERROR", click.unstyle(line))
            if not output.quiet:
                self.progress.say(line)
        elif output.verbose and not output.quiet:
            self.progress.say(f"done {one_line(name)}: {frames} frames, {outcome.seconds:.2f} s")
        self.progress.advance(not outcome.done, frames, max(outcome.video.size, 0))

    def part(self, part: Part) -> None:
        """Say that a part is committed."""
        frames = self._frames.pop(part.number, 0)
        self._event({"event": "part", "number": part.number, "videos": len(part.videos), "num_frames": frames})
        self._log.line("INFO", f"part {part.number} committed: {len(part.videos)} videos, {frames} frames")

    def broken_off(self) -> None:
        """Say how far things were when something ended them."""
        self._log.line("INFO", f"so far: {totals_words(self._run, self._run.totals)}")

    def end(self, limit: int | None = None) -> None:
        """Say how it all ended.

        Parameters
        ----------
        limit : int, optional
            The number of failures that was exceeded, if that stopped the run.
        """
        output, run = self._output, self._run
        seconds, stopped = perf_counter() - self._began, limit is not None
        words = f"{totals_words(run, run.totals)}; {seconds:.1f} s"
        self._event(summary_event(output.output, run, run.totals, self._engine, seconds, stopped, output.profile))
        self._log.line("INFO", f"{'stopped' if stopped else 'end'}: {words}")
        tells = not (output.as_json or output.quiet)
        if tells:
            click.echo(f"{shown(output.output)}: {words}")
        if output.profile and not output.quiet:
            show_profile(run.totals.profile())
        if stopped and tells:
            notice(f"stopped: more than {limit} failures; the part being written was dropped")

    def _event(self, event: Mapping[str, Any]) -> None:
        if self._output.as_json:
            self.progress.show(json_line(event))
