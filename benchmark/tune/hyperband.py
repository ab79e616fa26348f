"""Hyperband: many settings are trained for few epochs, and the best of them go on from where they stopped."""

from collections.abc import Iterator

from ..sweep.brackets import Bracket, brackets
from .attempt import Attempt
from .search import Search


class HyperbandSearch(Search):
    """Brackets one after the other, settings at random (Li et al. 2018, JMLR 18:1-52; see `sweep.brackets`).

    The default, attempt 0, is trained to the end at once, in one of the places of the first bracket that trains all its
    trials so. A rung is decided when all its trials have ended: those that failed have the worst score and never go
    on, and others take their places. A bracket begins when the one before is over and its whole cost is inside the
    budget; one that does not fit is passed over for the next smaller one.
    """

    members: tuple[int, ...] = ()
    bracket: Bracket | None = None
    begun: tuple[int, ...] = ()

    def _decide(self) -> bool:
        found = False
        for attempt in self.open[:1]:
            if attempt.number == 0 and attempt.pending is None:
                attempt.end()
                found = True
        if self.bracket is None:
            return found
        rung = [self.attempts[number] for number in self.members if not self.attempts[number].over]
        if not rung or any(attempt.pending is not None for attempt in rung):
            return found
        self._promote(rung, self.bracket)
        return True

    def _promote(self, rung: list[Attempt], bracket: Bracket) -> None:
        until = max(rung[0].outcomes)
        place = bracket.epochs.index(until) + 1
        if place == len(bracket.epochs):
            for attempt in rung:
                attempt.end()
            return
        most = bracket.sizes[place]
        best = sorted(rung, key=lambda attempt: (attempt.failed, -attempt.outcomes[until].score, attempt.number))
        for attempt in best[:most]:
            if not attempt.failed:
                attempt.train(bracket.epochs[place])
        for attempt in rung:
            if attempt.pending is None:
                attempt.end("" if attempt.failed else f"not among the best {most} of {len(rung)} after epoch {until}")

    def _begin(self) -> bool:
        number = len(self.attempts)
        if not number:
            default = self.proposed(0)
            if default is not None:
                default.train(self.full)
                self.attempts.append(default)
            return True
        if self._ends_here(number) or any(attempt.number for attempt in self.open):
            return False
        for index, bracket, size in self._next():
            if self._fits(number, bracket, size, index):
                self._open(number, bracket, size, index)
                return bool(self.members)
        return False

    def _next(self) -> Iterator[tuple[int, Bracket, int]]:
        """The brackets from the next one on, each once: its place, and how many new settings it takes."""
        listed = brackets(self.full, self.tuning.factor)
        last = self.begun[-1] if self.begun else -1
        for step in range(1, len(listed) + 1):
            index = (last + step) % len(listed)
            holds_default = index == len(listed) - 1 and index not in self.begun
            yield index, listed[index], listed[index].sizes[0] - holds_default

    def _fits(self, number: int, bracket: Bracket, size: int, index: int) -> bool:
        budget = self.tuning.budget
        if size < 1 or (budget.trials is not None and number + size > budget.trials):
            return False
        if number in self.kept:
            return self.kept[number].bracket == index
        cost = bracket.cost - (bracket.sizes[0] - size) * self.full
        if budget.epochs is not None and self.epochs_at_most() + cost > budget.epochs:
            return False
        return budget.seconds is None or self.seconds < budget.seconds

    def _open(self, number: int, bracket: Bracket, size: int, index: int) -> None:
        self.begun, self.bracket = (*self.begun, index), bracket
        first = len(self.attempts)
        for place in range(number, number + size):
            attempt = self.proposed(place, bracket=index)
            if attempt is None:
                break
            attempt.train(bracket.epochs[0])
            self.attempts.append(attempt)
        self.members = tuple(range(first, len(self.attempts)))
