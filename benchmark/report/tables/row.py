"""One row of a table: a model and a loss with what its trials gave."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ....core.counted import counted
from ..frame import PRIMARY
from ..statistics.intervals import Estimate
from .latency import Latency


@dataclass(frozen=True)
class Row:
    """One configuration. `estimates` average over classes case by case; `by_class` do not.

    statuses: how many trials ended how. collapsed: record → collapsed classes. rank: see `statistics.ranks`.
    without_score: trials that are done and whose Dice are all undefined. seeds: how many gave scores. cases: test cases
    scored. scored: score rows (case × class × seed); empty: how many of them have which side empty; undefined: how many
    have no Dice under the policy. case_means (cases,): Dice of each case, averaged over classes and seeds; values
    (seeds, cases): of each seed. covered: whether it has a score, defined or not, of every case of the table.
    """

    model: str
    loss: str
    records: tuple[str, ...]
    statuses: Counter[str]
    collapsed: dict[str, list[str]]
    estimates: dict[str, Estimate]
    by_class: dict[str, dict[str, Estimate]]
    rank: tuple[int, int] | None
    without_score: int
    seeds: int
    cases: int
    scored: int
    undefined: int
    empty: Counter[str]
    case_means: np.ndarray
    values: np.ndarray
    covered: bool
    latencies: tuple[Latency, ...]
    trainable: float
    total: float
    macs: float
    size: str
    train_s: float
    peak_bytes: float

    @property
    def label(self) -> str:
        """How plots name it."""
        return f"{self.model} · {self.loss}"

    @property
    def done(self) -> int:
        """Number of trials that gave scores."""
        return self.statuses["done"]

    @property
    def collapsed_text(self) -> str:
        """How many of the trials that are done collapsed."""
        return f"{len(self.collapsed)} of {counted(self.done, 'trial')} collapsed"

    @property
    def dice(self) -> Estimate:
        """The estimate that orders the table."""
        return self.estimates[PRIMARY]

    def latency(self, setting: str) -> Latency | None:
        """The samples under one setting."""
        return next((entry for entry in self.latencies if entry.setting == setting), None)
