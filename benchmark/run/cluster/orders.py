"""What a driver and the agents of its workers say to each other, by way of dask."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....core.trial import Trial
from ...trial.context import Context
from ...trial.own_parts import PartCheck

STOP, END = "stop", "end"
"""Words to an agent about the order it carries out: end at the next epoch with a checkpoint, or at once."""

Answer = tuple[Any, ...]
"""What comes of an order.

("record", json) of a trial, written already, or of a check that failed, else None. ("stopped",): asked to, with what
checkpoint there is. ("elsewhere",): another has the trial or has settled it. ("unwritten", text): the record cannot be
kept.
"""


@dataclass(frozen=True)
class Setup:
    """What is the same for all orders of a driver. limit_s: as `Runner` has it. mark: a file in the results folder."""

    context: Context
    limit_s: float
    mark: Path


@dataclass(frozen=True)
class Order:
    """A trial, or the check of a part. known: the trial's record when the run began. gpu: number among the visible."""

    what: Trial | PartCheck
    known: str | None = None
    gpu: int | None = None


@dataclass(frozen=True)
class Site:
    """Where a worker is.

    host, process: of the agent. version: of unetbench there. machine: as records have it. gpus: keys of those that
    programs see. mark: what the file of the setup says there, "" where it is not to be seen.
    """

    host: str
    process: int
    version: str
    machine: dict[str, Any]
    gpus: tuple[str, ...]
    mark: str
