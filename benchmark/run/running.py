"""A trial under way, as far as its worker told."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.trial import Trial


@dataclass
class Running:
    """A trial under way. Times are seconds of the monotonic clock.

    name: as tables have it. worker: which of the trials at once it is, from 1 on; one that ends leaves its number to
    the next. where: the process, or the worker of a cluster, that runs it; host: of the latter, else "". begun: when it
    went there. resumed: epochs that its checkpoint had. trained: when its training began, 0 before. seen: when its
    last epoch ended, 0 before. latest: the event of that epoch, or of the checkpoint's last one; empty before.
    loss: of the epoch at hand, its mean so far.
    phase, step, of: what it does, and how far that is.
    """

    trial: Trial
    name: str
    worker: int
    where: str
    begun: float
    host: str = ""
    resumed: int = 0
    trained: float = 0.0
    seen: float = 0.0
    latest: Mapping[str, Any] = field(default_factory=dict)
    loss: float | None = None
    phase: str = ""
    step: int = 0
    of: int = 0

    @property
    def epoch(self) -> int:
        """Epochs that are over."""
        return int(self.latest.get("epoch", 0))

    @property
    def epochs(self) -> int:
        """Epochs that it trains at most."""
        return self.trial.training.epochs

    @property
    def share(self) -> float:
        """How much of its training is over, 0 to 1."""
        begun = self.step / self.of if self.phase == "train" and self.of else 0.0
        return min(1.0, (self.epoch + begun) / self.epochs)

    @property
    def trains(self) -> bool:
        """Whether its training has begun and is not over."""
        return self.phase in ("train", "epoch")

    @property
    def whole_s(self) -> float | None:
        """Seconds that all its epochs take if they go on like those seen here; None before the first has ended."""
        seen = self.epoch - self.resumed
        return (self.seen - self.trained) / seen * self.epochs if seen > 0 and self.seen else None

    @property
    def spent_s(self) -> float:
        """Seconds since it went to its worker."""
        return time.monotonic() - self.begun

    def note(self, event: Mapping[str, Any], now: float) -> None:
        """Take up what its worker says at this time; see `Listener.on_progress`."""
        phase = event["phase"]
        if phase == "warning":
            return
        if phase == "resume":
            self.latest = event["history"][-1] if event["history"] else {}
            self.resumed, self.loss = self.epoch, self.latest.get("loss")
            return
        if phase == "train":
            self.trained = self.trained or now
        if phase == "epoch":
            self.trained = self.trained or now - event["train_s"] - event["validate_s"]
            self.latest, self.seen = event, now
        self.loss = event.get("loss", self.loss)
        self.phase, self.step, self.of = phase, event.get("step", 0), event.get("of", 0)
