"""How sure a table's order is: other means than the mean, ranks by several schemes, and each row beside the best."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ....core.measure import measure
from ..frame import PRIMARY
from ..statistics.centre import median_estimate, trimmed_estimate
from ..statistics.compare import ALPHA, Comparison
from ..statistics.intervals import Estimate
from ..statistics.pairs import Beside, beside
from ..statistics.schemes import Ranking, agreement, ranking
from .row import Row
from .summary import ComparisonTable


@dataclass(frozen=True)
class Standing:
    """The statistics of one table's rows with scores, in its order. comparison: of the table, with two rows or more."""

    table: ComparisonTable
    comparison: Comparison

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows that are compared."""
        return self.table.compared

    @cached_property
    def medians(self) -> list[Estimate]:
        """Median of the case scores of each row."""
        return [
            median_estimate(row.values, self.table.case_groups, bounds=measure(PRIMARY).bounds) for row in self.rows
        ]

    @cached_property
    def trimmed(self) -> list[Estimate]:
        """Interquartile mean of the case scores of each row."""
        return [
            trimmed_estimate(row.values, self.table.case_groups, bounds=measure(PRIMARY).bounds) for row in self.rows
        ]

    @cached_property
    def beside(self) -> Beside:
        """What stands beside each pair."""
        return beside([row.values for row in self.rows], self.table.case_groups, self.comparison)

    @cached_property
    def ranking(self) -> Ranking:
        """Ranks of means and of cases."""
        return ranking([row.values for row in self.rows], self.table.case_groups, [row.covered for row in self.rows])

    @cached_property
    def wins(self) -> list[int]:
        """Test-based ranking: how many rows each is shown to be better than."""
        found = [0] * len(self.rows)
        shown = self.comparison.adjusted < ALPHA
        for (i, j), gap, told in zip(self.comparison.pairs, self.comparison.difference, shown, strict=True):
            found[i if gap > 0 else j] += bool(told)
        return found

    def with_best(self, index: int) -> int | None:
        """The pair of the first row and another one, None for the first itself."""
        return index - 1 if index else None  # the pairs (0, 1), (0, 2), … come first

    @cached_property
    def between_metrics(self) -> dict[str, float]:
        """Kendall's tau between the order of mean Dice and that of the mean of each other measure."""
        dice = np.array([row.dice.mean for row in self.rows])
        found = {}
        for name in self.table.measures:
            sign = {"higher": 1.0, "lower": -1.0}.get(measure(name).better, 0.0)
            means = np.array([row.estimates[name].mean for row in self.rows])
            if name != PRIMARY and sign:
                found[name] = agreement(dice, sign * means)
        return {name: tau for name, tau in found.items() if not math.isnan(tau)}


def standing(table: ComparisonTable) -> Standing | None:
    """The statistics of a table; None for fewer than two rows with scores."""
    return None if table.comparison is None else Standing(table, table.comparison)
