"""What is known of a sweep while it runs, and what a listener to it is told."""

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.record import Record
from ...metrics.empty import apply
from .running import Running
from .time_left import TimeLeft


@dataclass
class SweepState:
    """Where a sweep stands. total: of its trials; settled: of those, that were settled when it began.

    counts: records since then, by status, those of trials that cannot be run among them. running: trials under way, by
    id. began: by the monotonic clock. policy: for empty masks, as in the sweep file.
    """

    total: int
    settled: int
    time_left: TimeLeft
    counts: Counter[str] = field(default_factory=Counter)
    running: dict[str, Running] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    policy: str = "nan_worst"

    @property
    def left_s(self) -> float | None:
        """Seconds until all is done, None where nothing tells."""
        return self.time_left.seconds(self.running.values(), time.monotonic())

    @property
    def spent_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    @property
    def over(self) -> int:
        """Trials that have their record."""
        return self.settled + self.counts.total()

    @property
    def failed(self) -> int:
        """Trials that are neither done nor declared unfit."""
        return self.counts["failed"] + self.counts["timed_out"]


class Listener:
    """Is told of a sweep while it runs; does nothing of itself. The state is as it is after what is told."""

    name = ""
    """What a warning calls it."""

    def begin(self, state: SweepState) -> None:
        """The sweep begins."""

    def known(self, state: SweepState, record: Record, name: str) -> None:
        """A trial of the sweep had its record before, and is not run."""

    def reject(self, state: SweepState, record: Record, name: str) -> None:
        """A trial cannot be run, for its data or its parts; the command has said so in a line of its own."""

    def start(self, state: SweepState, running: Running) -> None:
        """A trial goes to a worker, for the first time or once more."""

    def on_progress(self, state: SweepState, running: Running, event: Mapping[str, Any]) -> None:
        """A worker says where it is.

        event: has a `phase`. `warning`: text. `resume`: history, the rows of the epochs that a checkpoint had. `train`:
        epoch (from 0), step, of, loss (its mean over the epoch so far). `epoch`: a row of `Record.history`, and best.
        `test`: step, of. Others have a name only.
        """

    def stop(self, state: SweepState, running: Running) -> None:
        """A trial has ended at a checkpoint without a record; it is to be run again."""

    def wait(self, state: SweepState, count: int) -> None:
        """Nothing is left but what other drivers have."""

    def finish(self, state: SweepState, record: Record, name: str, running: Running | None) -> None:
        """A trial has its record; running: what it was until now, None when another driver ran it."""

    def end(self, state: SweepState) -> None:
        """The sweep is over or was ended; what still runs is in the state."""


def mean_dice(record: Record, policy: str) -> float | None:
    """The Dice of a trial in a report's table: over classes in each test case, then over cases; None where undefined.

    policy: for empty masks, as in the sweep file.
    """
    cases: dict[str, list[float]] = {}
    for row in record.scores:
        value = apply(policy, "dice", row["dice"], row["empty"]) if "dice" in row else math.nan
        if math.isfinite(value):
            cases.setdefault(row["case"], []).append(value)
    means = [sum(values) / len(values) for values in cases.values()]
    return sum(means) / len(means) if means else None
