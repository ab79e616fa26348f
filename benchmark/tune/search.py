"""The search for the settings of one model on one data set: what is tried, for how long, and what has won."""

import math
from collections.abc import Callable, MutableMapping

from ...core.errors import SpecError, UnetbenchError
from ...core.trial import Trial
from ..report.statistics.compare import compare
from ..sweep.space import of_search, values_of, with_values
from ..sweep.tuning import Tuning
from .attempt import Attempt, Stage
from .oracle import Proposal, Told, Values, propose
from .outcome import Outcome

FAILURES = 10
"""Where none of so many first trials gives a score, the search ends; more of the budget would be lost."""

OutcomeOf = Callable[[str, int], Outcome | None]
"""Of a trial, by its id, and the epoch until which it is trained; None where it is still to be made."""

Ask = Callable[..., Proposal | None]
"""As `oracle.propose`."""


class AllFailed(UnetbenchError):
    """A search in which no trial gave a score has no best one."""


class Search:
    """Random and Bayesian search: one setting after another, each trained to the end unless a paired test stops it.

    default: the trial as the sweep has it, attempt 0 of the search and inside its budget. kept: proposals by number;
    new ones are put there before anything is trained, and those that are there are taken as they are, so that a search
    goes on with what it has begun. width: attempts at the same time where the budget must be looked at in between.
    awaits: whether it would go on with proposals that nobody makes, as when it is only read back.

    What a search does follows from its proposals and outcomes alone. After the initial attempts of Bayesian search, and
    where a paired test may stop attempts, they run one at a time, since each depends on those before.
    """

    def __init__(
        self,
        default: Trial,
        tuning: Tuning,
        kept: MutableMapping[int, Proposal],
        *,
        width: int = 1,
        ask: Ask = propose,
    ) -> None:
        self.default, self.tuning, self.kept, self.width, self.ask = default, tuning, kept, width, ask
        self.space = of_search(tuning.space, default.model, default.loss)
        self.full = default.recipe.epochs
        self.attempts: list[Attempt] = []
        self.exhausted = False
        self.awaits = False

    @property
    def key(self) -> str:
        """The id of its default trial."""
        return self.default.id

    @property
    def epochs(self) -> int:
        """Epochs really trained."""
        return sum(attempt.epochs for attempt in self.attempts)

    @property
    def seconds(self) -> float:
        """Of training."""
        return sum(attempt.seconds for attempt in self.attempts)

    @property
    def open(self) -> list[Attempt]:
        """The attempts that are not over."""
        return [attempt for attempt in self.attempts if not attempt.over]

    @property
    def finished(self) -> bool:
        """Whether nothing is left to be trained, as of the last `advance`."""
        return bool(self.attempts) and not self.open and not self.awaits

    @property
    def used(self) -> float:
        """Share of the budget that is used up, 0 to 1: of that part of it of which most is; 1 at the end."""
        budget = self.tuning.budget
        if self.finished:
            return 1.0
        over = len(self.attempts) - len(self.open)
        pairs = ((over, budget.trials), (self.epochs, budget.epochs), (self.seconds, budget.seconds))
        return min(1.0, max((used / most for used, most in pairs if most), default=0.0))

    def advance(self, outcome_of: OutcomeOf) -> list[Stage]:
        """Take in the outcomes that there are; return what is to be trained now, also what was returned before."""
        while self._take_in(outcome_of) or self._decide() or self._begin():
            pass
        pending = [attempt for attempt in self.attempts if attempt.pending is not None]
        return [Stage(attempt.number, attempt.trial, attempt.pending or 0) for attempt in pending]

    def winner(self) -> Attempt:
        """The attempt of the highest score among those trained to the end, of equal ones the first.

        Raises AllFailed when there is none.
        """
        whole = [attempt for attempt in self.attempts if self.full in attempt.outcomes and not attempt.failed]
        if not whole:
            reasons = [attempt.last.reason for attempt in self.attempts if attempt.last and attempt.failed]
            first = f"; the first: {reasons[0]}" if reasons else ""
            raise AllFailed(f"all {len(self.attempts)} trials of the search failed, so none is the best{first}")
        return max(whole, key=lambda attempt: (attempt.score, -attempt.number))

    def told(self) -> list[Told]:
        """What the engine may know: every attempt that is over; one that failed has the worst score."""
        return [Told(a.values, a.score) for a in self.attempts if a.over and a.score is not None]

    def _take_in(self, outcome_of: OutcomeOf) -> bool:
        found = False
        for attempt in self.attempts:
            if attempt.pending is None:
                continue
            outcome = outcome_of(attempt.trial.id, attempt.pending)
            if outcome is not None:
                attempt.outcomes[attempt.pending], attempt.pending = outcome, None
                found = True
        return found

    def _decide(self) -> bool:
        """Let the attempts whose training has ended go on or be over; whether there were any."""
        found = False
        for attempt in self.open:
            if attempt.pending is not None:
                continue
            found = True
            later = [epoch for epoch in (*self.tuning.stop_after, self.full) if epoch not in attempt.outcomes]
            reason = self._reason_to_stop(attempt) if later and not attempt.failed else ""
            if not later or attempt.failed or reason:
                attempt.end(reason)
            else:
                attempt.train(later[0])
        return found

    def _reason_to_stop(self, attempt: Attempt) -> str:
        """Why the attempt is stopped: it is worse on the same cases than the best one was after the same epoch."""
        until = max(attempt.outcomes)
        others = [other for other in self.attempts if other.over and not other.failed and self.full in other.outcomes]
        if not others:
            return ""
        best = max(others, key=lambda other: (other.score, -other.number))
        own, groups = attempt.outcomes[until].cases()
        theirs, _ = best.outcomes[until].cases()
        found = compare([own[None], theirs[None]], groups)
        if not (found.difference[0] < 0 and found.p[0] < self.tuning.stop_level):  # NaN without a common case
            return ""
        return (
            f"after epoch {until} worse than trial {best.number} was then: Dice lower by {-found.difference[0]:.3f}, "
            f"p {found.p[0]:.3g}"
        )

    def _begin(self) -> bool:
        """Begin the next attempt if the budget allows; whether one was begun."""
        number = len(self.attempts)
        by_model = self.tuning.engine == "bayesian" and number >= self.tuning.initial
        if self._ends_here(number) or not self._has_room(number, by_model):
            return False
        attempt = self.proposed(number, by_model=by_model)
        if attempt is None:
            return False
        attempt.train(min((*self.tuning.stop_after, self.full)))
        self.attempts.append(attempt)
        return True

    def _ends_here(self, number: int) -> bool:
        budget = self.tuning.budget
        if self.exhausted or (budget.trials is not None and number >= budget.trials):
            return True
        return number >= FAILURES and all(attempt.failed for attempt in self.attempts[:FAILURES])

    def _has_room(self, number: int, by_model: bool) -> bool:
        """Whether another attempt may begin now, by the budget and by what it depends on."""
        budget, running = self.tuning.budget, len(self.open)
        if self.tuning.stop_after and running:
            return False
        if number in self.kept or not number:  # begun before, whatever the clock says now
            return True
        if budget.epochs is not None and self.epochs_at_most() + self.full > budget.epochs:
            return False
        if budget.seconds is not None and self.seconds >= budget.seconds:
            return False
        in_doubt = number >= FAILURES and not any(a.last is not None and a.last.done for a in self.attempts)
        limited = budget.epochs is not None or budget.seconds is not None or in_doubt
        most = 1 if by_model else self.width if limited else math.inf
        return running < most

    def epochs_at_most(self) -> int:
        """Epochs that are trained, and that open attempts may still be."""
        return sum(attempt.epochs if attempt.over else self.full for attempt in self.attempts)

    def proposed(self, number: int, *, by_model: bool = False, bracket: int = -1) -> Attempt | None:
        """The attempt of that number, as it was kept or is proposed now; None where the space is exhausted."""
        if not number:
            return Attempt(0, self.default, values_of(self.default, self.space), "default")
        found = self.kept.get(number)
        if found is None:
            seed = self.tuning.seed
            found = self.ask(self.space, seed, number, self.told(), self.is_new, by_model=by_model)
            if found is None:
                self.exhausted = True
                return None
            found = Proposal(found.values, found.source, bracket)
            self.kept[number] = found
        return Attempt(number, with_values(self.default, found.values, self.space), found.values, found.source)

    def is_new(self, values: Values) -> bool:
        """Whether no attempt has these settings; settings that exclude each other are taken for old."""
        try:
            trial = with_values(self.default, values, self.space)
        except SpecError:
            return False
        return trial.id not in {attempt.trial.id for attempt in self.attempts}
