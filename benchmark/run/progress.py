"""What the driver tells of a sweep under way: kept count of here, shown on stderr, and passed on to the logs."""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from ...core.errors import one_line
from ...core.record import Record
from ...core.trial import Trial
from ..naming.labels import Labels
from ..naming.trial_names import TrialNames
from .bars import Bars
from .lines import Lines
from .listener import Listener, SweepState
from .progress_text import without_password
from .running import Running
from .time_left import TimeLeft


class Progress:
    """Keeps count of a sweep and tells its listeners: bars on a terminal, plain lines elsewhere, and the logs.

    labels: what its parts are called. quiet: show nothing. expected: seconds that a trial is expected to take, by id;
    without them the time left is found from the trials so far. logs: further listeners; an error in one of them is told
    in one line, and that log hears nothing more, for no sweep is to end for it. policy: for empty masks, as in the
    sweep file, by which the Dice of finished trials is the one of tables.
    """

    def __init__(
        self,
        labels: Labels | None = None,
        *,
        quiet: bool = False,
        expected: Mapping[str, float] | None = None,
        logs: Sequence[Listener] = (),
        policy: str = "nan_worst",
    ) -> None:
        self.labels, self.expected = labels or Labels({}), expected or {}
        self.names = TrialNames([], self.labels)
        self.shown = [] if quiet else [Bars(self.labels) if _terminal() else Lines()]
        self.logs, self.policy = list(logs), policy
        self.state = SweepState(0, 0, TimeLeft([]))

    def begin(
        self,
        trials: Sequence[Trial],
        pending: Sequence[Trial],
        *,
        known: Mapping[str, Record] | None = None,
        rejected: Sequence[Record] = (),
    ) -> None:
        """Begin to count. pending: those of the trials that are to be run. known: records of before, by id.

        rejected: records of the sweep's other trials, which cannot be run; names tell all apart.
        """
        self.names = TrialNames([*trials, *(record.trial for record in rejected)], self.labels)
        left = TimeLeft(pending, self.expected)
        self.state = SweepState(len(trials) + len(rejected), len(trials) - len(pending), left, policy=self.policy)
        self._tell(lambda listener: listener.begin(self.state))
        if known and self.logs:
            to_run = {trial.id for trial in pending}
            for record in [known[trial.id] for trial in trials if trial.id in known and trial.id not in to_run]:
                name = self.name_of(record.trial)
                self._tell(lambda listener, record=record, name=name: listener.known(self.state, record, name))
        for record in rejected:
            self.state.counts[record.status] += 1
            name = self.name_of(record.trial)
            self._tell(lambda listener, record=record, name=name: listener.reject(self.state, record, name))

    def start(self, trial: Trial, where: str = "", host: str = "") -> None:
        """A trial goes to a worker, once more where it was lost.

        where: the process or the worker of a cluster; host: that the latter is on, else "".
        """
        before = self.state.running.pop(trial.id, None)
        taken = {running.worker for running in self.state.running.values()}
        worker = before.worker if before else next(k for k in range(1, len(taken) + 2) if k not in taken)
        running = Running(trial, self.name_of(trial), worker, where, time.monotonic(), host)
        self.state.running[trial.id] = running
        self.state.time_left.start(trial.id, len(self.state.running))
        self._tell(lambda listener: listener.start(self.state, running))

    def on_progress(self, trial: Trial, event: Mapping[str, Any]) -> None:
        """A worker says where it is; see `Listener.on_progress`. What comes late of a trial that is over is dropped."""
        running = self.state.running.get(trial.id)
        if running is None:
            return
        running.note(event, time.monotonic())
        self._tell(lambda listener: listener.on_progress(self.state, running, event))

    def stop(self, trial: Trial) -> None:
        """A trial has ended at a checkpoint, and has no record."""
        running = self.state.running.pop(trial.id, None)
        if running is not None:
            self.state.time_left.give_back(trial.id)
            self._tell(lambda listener: listener.stop(self.state, running))

    def wait(self, count: int) -> None:
        """Nothing is left but what other drivers have."""
        self._tell(lambda listener: listener.wait(self.state, count))

    def finish(self, record: Record, *, elsewhere: bool = False) -> None:
        """A trial has its record; elsewhere: another driver made it."""
        running = self.state.running.pop(record.trial.id, None)
        seconds = None if elsewhere or running is None else running.whole_s
        training_s = running.training_s if running is not None else None
        self.state.counts[record.status] += 1
        self.state.time_left.finish(record.trial.id, seconds, done=record.status == "done", training_s=training_s)
        name = self.name_of(record.trial)
        self._tell(lambda listener: listener.finish(self.state, record, name, None if elsewhere else running))

    def end(self) -> None:
        """The sweep is over, or was ended."""
        self._tell(lambda listener: listener.end(self.state))

    def name_of(self, trial: Trial) -> str:
        """What a trial is called."""
        return str(self.names[trial])

    def _tell(self, what: Callable[[Listener], None]) -> None:
        for listener in self.shown:
            what(listener)
        for listener in list(self.logs):
            try:
                what(listener)
            except Exception as error:  # whatever befalls a log, a server that is down or a full disk
                self.logs.remove(listener)
                told = without_password(one_line(error))  # the message of a library may have the whole address
                _warn(f"{listener.name}: {told}; nothing more is written there, and the sweep goes on")


def _terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _warn(text: str) -> None:
    tqdm.write(f"unetbench: {text}", file=sys.stderr)
