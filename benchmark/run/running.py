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
    went there. resumed: epochs that its checkpoint had. trained: when its training began, 0 before. traced: when the
    first epoch here ended, seen: when the last one did; 0 before. latest: the event of the last epoch, or of the
    checkpoint's last one; empty before.
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
    traced: float = 0.0
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
        return min(1.0, (self.epoch + self._begun) / self.epochs)

    @property
    def epoch_s(self) -> float | None:
        """Seconds of an epoch, None before the first one here has ended.

        The first one, in which the step is traced, tells only while it is the only one.
        """
        later = self.epoch - self.resumed - 1
        if later > 0:
            return (self.seen - self.traced) / later
        return self.seen - self.trained if self.seen else None

    @property
    def training_s(self) -> float | None:
        """Seconds that its training takes if it goes on like the epochs seen here; None before the first has ended."""
        if self.epoch_s is None:
            return None
        epochs = self.epochs if self.trains else self.epoch  # it may have stopped early
        return self.traced - self.trained + self.epoch_s * (epochs - 1)

    @property
    def left_s(self) -> float | None:
        """Seconds of training that are left; 0 when it is over, None before the first epoch here has ended."""
        if self.epoch_s is None:
            return None
        return self.epoch_s * max(0.0, self.epochs - self.epoch - self._begun) if self.trains else 0.0

    @property
    def trains(self) -> bool:
        """Whether its training has begun and is not over."""
        return self.phase in ("train", "epoch")

    @property
    def whole_s(self) -> float:
        """Seconds since it went to its worker, and those that the epochs of its checkpoint took at the pace of here."""
        return self.spent_s + self.resumed * (self.epoch_s or 0.0)

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
            self.latest, self.seen, self.traced = event, now, self.traced or now
        self.loss = event.get("loss", self.loss)
        self.phase, self.step, self.of = phase, event.get("step", 0), event.get("of", 0)

    @property
    def _begun(self) -> float:
        """How much of the epoch at hand is over."""
        return self.step / self.of if self.phase == "train" and self.of else 0.0
