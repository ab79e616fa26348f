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
    of finished trials, and of those under way as far as their epochs tell, over their work; where seconds are expected,
    a first epoch, in which the step is traced, tells nothing. What those under way do besides training takes as large a
    share as it did of finished ones. Trials that are not `done` say nothing of the others.
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
        self._training = self._with_training = 0.0
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

    def finish(self, key: str, seconds: float | None, *, done: bool, training_s: float | None = None) -> None:
        """A trial has its record; seconds: that it took, None when another driver ran it; training_s: of these."""
        self._total -= self._to_come.pop(key, 0.0)
        if not done or key not in self.work:
            return
        if seconds is None:
            self._others += self.work[key]
        else:
            self._own += self.work[key]
            self._seconds += seconds
            if training_s:
                self._training += training_s
                self._with_training += seconds

    def seconds(self, running: Iterable[Running], now: float) -> float | None:
        """Seconds left at a time of the monotonic clock; None where neither expectation nor epoch tells."""
        trials = list(running)
        whole = {one.trial.id: seconds for one in trials if (seconds := self._whole(one)) is not None}
        work = self._own + sum(self.work.get(key, 0.0) for key in whole)
        if not work and not self.expected:
            return None
        factor = (self._seconds + sum(whole.values())) / work if work else 1.0
        left = [max(0.0, self._left(one, factor, now)) for one in trials]
        ends = sorted([*left, *[0.0] * (self._workers - len(left))])
        share = self._own / (self._own + self._others) if self._own else 1.0  # of what is to come; others take theirs
        if len(self._to_come) > EXACTLY:
            return max(max(ends), (sum(ends) + self._total * factor * share) / len(ends))
        for expected in self._to_come.values():
            heapq.heapreplace(ends, ends[0] + expected * factor * share)
        return max(ends)

    def _whole(self, one: Running) -> float | None:
        """Seconds of a trial under way by its own epochs, None where they do not tell."""
        if one.training_s is None or (self.expected and one.seen == one.traced):
            return None
        return one.training_s + self._besides(one.training_s)

    def _besides(self, training_s: float) -> float:
        """Seconds of what is no training."""
        return training_s * max(0.0, self._with_training / self._training - 1.0) if self._training else 0.0

    def _left(self, one: Running, factor: float, now: float) -> float:
        if self._whole(one) is not None and one.left_s is not None and one.training_s is not None:
            spent = one.trained - one.begun + (0.0 if one.trains else now - one.seen)
            return one.left_s + max(0.0, self._besides(one.training_s) - spent)
        return self.work.get(one.trial.id, 0.0) * factor - (now - one.begun)
