"""What a person sees while a search runs."""

import time
from collections.abc import Mapping, Sequence

from ...core.record import Record
from ...core.trial import Trial
from ..naming.labels import Labels
from ..run.progress import Progress
from .attempt import Stage
from .outcome import SCORE, Outcome
from .search import Search


class SearchProgress(Progress):
    """Progress of searches. called: what each search is called, by the id of its default trial."""

    def __init__(self, called: Mapping[str, str], labels: Labels | None = None, *, quiet: bool = False) -> None:
        super().__init__(labels, quiet=quiet)
        self.called = called
        self.stages: dict[str, tuple[Search, Stage]] = {}

    def begin(self, trials: Sequence[Trial], settled: int, beside: Sequence[Trial] = ()) -> None:
        """Open the bars; how many trials there will be is not known."""
        super().begin(trials, settled, beside)
        self.names = _Names(self.stages, self.called)

    def expect(self, search: Search, stage: Stage) -> None:
        """A trial of a search is going to be trained until an epoch."""
        self.stages[stage.trial.id] = search, stage
        if self.sweep is not None:
            self.of = self.count + len(self.stages)
            self.sweep.total = self.of
            self.sweep.refresh()

    def finish(self, record: Record, *, elsewhere: bool = False) -> None:
        """A trial has come to its epoch."""
        self.count += 1
        search, stage = self.stages.pop(record.trial.id)
        outcome = Outcome(stage.until, record)
        seconds = time.monotonic() - self.started.pop(record.trial.id, time.monotonic())
        told = f"validation {SCORE.title} {SCORE.text(outcome.score)}" if outcome.done else outcome.reason
        rung = f", epoch {stage.until}" if stage.until < search.full else ""
        where = "elsewhere" if elsewhere else f"{seconds:.0f} s"
        self._line(f"{self.called[search.key]}: trial {stage.number}{rung}: {record.status}, {told}, {where}")
        if self.sweep is not None:
            self.sweep.update()


class _Names(dict[Trial, str]):
    """Names of the trials that are expected."""

    def __init__(self, stages: Mapping[str, tuple[Search, Stage]], called: Mapping[str, str]) -> None:
        super().__init__()
        self.stages, self.called = stages, called

    def __missing__(self, trial: Trial) -> str:
        search, stage = self.stages[trial.id]
        return f"{self.called[search.key]} · trial {stage.number}"
