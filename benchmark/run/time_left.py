"""How long a sweep will still take: from the work of its trials, not from their number."""

import heapq
from collections.abc import Iterable, Mapping

from ...core.trial import Trial
from .running import Running

EXACTLY = 1000
"""Trials to come up to which they are laid out worker by worker; more are divided among the workers."""


class TimeLeft:
    """Seconds until the last trial ends.

    The work of a trial is the seconds expected for it, by id, as `plan` estimates them. Where they are not known, an
    epoch counts as much as one of the others on average. What is expected is corrected by what is seen: the seconds
    of finished trials, and of those under way as far as their epochs tell, over their work. Trials that are not `done`
    say nothing of the others.
    """

    def __init__(self, trials: Iterable[Trial], expected: Mapping[str, float] | None = None) -> None:
        epochs = {trial.id: trial.training.epochs for trial in trials}
        known = {key: expected[key] for key in epochs if expected and key in expected}
        per_epoch = sum(known.values()) / sum(epochs[key] for key in known) if known else 1.0
        self.expected = bool(known)
        self.work = {key: known.get(key, count * per_epoch) for key, count in epochs.items()}
        self._to_come = dict(self.work)
        self._total = sum(self.work.values())
        self._seconds = self._own = self._others = 0.0
        self._workers = 1

    def start(self, key: str, running: int) -> None:
        """A trial begins, so that as many run at once."""
        self._workers = max(self._workers, running)
        self._total -= self._to_come.pop(key, 0.0)

    def give_back(self, key: str) -> None:
        """A trial that had begun is to come again."""
        if key in self.work and key not in self._to_come:
            self._to_come[key] = self.work[key]
            self._total += self.work[key]

    def finish(self, key: str, seconds: float | None, *, done: bool) -> None:
        """A trial has its record; seconds: that it took here, None when another driver ran it."""
        self._total -= self._to_come.pop(key, 0.0)
        if not done or key not in self.work:
            return
        if seconds is None:
            self._others += self.work[key]
        else:
            self._own += self.work[key]
            self._seconds += seconds

    def seconds(self, running: Iterable[Running], now: float) -> float | None:
        """Seconds left at a time of the monotonic clock; None where neither expectation nor epoch tells."""
        trials = list(running)
        whole = {one.trial.id: one.whole_s for one in trials if one.whole_s is not None}
        work = self._own + sum(self.work.get(key, 0.0) for key in whole)
        if not work and not self.expected:
            return None
        factor = (self._seconds + sum(whole.values())) / work if work else 1.0
        left = [max(0.0, self._left(one, whole.get(one.trial.id), factor, now)) for one in trials]
        ends = sorted([*left, *[0.0] * (self._workers - len(left))])
        share = (
            self._own / (self._own + self._others) if self._own else 1.0
        )  # of what is to come, the others take theirs
        if len(self._to_come) > EXACTLY:
            return max(max(ends), (sum(ends) + self._total * factor * share) / len(ends))
        for expected in self._to_come.values():
            heapq.heapreplace(ends, ends[0] + expected * factor * share)
        return max(ends)

    def _left(self, one: Running, whole: float | None, factor: float, now: float) -> float:
        if whole is not None:
            return whole * (1.0 - one.share) if one.trains else 0.0
        return self.work.get(one.trial.id, 0.0) * factor - (now - one.begun)
