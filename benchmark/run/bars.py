"""Progress on a terminal: a bar for the sweep, and below it one line for each worker."""

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from ...core.printable import one_line_printable, printable
from ...core.record import Record
from ..naming.labels import Labels
from .listener import Listener, SweepState
from .progress_text import TIMING, finished, outcome, scores, standing, waiting
from .running import Running

REDRAW_S = 0.1
"""Seconds between two drawings of a line."""

SHORTEST = 12
"""Columns that a trial's name has at least; of what follows, the end is cut on a terminal that is narrower."""


class Bars(Listener):
    """Draws on stderr. Lines that stay (finished trials, warnings) scroll by above."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.sweep: tqdm[Any] | None = None
        self.lines: dict[int, tqdm[Any]] = {}
        self.drawn: dict[int, float] = {}

    def begin(self, state: SweepState) -> None:
        """Say what is settled, and draw the bar."""
        if state.settled:
            _write(f"{state.settled} of {state.total} trials are settled already")
        shape = "sweep {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix} [{elapsed}]"
        self.sweep = tqdm(
            total=state.total,
            initial=state.settled,
            bar_format=shape,
            position=0,
            file=sys.stderr,
            leave=False,
            dynamic_ncols=True,
        )

    def start(self, state: SweepState, running: Running) -> None:
        """Draw the line of its worker."""
        self._draw(state, running)

    def on_progress(self, state: SweepState, running: Running, event: Mapping[str, Any]) -> None:
        """Draw that line anew; a warning stays."""
        if event["phase"] == "warning":
            _write(f"{running.name}: warning: {event['text']}")
        elif time.monotonic() - self.drawn.get(running.worker, 0.0) > REDRAW_S:
            self._draw(state, running)

    def stop(self, state: SweepState, running: Running) -> None:
        """Leave the line of its worker empty."""
        self._clear(state, running)

    def wait(self, state: SweepState, count: int) -> None:
        """Say for how many."""
        _write(waiting(count))

    def finish(self, state: SweepState, record: Record, name: str, running: Running | None) -> None:
        """Say how it went."""
        _write(finished(state, record, name, running))
        if running is not None:
            self._clear(state, running)
        else:
            self._draw_sweep(state)

    def end(self, state: SweepState) -> None:
        """Take bar and lines away, and leave the counts."""
        for bar in (*self.lines.values(), self.sweep):
            if bar is not None:
                bar.close()
        _write(outcome(state))

    def _draw(self, state: SweepState, running: Running) -> None:
        line = self.lines.get(running.worker)
        if line is None:
            line = tqdm(
                total=1, bar_format="{desc}", position=running.worker, file=sys.stderr, leave=False, dynamic_ncols=True
            )
            self.lines[running.worker] = line
        line.set_description_str(worker_line(running, self.labels, _columns()))
        self.drawn[running.worker] = time.monotonic()
        self._draw_sweep(state)

    def _clear(self, state: SweepState, running: Running) -> None:
        if running.worker in self.lines:
            self.lines[running.worker].set_description_str(f"{running.worker} idle")
        self._draw_sweep(state)

    def _draw_sweep(self, state: SweepState) -> None:
        if self.sweep is not None:
            self.sweep.n = state.over
            self.sweep.set_postfix_str(standing(state))


def worker_line(running: Running, labels: Labels, columns: int) -> str:
    """The line of a worker, in so many columns: number, trial, share of its training, epoch, and its last readings.

    After the number stands the host, where it is a worker of a cluster.
    """
    after = "  ".join([f"{running.share:4.0%}", _doing(running, labels), *scores(running)])
    who = f"{running.worker} on {running.host}" if running.host else f"{running.worker}"
    room = columns - len(f"{who} ") - len(f"  {after}")
    name = shortened(one_line_printable(running.name), max(SHORTEST, room))
    return f"{who} {name}  {after}"[:columns]


def shortened(name: str, width: int) -> str:
    """A name in so many columns, filled up with spaces; a longer one loses its middle, for its end is the seed."""
    if len(name) <= width:
        return name.ljust(width)
    end = width // 3
    return f"{name[: width - end - 1]}…{name[len(name) - end :]}"


def _doing(running: Running, labels: Labels) -> str:
    phase = running.phase
    if phase in ("train", "epoch"):
        return f"epoch {min(running.epoch + (phase == 'train'), running.epochs)}/{running.epochs}"
    if phase.startswith(TIMING):
        return TIMING + labels.runtime(phase.removeprefix(TIMING))
    return f"{phase or 'begins'} {running.step}/{running.of}" if running.of else phase or "begins"


def _columns() -> int:
    """Of the terminal, less one, for some go to the next line when the last one is filled."""
    return os.get_terminal_size(sys.stderr.fileno()).columns - 1


def _write(text: str) -> None:
    tqdm.write(printable(text), file=sys.stderr)
