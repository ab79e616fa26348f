"""The lines of an event log, one JSON object each. docs/progress.md says the same for who reads them."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

SCHEMA = 1
"""Is raised when a field changes its meaning or goes; new events and fields may come at any time."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every line has besides the name of its event. time: UTC, ISO 8601, to the millisecond."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    time: str


@dataclass(frozen=True, kw_only=True)
class Begin(Event):
    """The sweep begins. settled: of its trials, that are so. host, process: of the command that runs it."""

    event: Literal["begin"] = "begin"
    schema: int
    sweep: str
    trials: int
    settled: int
    host: str
    process: int
    unetbench: str


@dataclass(frozen=True, kw_only=True)
class OfTrial(Event):
    """What every line about a trial has. id: of its record. trial: its name, as tables have it."""

    id: str
    trial: str


@dataclass(frozen=True, kw_only=True)
class OfWorker(OfTrial):
    """What every line about a trial under way has. worker: which of the trials at once it is, from 1 on."""

    worker: int


@dataclass(frozen=True, kw_only=True)
class Start(OfWorker):
    """A trial goes to a worker, once more if it was lost. where: the process, or the worker of a cluster."""

    event: Literal["start"] = "start"
    where: str
    dataset: str
    model: str
    loss: str
    seed: int
    epochs: int


@dataclass(frozen=True, kw_only=True)
class Resume(OfWorker):
    """A trial goes on from a checkpoint. epoch: how many it had."""

    event: Literal["resume"] = "resume"
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Epoch(OfWorker):
    """An epoch is over, counted from 1. loss, val_loss, val_dice: null where not finite. best: score so far."""

    event: Literal["epoch"] = "epoch"
    epoch: int
    epochs: int
    loss: float | None
    val_loss: float | None
    val_dice: float | None
    best: float | None
    rate: float
    train_s: float
    validate_s: float
    seconds_left: float | None


@dataclass(frozen=True, kw_only=True)
class Phase(OfWorker):
    """A trial does something else than before: `load`, `train`, `test`, `time RUNTIME` and the like."""

    event: Literal["phase"] = "phase"
    phase: str


@dataclass(frozen=True, kw_only=True)
class Remark(OfWorker):
    """Something about a trial that a person should know."""

    event: Literal["warning"] = "warning"
    text: str


@dataclass(frozen=True, kw_only=True)
class Stop(OfWorker):
    """A trial ended at a checkpoint, as the command was asked to; it has no record."""

    event: Literal["stop"] = "stop"


@dataclass(frozen=True, kw_only=True)
class Finish(OfTrial):
    """A trial has its record.

    worker: null when another driver ran it (elsewhere), and where it could not be run. dice: mean over test cases and
    classes. counts: records since the sweep began, by status. seconds: that it took. seconds_left: of the sweep.
    """

    event: Literal["finish"] = "finish"
    worker: int | None
    elsewhere: bool
    status: str
    reason: str
    dice: float | None
    seconds: float | None
    settled: int
    trials: int
    seconds_left: float | None
    counts: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Wait(Event):
    """Nothing is left but what other drivers have. count: of those trials."""

    event: Literal["wait"] = "wait"
    count: int


@dataclass(frozen=True, kw_only=True)
class End(Event):
    """Training is over, or was ended. under_way: trials that were running. seconds: since it began."""

    event: Literal["end"] = "end"
    settled: int
    trials: int
    under_way: int
    seconds: float
    counts: dict[str, int]


EVENTS: tuple[type[Event], ...] = (Begin, Start, Resume, Phase, Epoch, Remark, Stop, Finish, Wait, End)
"""In the order in which a trial meets them."""
