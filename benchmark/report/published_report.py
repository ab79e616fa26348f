"""The part of a report with results of the literature: what was published stands apart from what was run here."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..records.published import Published, PublishedResult, read_published
from .further import FurtherReport
from .plots.published import published_plot
from .statistics.friedman import mean_ranks
from .tables.grid import Grid
from .tables.table import UNDEFINED

TITLE = "Published results (not run here)"

APART = (
    "These numbers are copied from publications. Data splits, preprocessing and scoring are those of their authors: "
    "they are in no paired test and no rank with the results of this sweep, and a difference to those is no finding."
)


@dataclass(frozen=True)
class PublishedReport(FurtherReport):
    """The imported tables of a sweep's folder."""

    sweep: str
    tables: tuple[Published, ...]

    @property
    def title(self) -> str:
        """What the table is called."""
        return TITLE

    @property
    def stem(self) -> str:
        """What its files are called."""
        return "published"

    @property
    def rows(self) -> list[tuple[int, PublishedResult]]:
        """Number of the source, from 1, and result; by data set and measure, the best first."""
        found = [(number, one) for number, table in enumerate(self.tables, 1) for one in table.results]
        places = {key: place for place, key in enumerate(dict.fromkeys((one.dataset, one.measure) for _, one in found))}
        signs = {"higher": -1, "lower": 1, "none": 0}
        return sorted(
            found, key=lambda row: (places[row[1].dataset, row[1].measure], signs[row[1].better] * row[1].value)
        )

    @property
    def grid(self) -> Grid:
        """Each number with its source; what was reconstructed is called so."""
        rows = [one for _, one in self.rows]
        columns = {
            "Model": [one.model for one in rows],
            "Data set": [one.dataset for one in rows],
            "Measure": [one.title for one in rows],
            "Published": [_text(one, one.value) for one in rows],
            "95\u00a0%\u00a0CI": [_interval(one) for one in rows],
            "Interval": [self._origin(one) for one in rows],
            "Cases": [UNDEFINED if one.cases is None else str(one.cases) for one in rows],
            "Source": [f"[{number}]" for number, _ in self.rows],
        }
        return Grid(self.title, tuple(columns), tuple(zip(*columns.values(), strict=True)), names=3)

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws it."""
        return "intervals", TITLE, lambda: published_plot([one for _, one in self.rows])

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""
        sources = [f"[{number}] {table.source}, doi:{table.doi}" for number, table in enumerate(self.tables, 1)]
        made = [
            f"({letter}) Reconstructed here, not published: {how}; cases are taken as independent."
            for how, letter in self._formulas.items()
        ]
        doubts = [f"[{k}] unetbench lint: {text}" for k, table in enumerate(self.tables, 1) for text in table.doubts]
        return (APART, *sources, *made, *self._ranked(), *doubts)

    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded."""
        return pd.DataFrame(
            {
                "model": one.model,
                "data_set": one.dataset,
                "measure": one.measure,
                "published": one.value,
                "low": one.low,
                "high": one.high,
                "interval": one.interval,
                "formula": one.how,
                "cases": one.cases,
                "source": self.tables[number - 1].source,
                "doi": self.tables[number - 1].doi,
            }
            for number, one in self.rows
        )

    @property
    def _formulas(self) -> dict[str, str]:
        """The formulas of reconstructed intervals, each with its letter."""
        return dict(zip(dict.fromkeys(one.how for _, one in self.rows if one.how), ascii_lowercase, strict=False))

    def _origin(self, one: PublishedResult) -> str:
        if one.interval == "none":
            return UNDEFINED
        return f"{one.interval} ({self._formulas[one.how]})" if one.how else one.interval

    def _ranked(self) -> Iterator[str]:
        """Mean ranks of each table that has three data sets or more: within one publication, never across."""
        for number, table in enumerate(self.tables, 1):
            for measure in dict.fromkeys(one.measure for one in table.results if one.better != "none"):
                if text := _ranks([one for one in table.results if one.measure == measure]):
                    yield f"[{number}] {text}"


def _ranks(results: Sequence[PublishedResult]) -> str:
    """Mean ranks of the models that have a number on every data set."""
    values = {(one.dataset, one.model): one.value for one in results}
    datasets = list(dict.fromkeys(one.dataset for one in results))
    models = [m for m in dict.fromkeys(one.model for one in results) if all((d, m) in values for d in datasets)]
    if len(values) < len(results) or not models:
        return ""
    table = np.array([[values[d, m] for m in models] for d in datasets])
    found = mean_ranks(table, higher=results[0].better == "higher")
    if found is None:
        return ""
    order = sorted(zip(found.ranks, models, strict=True))
    listed = ", ".join(f"{model} {rank:.2f}" for rank, model in order)
    return (
        f"{results[0].title}, mean ranks over {len(datasets)} data sets of this publication: {listed}. Friedman's χ² "
        f"{found.statistic:.2f}, p {found.p:.2g} by permutation; two differ at 5 % where they are "
        f"{found.difference:.2f} apart (Nemenyi; Demšar 2006)."
    )


def published_reports(sweep: Path, name: str) -> list[PublishedReport]:
    """One where tables were imported into the sweep's folder. Raises StoreError for a damaged file."""
    tables = tuple(read_published(sweep))
    return [PublishedReport(name, tables)] if tables else []


def _text(one: PublishedResult, value: float) -> str:
    return f"{value:.{one.decimals}f}" if math.isfinite(value) else UNDEFINED


def _interval(one: PublishedResult) -> str:
    return UNDEFINED if one.low is None or one.high is None else f"[{_text(one, one.low)}, {_text(one, one.high)}]"
