"""What is told of searches while they run: their stages are the trials that progress counts, and come one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...core.record import Record
from ...core.trial import Trial
from ..naming.labels import Labels
from ..run.listener import Listener, SweepState
from ..run.progress import Progress
from ..run.time_left import TimeLeft
from .attempt import Stage
from .search import Search


@dataclass
class SearchState(SweepState):
    """Where searches stand. total: of stages, those that are known. before: share of the budgets used before."""

    searches: Sequence[Search] = ()
    before: float = 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until the budgets are used up, if they are used on as since the begin; None before anything was."""
        used = _used(self.searches)
        return self.spent_s * (1.0 - used) / (used - self.before) if used > self.before else None


class SearchProgress(Progress):
    """Progress of searches. called: what each search is called, by the id of its default trial.

    A trial counts once for each epoch that it is trained to and looked at, which Hyperband and a rule for stopping have
    several of.
    """

    def __init__(
        self,
        called: Mapping[str, str],
        labels: Labels | None = None,
        *,
        quiet: bool = False,
        logs: Sequence[Listener] = (),
    ) -> None:
        super().__init__(labels, quiet=quiet, logs=logs)
        self.called = called
        self.stages: dict[str, str] = {}
        self.searches: Sequence[Search] = ()

    def begin(
        self,
        trials: Sequence[Trial],
        pending: Sequence[Trial],
        *,
        known: Mapping[str, Record] | None = None,
        rejected: Sequence[Record] = (),
    ) -> None:
        """Begin to count; how many trials there will be is not known."""
        settled = sum(len(attempt.outcomes) for search in self.searches for attempt in search.attempts)
        before = _used(self.searches)
        self.state = SearchState(self._total(), settled, TimeLeft(pending), searches=self.searches, before=before)
        self._tell(lambda listener: listener.begin(self.state))

    def expect(self, search: Search, stage: Stage) -> None:
        """A trial of a search is going to be trained until an epoch."""
        until = f" until epoch {stage.until}" if stage.until < search.full else ""
        self.stages[stage.trial.id] = f"{self.called[search.key]} · trial {stage.number}{until}"
        self.state.total = self._total()

    def end(self) -> None:
        """The searches are over, maybe before their budgets were used up, or were ended."""
        if all(search.finished for search in self.searches):
            self.state.total = self.state.over
        super().end()

    def name_of(self, trial: Trial) -> str:
        """The search, and the trial by its number in it."""
        return self.stages[trial.id]

    def _total(self) -> int:
        """Stages that were and are; where a search has one a trial, those that its budget of trials allows."""
        total = 0
        for search in self.searches:
            known = sum(len(attempt.outcomes) + (attempt.pending is not None) for attempt in search.attempts)
            one_each = search.tuning.engine != "hyperband" and not search.tuning.stop_after
            allowed = search.tuning.budget.trials or 0 if one_each and not search.finished else 0
            total += max(known, allowed)
        return total


class RetrainProgress(Progress):
    """Progress of the trials after the searches. called: by id, with whether it is the default or the tuned setting.

    Names of a sweep's trials leave out the recipe, so that both would be called alike.
    """

    def __init__(
        self, called: Mapping[str, str], labels: Labels | None = None, *, quiet: bool = False, policy: str = "nan_worst"
    ) -> None:
        super().__init__(labels, quiet=quiet, policy=policy)
        self.called = called

    def name_of(self, trial: Trial) -> str:
        """The search, the role of the setting in it, and the seed."""
        return self.called[trial.id]


def _used(searches: Sequence[Search]) -> float:
    """Share of the budgets that is used up, a mean over searches."""
    return sum(search.used for search in searches) / len(searches) if searches else 0.0
