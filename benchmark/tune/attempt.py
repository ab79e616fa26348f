"""One setting that a search tries, and how far it has come."""

from dataclasses import dataclass, field

from ...core.trial import Trial
from .oracle import Source, Values
from .outcome import Outcome


@dataclass(frozen=True)
class Stage:
    """A trial that is to be trained until an epoch; number: of the attempt."""

    number: int
    trial: Trial
    until: int


@dataclass
class Attempt:
    """number: in the order of the search, the default is 0. source: how its settings were found.

    pending: the epoch until which it is to be trained next, None while that is not known and when it is over.
    outcomes: by the epoch. stopped: why it was not trained to the end. over: no further training comes.
    """

    number: int
    trial: Trial
    values: Values
    source: Source
    pending: int | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    stopped: str = ""
    over: bool = False

    @property
    def last(self) -> Outcome | None:
        """The latest outcome."""
        return self.outcomes[max(self.outcomes)] if self.outcomes else None

    @property
    def failed(self) -> bool:
        """Whether its last training gave no score."""
        return self.last is not None and not self.last.done

    @property
    def score(self) -> float | None:
        """The score of the latest outcome, None before there is one."""
        return None if self.last is None else self.last.score

    @property
    def epochs(self) -> int:
        """Epochs really trained; a rung goes on from the checkpoint of the one before."""
        return max((outcome.epochs for outcome in self.outcomes.values()), default=0)

    @property
    def seconds(self) -> float:
        """Of training and validation. The history of a rung holds that of the ones before, unless it failed."""
        done = max((outcome.seconds for outcome in self.outcomes.values() if outcome.done), default=0.0)
        return done + sum(outcome.seconds for outcome in self.outcomes.values() if not outcome.done)

    def train(self, until: int) -> None:
        """Let it be trained until an epoch."""
        self.pending = until

    def end(self, stopped: str = "") -> None:
        """Let no further training come."""
        self.over, self.stopped = True, stopped
