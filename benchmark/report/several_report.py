"""The part of a report that compares configurations over several data sets: a table and a diagram."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...core.counted import counted
from ...core.measure import measure
from .frame import PRIMARY
from .further import FurtherReport
from .page.document import Plot
from .plots.critical import critical
from .statistics.compare import ALPHA
from .statistics.schemes import agreement
from .statistics.several import FEWEST, Several, several
from .tables.csv_text import csv_text
from .tables.grid import Grid
from .tables.row import Row
from .tables.summary import ComparisonTable

PLOT = "Critical differences"
"""Title of the diagram."""

DRAWN = 40
"""Configurations that the diagram has room for."""

NOTES = (
    "A data set is one observation, whose mean Dice is ranked among those of the configurations that all of these data "
    "sets have scored; equal means to nine digits share a rank. Rank of the mean: aggregate over data sets, then rank; "
    "mean rank: rank in each data set, then average.",
    "Friedman's test is corrected for ties; pairs are tested by Wilcoxon's signed ranks, corrected after Holm "
    "(Benavoli et al. 2016, JMLR 17(5); Demšar 2006, JMLR 7). Nemenyi's p, which ignores ties, stands beside it in the "
    "file that ends in -beside.csv, and its critical difference in the diagram; neither decides.",
)


@dataclass(frozen=True)
class SeveralReport(FurtherReport):
    """The configurations that every data set of a machine has scored on all its cases.

    rows: by configuration, its row in each table. left_out: how many configurations lack a data set or cases.
    """

    sweep: str
    tables: tuple[ComparisonTable, ...]
    rows: dict[tuple[str, str], tuple[Row, ...]]
    left_out: int

    @property
    def title(self) -> str:
        """What the table is called."""
        return f"{len(self.tables)} data sets on {self.tables[0].machine}"

    @property
    def stem(self) -> str:
        """What its files are called."""
        return "data-sets"

    @cached_property
    def scores(self) -> np.ndarray:
        """Mean Dice `(data sets, configurations)`."""
        return np.array([[row.dice.mean for row in found] for found in self.rows.values()]).T

    @cached_property
    def found(self) -> Several:
        """The tests."""
        return several(self.scores)

    @cached_property
    def order(self) -> list[int]:
        """The configurations, the best mean rank first."""
        return [int(index) for index in np.argsort(self.found.mean_ranks, kind="stable")]

    @property
    def grid(self) -> Grid:
        """Mean Dice of each data set, and the ranks."""
        reading, names, means = measure(PRIMARY), list(self.rows), self.scores.mean(axis=0)
        columns = {
            "Model": [names[index][0] for index in self.order],
            "Loss": [names[index][1] for index in self.order],
            **{
                table.subject: [reading.text(self.scores[place, index]) for index in self.order]
                for place, table in enumerate(self.tables)
            },
            f"Mean {reading.title}": [reading.text(means[index]) for index in self.order],
            "Rank of the mean": [f"{1 + (np.round(means, 9) > round(means[i], 9)).sum()}" for i in self.order],
            "Mean rank": [f"{self.found.mean_ranks[index]:.2f}" for index in self.order],
        }
        return Grid(self.title, tuple(columns), tuple(zip(*columns.values(), strict=True)), names=2)

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws it."""
        most = f", the first {DRAWN} of {len(self.rows)}" if len(self.rows) > DRAWN else ""
        return "critical", PLOT + most, self._drawn

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""
        found, count = self.found, len(self.tables)
        shown = int((found.adjusted < ALPHA).sum())
        chi = "undefined, all is tied" if math.isnan(found.statistic) else f"χ² {found.statistic:.2f}, p {found.p:.3g}"
        lines = [f"Friedman: {chi}. {shown} of {counted(len(found.pairs), 'pair')} are shown to differ."]
        if count < FEWEST:
            lines.append(
                f"{count} data sets can show no pair to differ: a signed-rank test needs {FEWEST} for a p below 5 %."
            )
        tau = agreement(self.scores.mean(axis=0), -found.mean_ranks)
        if not math.isnan(tau):
            lines.append(f"Kendall's tau between both rankings: {tau:.2f}.")
        if self.left_out:
            lines.append(f"Left out: {counted(self.left_out, 'configuration')} without a score of every case here.")
        return (*lines, *NOTES)

    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded."""
        names = list(self.rows)
        return pd.DataFrame(
            {
                "model": [names[index][0] for index in self.order],
                "loss": [names[index][1] for index in self.order],
                **{table.subject: self.scores[place, self.order] for place, table in enumerate(self.tables)},
                "mean": self.scores.mean(axis=0)[self.order],
                "mean_rank": self.found.mean_ranks[self.order],
            }
        )

    def pairs(self) -> pd.DataFrame:
        """Every pair's tests."""
        names, found = [" · ".join(name) for name in self.rows], self.found
        return pd.DataFrame(
            {
                "first": [names[i] for i, _ in found.pairs],
                "second": [names[j] for _, j in found.pairs],
                "mean_rank_difference": [found.mean_ranks[i] - found.mean_ranks[j] for i, j in found.pairs],
                "p_wilcoxon": found.wilcoxon,
                "p_holm": found.adjusted,
                "p_nemenyi": found.nemenyi,
            }
        )

    def files(self, stem: str, plots: Sequence[Plot] = ()) -> dict[str, str]:
        """The table as Markdown, LaTeX and CSV, and all pairs as CSV."""
        return super().files(stem, plots) | {f"{stem}-beside.csv": csv_text(self.pairs())}

    def _drawn(self) -> Figure:
        chosen = self.order[:DRAWN]
        alike = np.eye(len(self.rows), dtype=bool)
        for (i, j), p in zip(self.found.pairs, self.found.adjusted, strict=True):
            alike[i, j] = alike[j, i] = p >= ALPHA
        names = [" · ".join(name) for name in self.rows]
        shown = [names[index] for index in chosen]
        return critical(shown, self.found.mean_ranks[chosen], alike[np.ix_(chosen, chosen)], self.found.critical)


def several_reports(tables: Sequence[ComparisonTable], sweep: str) -> list[SeveralReport]:
    """One for each machine with at least two data sets that share two configurations.

    A data set with several tables there, of other splits or recipes, takes no part: which of them stood for it?
    """
    found: list[SeveralReport] = []
    for machine in dict.fromkeys(table.machine for table in tables):
        here = [table for table in tables if table.machine == machine]
        names = Counter(table.name for table in here)
        own = [table for table in here if names[table.name] == 1 and table.compared]
        if len(own) < 2:
            continue
        rows = [{(row.model, row.loss): row for row in table.compared if row.covered} for table in own]
        shared = [name for name in rows[0] if all(name in other for other in rows)]
        if len(shared) > 1:
            every = {(row.model, row.loss) for table in own for row in table.rows}
            by_name = {name: tuple(other[name] for other in rows) for name in shared}
            found.append(SeveralReport(sweep, tuple(own), by_name, len(every) - len(shared)))
    return found
