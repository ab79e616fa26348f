"""Progress where stderr is no terminal: plain lines, and not too many of them."""

import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...core.printable import printable
from ...core.record import Record
from ..records.store import SETTLED
from .listener import Listener, SweepState
from .progress_text import finished, outcome, scores, standing, waiting
from .running import Running

AT_FIRST, PAUSE_S = 100, 10.0
"""So many trials are told of as they end, those that failed and the others counted apart; then one in so many seconds,
with the number of the others since."""

REPORT_S, SELDOM_S, SHARE = 60.0, 1800.0, 0.05
"""Seconds between two reports of what is under way: this share of the time so far, between these two."""


class Lines(Listener):
    """Writes to stderr: each trial that ends, as long as those are not too many, and now and then what is under way."""

    def __init__(self) -> None:
        self.told, self.held = Counter[bool](), 0
        self.last = self.reported = time.monotonic()

    def begin(self, state: SweepState) -> None:
        """Say what is settled."""
        if state.settled:
            _write(f"{state.settled} of {state.total} trials are settled already")

    def on_progress(self, state: SweepState, running: Running, event: Mapping[str, Any]) -> None:
        """Pass a warning on, and report if it is time."""
        if event["phase"] == "warning":
            _write(f"{running.name}: warning: {event['text']}")
        elif event["phase"] == "epoch":
            self._report(state)

    def wait(self, state: SweepState, count: int) -> None:
        """Say for how many."""
        _write(waiting(count))

    def finish(self, state: SweepState, record: Record, name: str, running: Running | None) -> None:
        """Say how it went, or count it for the next line."""
        now, failed = time.monotonic(), record.status not in SETTLED
        if self.told[failed] >= AT_FIRST and now - self.last < PAUSE_S:
            self.held += 1
            return
        others = f" (and {self.held} more since the line before)" if self.held else ""
        _write(finished(state, record, name, running) + others)
        self.told[failed] += 1
        self.last, self.held = now, 0

    def end(self, state: SweepState) -> None:
        """Say the counts."""
        _write(outcome(state))

    def _report(self, state: SweepState) -> None:
        pause = min(max(REPORT_S, SHARE * state.spent_s), SELDOM_S)
        if time.monotonic() - self.reported < pause:
            return
        self.reported = time.monotonic()
        _write(", ".join(filter(None, [f"{state.over} of {state.total} trials have ended", standing(state)])))
        for running in sorted(state.running.values(), key=lambda running: running.worker):
            doing = f"epoch {running.epoch} of {running.epochs}" if running.latest else running.phase or "begins"
            who = running.where if running.host else f"worker {running.worker}"
            _write(f"  {who}: {running.name}: {', '.join([doing, *scores(running)])}")


def _write(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)
