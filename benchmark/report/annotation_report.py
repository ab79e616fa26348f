"""The part of a report that sets what training labels cost against what they give: a table and a plot a data set."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...core.measure import measure
from ...core.record import Record
from ...core.trial import canonical
from ...datasets.weak.cost import SECONDS, minutes
from ...datasets.weak.kinds import drawn_alone, words
from ..naming.names import without_labels
from .frame import PRIMARY
from .further import FurtherReport
from .plots.annotation import FULL, Annotated, annotation_plot
from .statistics.intervals import Estimate, estimate
from .tables.grid import Grid
from .tables.row import Row
from .tables.summary import ComparisonTable
from .tables.table import UNDEFINED, digits, interval_text, percent_text, signed_text

T = TypeVar("T")

PLOT = "Dice against minutes of annotation"
"""Title of the plot."""

DRAWN = ("outlines", "clicks", "strokes", "boxes")
"""What may be drawn."""

PLAIN = ("bce_dice", "ce_dice", "bce", "ce")
"""Losses that read all labels through what is known of them: the first that a sweep has is what others must beat."""

NOTES = (
    "The labels are those of the training cases: epoch and threshold are selected on full masks of validation cases, "
    "and test cases are scored with theirs.",
    "Minutes: "
    + "; ".join(f"{seconds:g} s for one of the {name} ({source})" for name, (seconds, source) in SECONDS.items())
    + ". They were measured on photographs, and no time to look at an image is in them: they order annotations and "
    "plan none.",
    "Dice lost: that of the same model and loss with full masks less it, case by case, after averaging over seeds; the "
    "interval is over groups of cases. A loss that learns from such labels alone is set against the plain loss, which "
    f"is the first there is of {', '.join(PLAIN)}.",
)


@dataclass(frozen=True)
class AnnotationReport(FurtherReport):
    """The tables of one data set on one machine that differ in their training labels alone, full masks first."""

    sweep: str
    tables: tuple[ComparisonTable, ...]

    @property
    def subject(self) -> str:
        """The data set, and what tells its tables from others of it."""
        first = self.tables[0]
        plain = without_labels(first.example.trial.dataset)[0].label
        name = first.name if _labels(first) is None else plain
        return f"{name} ({first.apart})" if first.apart else name

    @property
    def title(self) -> str:
        """What the table is called."""
        return f"{self.subject} on {self.tables[0].machine}: training labels"

    @property
    def stem(self) -> str:
        """What its files are called."""
        return f"{self.subject}-training-labels"

    @cached_property
    def rows(self) -> tuple[Annotated, ...]:
        """Every row with a score, the best mean Dice first."""
        made = [self._row(table, row) for table in self.tables for row in table.compared]
        return tuple(sorted(made, key=lambda one: -one.row.dice.mean))

    @property
    def grid(self) -> Grid:
        """What each costs and gives."""
        columns = {
            "Training labels": [one.labels for one in self.rows],
            "Model": [one.row.model for one in self.rows],
            "Loss": [one.row.loss for one in self.rows],
            measure(PRIMARY).title: [measure(PRIMARY).text(one.row.dice.mean) for one in self.rows],
            "95\u00a0%\u00a0CI": [interval_text(one.row.dice, measure(PRIMARY)) for one in self.rows],
            "Dice lost": [signed_text(one.lost.mean if one.lost else math.nan) for one in self.rows],
            "95\u00a0%\u00a0CI of it": [_bounds(one.lost) for one in self.rows],
            "Of full": [percent_text(self._share(one)) for one in self.rows],
            "Cases": [str(one.cases) for one in self.rows],
            "Drawn": [one.drawn or UNDEFINED for one in self.rows],
            "Minutes": [digits(one.minutes) for one in self.rows],
            "Known pixels": [percent_text(one.known) for one in self.rows],
        }
        bold = frozenset(k for k, one in enumerate(self.rows) if one.labels == FULL)
        return Grid(self.title, tuple(columns), tuple(zip(*columns.values(), strict=True)), names=3, bold=bold)

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws it; that is None with fewer than two points."""
        return "annotation", PLOT, lambda: annotation_plot(self.rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""
        return NOTES

    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded."""
        return pd.DataFrame(
            {
                "labels": one.labels,
                "model": one.row.model,
                "loss": one.row.loss,
                "dice": one.row.dice.mean,
                "dice_low": one.row.dice.low,
                "dice_high": one.row.dice.high,
                "dice_lost": one.lost.mean if one.lost else math.nan,
                "dice_lost_low": one.lost.low if one.lost else math.nan,
                "dice_lost_high": one.lost.high if one.lost else math.nan,
                "of_full": self._share(one),
                "cases": one.cases,
                "drawn": one.drawn,
                "minutes": one.minutes,
                "known_pixels": one.known,
            }
            for one in self.rows
        )

    def _row(self, table: ComparisonTable, row: Row) -> Annotated:
        record = table.records[next(key for key in row.records if key in table.done)]
        told = record.data.get("annotation") or self._full()
        drawn = ", ".join(f"{told[name]} {name}" for name in DRAWN if told.get(name))
        labels = _labels(table)
        return Annotated(
            labels=FULL if labels is None else words(labels),
            row=row,
            marks="" if labels is None else words(drawn_alone(labels)[0]),
            made="" if labels is None else drawn_alone(labels)[1],
            loss=_loss(table, row),
            cases=int(record.data.get("train", 0)),
            drawn=drawn,
            minutes=float(told.get("minutes", math.nan)),
            known=told["known"] / told["pixels"] if told.get("pixels") else math.nan,
            lost=None if labels is None else self._lost(table, row),
        )

    def _full(self) -> dict[str, float]:
        """What full masks took: an outline an object, where labels of all training cases say how many there are."""
        whole = next((own for own in self._annotations() if "outlines" not in own), None)
        drawn = {} if whole is None else {"outlines": int(whole["objects"])}
        return {**drawn, "minutes": minutes(drawn) if drawn else math.nan, "pixels": 1, "known": 1}

    def _annotations(self) -> list[dict[str, float]]:
        records: list[Record] = [record for table in self.tables for record in table.done.values()]
        return [record.data["annotation"] for record in records if "annotation" in record.data]

    def difference(self, first: Row, second: Row) -> Estimate | None:
        """Mean Dice of one less that of another, case by case; None where they were scored on other cases."""
        if len(first.case_means) != len(second.case_means):
            return None
        groups = dict(sorted((score["case"], score["group"]) for score in self.tables[0].example.scores))
        return estimate((first.case_means - second.case_means)[None], np.array(list(groups.values())))

    def _lost(self, table: ComparisonTable, row: Row) -> Estimate | None:
        """Against full masks with the same loss, else with the plain one."""
        first = self.tables[0]
        if _labels(first) is not None:
            return None
        full = [own for own in first.compared if own.model == row.model]
        same = next((own for own in full if own.loss == row.loss), None) or plainest(full, partial(_loss, first))
        return None if same is None else self.difference(same, row)

    def _share(self, one: Annotated) -> float:
        """Mean Dice as a share of that of the same model and loss with full masks."""
        if one.labels == FULL:
            return 1.0
        return math.nan if one.lost is None else one.row.dice.mean / (one.row.dice.mean + one.lost.mean)


def annotation_reports(tables: Sequence[ComparisonTable], sweep: str) -> list[AnnotationReport]:
    """One for each data set of which some tables have other training labels than full masks."""
    found: dict[str, list[ComparisonTable]] = {}
    for table in tables:
        trial = table.example.trial
        key = canonical([without_labels(trial.dataset)[0].unplaced, trial.split, table.machine, table.apart])
        found.setdefault(key, []).append(table)
    return [
        AnnotationReport(sweep, tuple(sorted(own, key=lambda table: _labels(table) is not None)))
        for own in found.values()
        if any(_labels(table) is not None for table in own)
    ]


def plainest(rows: Iterable[T], loss: Callable[[T], str]) -> T | None:
    """The row with the first of the plain losses, None where there is none; loss: names that of a row."""
    return min((row for row in rows if loss(row) in PLAIN), key=lambda row: PLAIN.index(loss(row)), default=None)


def _labels(table: ComparisonTable) -> dict[str, object] | None:
    return without_labels(table.example.trial.dataset)[1] or None


def _loss(table: ComparisonTable, row: Row) -> str:
    """The name of its loss in the registry, "" with options of its own."""
    loss = next(table.done[key] for key in row.records if key in table.done).trial.loss
    return "" if loss.options else loss.name


def _bounds(value: Estimate | None) -> str:
    return UNDEFINED if value is None else interval_text(value, measure(PRIMARY))
