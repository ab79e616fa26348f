"""The trials of a sweep among several drivers that run it on one results folder."""

import time
from collections.abc import Iterable, Mapping

from ...core.record import Record
from ...core.trial import Trial
from ..records.claims import Claims
from ..records.store import Store

LOOK_S = 2.0
"""Seconds between two looks at what the others do."""


class Shared:
    """Which trials are this driver's, and what becomes of those that others have.

    elsewhere: trials that another driver has claimed, by id. known: the records of before the run, by id.
    """

    def __init__(self, store: Store, claims: Claims) -> None:
        self.store, self.claims = store, claims
        self.elsewhere: dict[str, Trial] = {}
        self.known: Mapping[str, Record] = {}
        self._seen: dict[str, float] = {}
        self._looked = time.monotonic()

    def begin(self, known: Mapping[str, Record]) -> None:
        """Take note of the records, by id, that there were when it was settled which trials are to be run."""
        self.known = known

    def is_mine(self, trial: Trial) -> bool:
        """Claim a trial. False where another driver has it, or has just finished it: `look` tells the latter."""
        if not self.claims.take(trial.id):
            self.hold_back([trial])
            return False
        if not self._is_news(self.store.find(trial)):
            return True
        self.claims.drop(trial.id)
        self.hold_back([trial])
        self._looked = 0.0
        return False

    def look(self) -> tuple[list[Record], list[Trial]]:
        """The records that others have made since the last look, and the trials that they gave back or died over."""
        made: list[Record] = []
        free: list[Trial] = []
        if not self.elsewhere or time.monotonic() - self._looked < LOOK_S:
            return made, free
        for key, trial in list(self.elsewhere.items()):
            if self.claims.of_others(key) is not None:
                continue
            record = self.store.find(trial)
            if record is not None and self._is_news(record):
                made.append(record)
            else:
                free.append(trial)
            del self.elsewhere[key], self._seen[key]
        self._looked = time.monotonic()
        return made, free

    def hold_back(self, trials: Iterable[Trial]) -> None:
        """Leave trials to the others, which have them or their parents."""
        for trial in trials:
            self.elsewhere[trial.id] = trial
            self._seen.setdefault(trial.id, time.monotonic())

    def in_doubt(self) -> bool:
        """Whether a driver elsewhere has not shown since we met its claim that it lives."""
        now = time.monotonic()
        claims = {key: self.claims.of_others(key) for key in self.elsewhere}
        return any(claim is not None and claim.quiet_s > now - self._seen[key] for key, claim in claims.items())

    def _is_news(self, record: Record | None) -> bool:
        known = self.known.get(record.trial.id) if record is not None else None
        return record is not None and (known is None or record.finished != known.finished)
