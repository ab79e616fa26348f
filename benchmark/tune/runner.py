"""Searches driven through the runner: their trials go to the same workers, by the same claims, as those of a sweep."""

from collections.abc import Sequence
from threading import Event
from typing import Any

from ...core.record import Record
from ...core.trial import Trial
from ..run.crew import Processes
from ..run.outcome import Outcome as Ran
from ..run.runner import Runner
from ..trial.context import Context
from ..trial.micro_batches import Again
from ..trial.search_trial import SearchTrial
from .attempt import Stage
from .progress import SearchProgress
from .search import Search
from .store import SearchStore


class SearchRunner(Runner):
    """Runs searches side by side. context: of the sweep, with its folder for `results` and `tune` for its name.

    A trial that two searches ask for is trained once where they want it until the same epoch, else one after the other.
    """

    def __init__(
        self,
        context: Context,
        searches: Sequence[Search],
        store: SearchStore,
        *,
        workers: int = 1,
        limit_s: float = 0.0,
        progress: SearchProgress,
        stop: Event | None = None,
    ) -> None:
        crew = Processes(context, workers, store)
        super().__init__(context, limit_s=limit_s, progress=progress, stop=stop, crew=crew)
        self.searches, self.kept, self.shown = searches, store, progress
        self.running: set[str] = set()
        self.forgotten: set[str] = set()

    def search(self) -> Ran:
        """Run all searches to their end, or until they are asked to stop. Raises StoreError."""
        self.shown.searches = self.searches
        return self.run(self._begun(), settled=(), known={})

    def order(self, trial: Trial, again: Again | None) -> Any:
        """A trial of a search, until the epoch that it is at."""
        return SearchTrial(trial, self.kept.until[trial.id], again.parts if again else 0)

    def following(self, record: Record) -> Sequence[Trial]:
        """What the searches want trained after this."""
        self.running.discard(record.trial.id)
        return self._begun()

    def _begun(self) -> list[Trial]:
        """The trials that are to be trained and are not under way, which they are from now on."""
        wanted: dict[str, tuple[Search, Stage]] = {}
        for search in self.searches:
            for stage in search.advance(self.kept.outcome):
                wanted.setdefault(stage.trial.id, (search, stage))
        found: list[Trial] = []
        for key, (search, stage) in wanted.items():
            if key not in self.running:
                self.running.add(key)
                self.kept.until[key] = stage.until
                self.shown.expect(search, stage)
                found.append(stage.trial)
        self._forget(set(wanted))
        return found

    def _forget(self, wanted: set[str]) -> None:
        """Remove checkpoints of trials that are over, in every search that has them."""
        over = {attempt.trial.id for search in self.searches for attempt in search.attempts if attempt.over}
        still = {attempt.trial.id for search in self.searches for attempt in search.open} | wanted | self.running
        for key in over - still - self.forgotten:
            self.kept.forget(key)
            self.forgotten.add(key)
