"""The trials of a sweep among several drivers that run it on one results folder."""

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ...core.record import Record
from ...core.trial import Trial
from ..records.claims import Claims
from ..records.store import Store

LOOK_S, LOOK_SHARE = 2.0, 0.02
"""Seconds between two looks at what the others do; more where that is this share of what a look takes: it lists two
folders, which with many trials on a network file system takes seconds."""


class Shared:
    """Which trials are this driver's, and what becomes of those that others have.

    elsewhere: trials that another driver has claimed, by id. known: the records of before the run, by id.
    """

    def __init__(self, store: Store, claims: Claims) -> None:
        self.store, self.claims = store, claims
        self.elsewhere: dict[str, Trial] = {}
        self.known: Mapping[str, Record] = {}
        self._seen: dict[str, float] = {}
        self._passed: set[str] = set()
        self._next = time.monotonic() + LOOK_S

    def begin(self, known: Mapping[str, Record]) -> None:
        """Take note of the records, by id, that there were when it was settled which trials are to be run."""
        self.known = known

    def is_mine(self, trial: Trial) -> bool:
        """Claim a trial. False where another driver has it, or has just finished it: `look` tells the latter."""
        if not self.claims.take(trial.id):
            self.hold_back([trial])
            return False
        if not self._is_news(self.store.find(trial)):
            if self.claims.inherited(trial.id):
                self.store.suspect()
            return True
        self.claims.drop(trial.id)
        self.hold_back([trial])
        self._next = 0.0
        return False

    def look(self, queued: Collection[str] = ()) -> tuple[list[Record], list[Trial]]:
        """The records that others have made since the last look, and the trials that they gave back or died over.

        queued: ids of trials that this driver is still to run; records of these are told too.
        """
        made: list[Record] = []
        free: list[Trial] = []
        begun = time.monotonic()
        if begun < self._next:
            return made, free
        claimed = self.claims.others() if self.elsewhere else {}
        for key in [key for key in self.elsewhere if key not in claimed]:
            record = self.store.record_of(key)
            if record is not None and self._is_news(record):
                made.append(record)
            else:
                free.append(self.elsewhere[key])
            del self.elsewhere[key], self._seen[key]
        told = {record.trial.id for record in made} | self._passed | self.known.keys()
        for key in (self.store.own_ids() - told).intersection(queued):
            self._passed.add(key)  # what is no news is not read again at each look
            record = self.store.record_of(key)
            if record is not None and self._is_news(record):
                made.append(record)
        self._next = time.monotonic() + max(LOOK_S, (time.monotonic() - begun) / LOOK_SHARE)
        return made, free

    def tell(self, trial: Trial, event: Mapping[str, Any]) -> None:
        """Say for who asks from elsewhere how far a trial is, after an epoch."""
        text = f"epoch {event['epoch']} of {trial.training.epochs}, validation Dice {event['val_dice']:.3f}"
        self.claims.tell(trial.id, text)

    def hold_back(self, trials: Iterable[Trial]) -> None:
        """Leave trials to the others, which have them or their parents."""
        for trial in trials:
            self.elsewhere[trial.id] = trial
            self._seen.setdefault(trial.id, time.monotonic())

    def in_doubt(self) -> bool:
        """Whether a driver elsewhere has not shown since we met its claim that it lives, or has given the trial up."""
        now = time.monotonic()
        claims = self.claims.others()
        return any(key not in claims or claims[key].quiet_s > now - seen for key, seen in self._seen.items())

    def _is_news(self, record: Record | None) -> bool:
        known = self.known.get(record.trial.id) if record is not None else None
        return record is not None and (known is None or record.finished != known.finished)
