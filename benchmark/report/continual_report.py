"""The part of a report about batches that arrive one after the other: a table and accuracy matrices a data set."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ...core.measure import measure
from .frame import PRIMARY, Frames
from .further import FurtherReport
from .page.document import Plot
from .plots.continual import matrices
from .statistics.intervals import Estimate
from .tables.continual import JOINT, ContinualRow, ContinualRuns, continual_runs
from .tables.csv_text import csv_text
from .tables.grid import Grid
from .tables.summary import ComparisonTable
from .tables.table import UNDEFINED, digits, interval_text, percent_text, scaled, signed_text

PLOT = "Accuracy matrices"
"""Title of the plot."""

KILOBYTE = 1e3

NOTES = (
    "R[k, j] is the mean Dice of the test cases of the j-th batch to arrive after the k-th stage, T is the number of "
    "batches; each reading is of one order of arrival at one seed, a run, and the mean over runs is shown.",
    "Final: mean over j of R[T, j]. Forgetting: mean over j < T of max over k < T of R[k, j], less R[T, j] (Chaudhry "
    "et al. 2018, arXiv:1801.10112). Plasticity: mean of R[j, j]. Backward transfer: mean over j < T of R[T, j] "
    "- R[j, j] (Lopez-Paz & Ranzato 2017, arXiv:1706.08840). Forward transfer: mean over j > 1 of R[j, j] less the "
    "Dice of training on batch j alone. Unseen: mean over k < j of R[k, j], batches that have not arrived.",
    "Every stage was selected on validation cases of its own batch and of what is kept for replay. Joint training sees "
    "all batches at once and is the bound; fine-tuning keeps nothing and is the floor.",
    "Intervals are over groups of cases, drawn batch by batch, and over runs where there are several; runs of one seed "
    "in several orders count as independent.",
    "Kept: training and validation cases of earlier batches at the last stage, as training holds them in memory, and "
    "for EWC a number a trainable weight. The parent's weights are the model itself and are not counted.",
)

TITLES = {
    "final": "Final Dice",
    "forgetting": "Forgetting",
    "plasticity": "Plasticity",
    "backward": "Backward transfer",
    "forward": "Forward transfer",
    "unseen": "Unseen",
}
"""Headings of the readings."""

SIGNED = ("forgetting", "backward", "forward")
"""Readings that are differences."""


@dataclass(frozen=True)
class ContinualReport(FurtherReport):
    """The stages of one data set on one machine."""

    sweep: str
    runs: ContinualRuns

    @property
    def title(self) -> str:
        """What the table is called."""
        return f"{self.runs.stages.title}: continual learning"

    @property
    def stem(self) -> str:
        """What its files are called."""
        return f"{self.runs.stages.subject}-continual"

    @property
    def rows(self) -> tuple[ContinualRow, ...]:
        """See `ContinualRuns.rows`."""
        return self.runs.rows

    @property
    def grid(self) -> Grid:
        """What each method keeps, forgets and costs."""
        rows = self.rows
        columns: dict[str, Sequence[str]] = {
            "Method": [row.method for row in rows],
            "Model": [row.model for row in rows],
            "Loss": [row.loss for row in rows],
            "Runs": [str(row.runs) if row.complete == row.runs else f"{row.complete} of {row.runs}" for row in rows],
        }
        for name, title in TITLES.items():
            columns[title] = [_value(row.readings[name], name) for row in rows]
            columns[f"CI of {title.lower()}"] = [interval_text(row.readings[name], measure(PRIMARY)) for row in rows]
        columns |= scaled("Parameters", [row.parameters for row in rows], "")
        columns |= {
            "Growth": [percent_text(row.growth) for row in rows],
            "Cases kept": [digits(row.kept_cases) for row in rows],
            "Kept, kB": [digits(row.kept_bytes / KILOBYTE) for row in rows],
        }
        bold = frozenset(k for k, row in enumerate(rows) if row.method == JOINT)
        return Grid(self.title, tuple(columns), tuple(zip(*columns.values(), strict=True)), names=3, bold=bold)

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws it; that is None where no run is complete."""
        return "matrices", PLOT, lambda: matrices(self.rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""
        return NOTES

    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded."""
        return pd.DataFrame([_flat(row) for row in self.rows])

    def files(self, stem: str, plots: Sequence[Plot] = ()) -> dict[str, str]:
        """As of every report, and the matrices as CSV."""
        cells = [cell for row in self.rows for cell in _cells(row)]
        return super().files(stem, plots) | {f"{stem}-matrices.csv": csv_text(pd.DataFrame(cells))}


def continual_reports(tables: Sequence[ComparisonTable], frames: Frames) -> list[ContinualReport]:
    """One for each table of stages of which at least one run is complete."""
    found = [ContinualReport(frames.sweep, runs) for runs in continual_runs(tables, frames)]
    return [one for one in found if one.rows]


def _value(value: Estimate, name: str) -> str:
    if math.isnan(value.mean):
        return UNDEFINED
    return signed_text(value.mean) if name in SIGNED else measure(PRIMARY).text(value.mean)


def _flat(row: ContinualRow) -> dict[str, Any]:
    found: dict[str, Any] = {"method": row.method, "model": row.model, "loss": row.loss}
    found |= {"runs": row.runs, "complete": row.complete}
    for name, value in row.readings.items():
        found |= {name: value.mean, f"{name}_sd": value.spread, f"{name}_low": value.low, f"{name}_high": value.high}
    found |= {"parameters": row.parameters, "growth": row.growth}
    return found | {"kept_cases": row.kept_cases, "kept_bytes": row.kept_bytes}


def _cells(row: ContinualRow) -> list[dict[str, Any]]:
    named = {"method": row.method, "model": row.model, "loss": row.loss}
    size = len(row.matrix)
    return [
        {**named, "stage": k + 1, "arrived": j + 1, "dice": float(row.matrix[k, j])}
        for k in range(size)
        for j in range(size)
        if row.method != JOINT
    ]
