"""The part of a report that says how sure each table's order is: a table and a plot for each data set."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from ...core.counted import counted
from ...core.measure import measure
from .frame import PRIMARY
from .further import FurtherReport
from .page.document import Plot
from .plots.profiles import profiles
from .statistics.centre import FEW_CASES
from .statistics.intervals import Estimate
from .statistics.pairs import MARGIN
from .tables.csv_text import csv_text
from .tables.grid import Grid
from .tables.standing import Standing, standing
from .tables.summary import ComparisonTable
from .tables.table import UNDEFINED, interval_text, signed_text

PLOT = "Performance profiles"
"""Title of the plot."""

INTERVALS = (
    "Intervals are of 95 %. Mean and interquartile mean (of the middle half of the cases): bootstrap of whole groups, "
    "widened for few, and Student's t over seeds; median: Woodruff's, from the error of the share of cases below it by "
    "group, and t over seeds (docs/numbers.md)."
)

RANKS = (
    "Rank of means: aggregate, then rank, with the middle 95 % of the ranks when groups of cases are drawn anew. Mean "
    "rank: rank in each case, then average. Better than: how many rows the paired tests of the main table show to be "
    "worse (test-based ranking)."
)

BESIDE = (
    "Beside the best: mean difference of the best row less this one; d_z: it over the standard deviation of the "
    "differences of a case; improvement: share of cases on which the best is better, ties by half; not worse: "
    "probability that this row's mean over cases is not below the best's, from both means, both deviations, the "
    "correlation of the case scores and the number of groups (Claims Reloaded, arXiv:2505.04720). All pairs are in the "
    "file that ends in -beside.csv, with correlations and intervals."
)

VERDICTS = (
    f"Verdict: differs, by the Holm-corrected paired test; equivalent, within ±{MARGIN:g} by two one-sided tests at "
    "5 %, not corrected; open, neither of the two. ‡ the difference is below the standard deviation over seeds of one "
    "of the two."
)


@dataclass(frozen=True)
class StatisticsReport(FurtherReport):
    """The statistics of one table."""

    sweep: str
    standing: Standing

    @property
    def title(self) -> str:
        """What the table is called."""
        return f"{self.standing.table.title}: statistics"

    @property
    def stem(self) -> str:
        """What its files are called."""
        return f"{self.standing.table.subject}-statistics"

    @property
    def grid(self) -> Grid:
        """Three means, three ranks, and each row beside the best."""
        found, dice = self.standing, measure(PRIMARY)
        rows, ranks = found.rows, found.ranking
        columns = {
            "Model": [row.model for row in rows],
            "Loss": [row.loss for row in rows],
            f"Mean {dice.title}": [_text(row.dice) for row in rows],
            "Median": [_text(one) for one in found.medians],
            "Interquartile mean": [_text(one) for one in found.trimmed],
            "Rank of means": [self._rank(index) for index in range(len(rows))],
            "Mean rank": [UNDEFINED if math.isnan(rank) else f"{rank:.2f}" for rank in ranks.of_cases],
            "Better than": [str(wins) for wins in found.wins],
            **self._beside_best(),
        }
        return Grid(self.title, tuple(columns), tuple(zip(*columns.values(), strict=True)), names=2)

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws it."""
        return "profiles", PLOT, lambda: profiles(self.standing.table)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""
        return (*self._warnings(), *self._stability(), INTERVALS, RANKS, BESIDE, VERDICTS)

    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded."""
        found, ranks = self.standing, self.standing.ranking
        estimates = {"mean": [row.dice for row in found.rows], "median": found.medians, "iqm": found.trimmed}
        return pd.DataFrame(
            {
                "model": [row.model for row in found.rows],
                "loss": [row.loss for row in found.rows],
                **{
                    f"{name}{ending}": [getattr(one, field) for one in entries]
                    for name, entries in estimates.items()
                    for ending, field in (("", "mean"), ("_low", "low"), ("_high", "high"), ("_sd_seeds", "spread"))
                },
                "rank_of_means": ranks.of_means,
                "rank_of_means_low": ranks.low,
                "rank_of_means_high": ranks.high,
                "mean_rank": ranks.of_cases,
                "better_than": found.wins,
            }
        )

    def pairs(self) -> pd.DataFrame:
        """What stands beside each paired comparison."""
        found, compared = self.standing.beside, self.standing.comparison
        names = [row.label for row in self.standing.rows]
        return pd.DataFrame(
            {
                "first": [names[i] for i, _ in compared.pairs],
                "second": [names[j] for _, j in compared.pairs],
                "dice_difference": compared.difference,
                "low": found.low,
                "high": found.high,
                "p": compared.p,
                "p_holm": compared.adjusted,
                "p_equivalent": found.equivalent,
                "margin": MARGIN,
                "verdict": [found.verdict(compared, pair) for pair in range(len(compared.pairs))],
                "effect_dz": found.effect,
                "improvement": found.improvement,
                "correlation": found.correlation,
                "second_not_worse": found.not_worse,
                "within_seeds": found.within_seeds,
            }
        )

    def files(self, stem: str, plots: Sequence[Plot] = ()) -> dict[str, str]:
        """The table as Markdown, LaTeX and CSV, and all pairs as CSV."""
        return super().files(stem, plots) | {f"{stem}-beside.csv": self._pairs_text}

    @cached_property
    def _pairs_text(self) -> str:
        return csv_text(self.pairs())

    def _rank(self, index: int) -> str:
        ranks = self.standing.ranking
        if math.isnan(ranks.of_means[index]):
            return UNDEFINED
        middle = f"{ranks.of_means[index]:g}"
        return middle if math.isnan(ranks.low[index]) else f"{middle} [{ranks.low[index]:g}, {ranks.high[index]:g}]"

    def _beside_best(self) -> dict[str, list[str]]:
        found, compared = self.standing.beside, self.standing.comparison
        pairs = [self.standing.with_best(index) for index in range(len(self.standing.rows))]

        def column(text: Callable[[int], str]) -> list[str]:
            return [UNDEFINED if pair is None else text(pair) for pair in pairs]

        return {
            "Best less this": column(
                lambda pair: signed_text(compared.difference[pair]) + "‡" * bool(found.within_seeds[pair])
            ),
            "d_z": column(lambda pair: _number(found.effect[pair])),
            "Improvement": column(lambda pair: _number(found.improvement[pair])),
            "Not worse": column(lambda pair: _number(found.not_worse[pair])),
            "Verdict": column(lambda pair: found.verdict(compared, pair)),
        }

    def _warnings(self) -> list[str]:
        cases = self.standing.ranking.cases
        lines = []
        fewest = min(row.cases for row in self.standing.rows)
        if fewest < FEW_CASES:
            lines.append(
                f"Warning: {counted(fewest, 'case')}; below {FEW_CASES} what the intervals promise is approximate."
            )
        left_out = self.standing.ranking.left_out
        if left_out:
            lines.append(
                f"Mean ranks are over the {counted(cases, 'case')} in which all rows have a defined score; "
                f"{left_out} with an undefined one, of masks that are empty on both sides say, are left out."
            )
        return lines

    def _stability(self) -> list[str]:
        ranks, between = self.standing.ranking, self.standing.between_metrics
        lines = []
        if not math.isnan(ranks.tau):
            text = f"Kendall's tau between the ranks of means and the mean ranks: {ranks.tau:.2f}"
            if not math.isnan(ranks.stability):
                text += f"; between the ranking and those of cases drawn anew, on average: {ranks.stability:.2f}"
            lines.append(f"{text}.")
        if between:
            told = ", ".join(f"{measure(name).title} {tau:.2f}" for name, tau in between.items())
            lines.append(f"Kendall's tau between the order by {measure(PRIMARY).title} and by other measures: {told}.")
        return lines


def statistics_reports(tables: Sequence[ComparisonTable], sweep: str) -> list[StatisticsReport]:
    """One for each table with at least two rows that have scores."""
    found = [standing(table) for table in tables]
    return [StatisticsReport(sweep, one) for one in found if one is not None]


def _text(one: Estimate) -> str:
    middle = measure(PRIMARY).text(one.mean)
    return middle if math.isnan(one.low) else f"{middle} {interval_text(one, measure(PRIMARY))}"


def _number(value: float) -> str:
    return UNDEFINED if math.isnan(value) else f"{value:.2f}".replace("-", "\u2212")
