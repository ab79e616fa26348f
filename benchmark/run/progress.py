"""Progress bars for sweep, trial and epoch on stderr; plain lines where stderr is no terminal."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from ...core.record import Record
from ...core.trial import Trial
from ..naming.labels import Labels
from ..naming.trial_names import TrialNames

LINE_EVERY_S = 60.0
"""Where stderr is a log file: seconds between two lines about a trial under way."""


TIMING = "time "
"""Begins the phase in which a runtime is timed, and its name follows."""


class Progress:
    """What a person sees while a sweep runs. labels: what its parts are called. quiet: show nothing at all."""

    def __init__(self, labels: Labels | None = None, *, quiet: bool = False) -> None:
        self.labels = labels or Labels({})
        self.names = TrialNames([], self.labels)
        self.quiet, self.tty = quiet, sys.stderr.isatty()
        self.sweep: tqdm[Any] | None = None
        self.trial: tqdm[Any] | None = None
        self.epoch: tqdm[Any] | None = None
        self.started, self.of, self.count = {}, 0, 0
        self.told = time.monotonic()

    def begin(self, trials: Sequence[Trial], settled: int, beside: Sequence[Trial] = ()) -> None:
        """Open the bars. beside: trials of the sweep that are not run; names tell all apart."""
        self.names = TrialNames([*trials, *beside], self.labels)
        self.of, self.count = len(trials), settled
        if settled:
            self._line(f"{settled} of {self.of} trials are settled already")
        if self.tty and not self.quiet:
            shared: dict[str, Any] = {"file": sys.stderr, "leave": False, "dynamic_ncols": True}
            bar = "{desc:<28.28} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {postfix}"
            clock = "{desc:<28.28} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"
            self.sweep = tqdm(total=self.of, initial=settled, desc="sweep", position=0, bar_format=clock, **shared)
            self.trial = tqdm(total=1, desc="trial", position=1, bar_format=bar, **shared)
            self.epoch = tqdm(total=1, desc="epoch", position=2, bar_format=bar, **shared)

    def start(self, trial: Trial) -> None:
        """A trial goes to a worker."""
        self.started[trial.id] = time.monotonic()
        if self.trial is not None:
            self.trial.reset(trial.training.epochs)
            self.trial.set_description_str(str(self.names[trial]))

    def on_progress(self, trial: Trial, event: dict[str, Any]) -> None:
        """A worker says where it is."""
        phase = event["phase"]
        if phase == "warning":
            self._line(f"{self.names[trial]}: warning: {event['text']}")
            return
        if self.trial is None or self.epoch is None:
            if phase == "epoch" and time.monotonic() - self.told > LINE_EVERY_S:
                self.told = time.monotonic()
                reading = f"loss {event['loss']:.4f}, validation Dice {event['val_dice']:.3f}, best {event['best']:.3f}"
                self._line(f"{self.names[trial]}: epoch {event['epoch']} of {trial.training.epochs}, {reading}")
            return
        if phase == "epoch":
            self.trial.n = event["epoch"]
            shown = {"loss": f"{event['loss']:.4f}", "val_dice": f"{event['val_dice']:.3f}"}
            self.trial.set_postfix({**shown, "best": f"{event['best']:.3f}"}, refresh=True)
            return
        if phase.startswith(TIMING):
            phase = TIMING + self.labels.runtime(phase.removeprefix(TIMING))
        self.epoch.set_description_str(phase if phase != "train" else f"epoch {event['epoch'] + 1}", refresh=False)
        self.epoch.total, self.epoch.n = event.get("of", 1), event.get("step", 0)
        self.epoch.refresh()

    def wait(self, count: int) -> None:
        """Nothing is left but what other drivers have."""
        self._line(f"{count} trials are under way elsewhere; waiting for them")

    def finish(self, record: Record, *, elsewhere: bool = False) -> None:
        """A trial has its record; elsewhere: another driver made it."""
        self.count += 1
        seconds = time.monotonic() - self.started.pop(record.trial.id, time.monotonic())
        scores = [row["dice"] for row in record.scores if row["dice"] is not None]
        told = f"Dice {sum(scores) / len(scores):.3f}" if scores else record.reason
        label = f"[{self.count}/{self.of}] {self.names[record.trial]}"
        self._line(f"{label}: {record.status}, {told}, {'elsewhere' if elsewhere else f'{seconds:.0f} s'}")
        if self.sweep is not None:
            self.sweep.update()

    def end(self) -> None:
        """Close the bars."""
        for bar in (self.epoch, self.trial, self.sweep):
            if bar is not None:
                bar.close()

    def _line(self, text: str) -> None:
        if not self.quiet:
            tqdm.write(text, file=sys.stderr)
