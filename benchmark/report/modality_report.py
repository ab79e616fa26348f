"""The part of a report that sets what networks were trained with against what tests had: a matrix a data set."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from ...core.measure import measure
from ...core.trial import canonical
from ..naming.labels import without_modalities
from .frame import PRIMARY
from .further import FurtherReport
from .plots.modalities import modality_plot
from .statistics.intervals import Estimate
from .tables.grid import Grid
from .tables.modality_cells import Cell, Names, Trained, trained_rows
from .tables.summary import ComparisonTable
from .tables.table import UNDEFINED, interval_text, signed_text

PLOT = "Modalities of training and test"
"""Title of the plot."""

NOTES = (
    "Columns: what test cases had. A network that was trained with more gets 0, which scaling makes of a constant "
    "image, in the place of what is missing; one that was trained with others gets what there is in their place, where "
    "the channels agree in number.",
    "Every trained network was scored in all columns with the same weights and threshold: epoch and threshold were "
    "selected on validation cases with the modalities of training.",
)


@dataclass(frozen=True)
class ModalityReport(FurtherReport):
    """The tables of one data set on one machine that differ in modalities and their dropout alone."""

    sweep: str
    tables: tuple[ComparisonTable, ...]

    @property
    def subject(self) -> str:
        """The data set."""
        told = [(table.name, *without_modalities(table.example.trial.dataset)) for table in self.tables]
        return next((name for name, _, own in told if not own), told[0][1].label)

    @property
    def title(self) -> str:
        """What the table is called."""
        return f"{self.subject} on {self.tables[0].machine}: modalities"

    @property
    def stem(self) -> str:
        """What its files are called."""
        return f"{self.subject}-modalities"

    @cached_property
    def whole(self) -> Names:
        """All modalities of the data set, in order, as far as its trials tell."""
        found: list[str] = []
        for table in self.tables:
            known = [name for name, _ in table.example.task.get("modalities", ())]
            if not without_modalities(table.example.trial.dataset)[1] and known:
                return tuple(known)
            found += [name for name in known if name not in found]
        return tuple(found)

    @cached_property
    def rows(self) -> tuple[Trained, ...]:
        """Every configuration with a score, by what it was trained with: those with most modalities first."""
        made = [row for table in self.tables for row in trained_rows(table, self.whole)]
        order = {name: place for place, name in enumerate(self.whole)}
        return tuple(
            sorted(
                made,
                key=lambda one: (
                    -len(one.names),
                    [order.get(name, 0) for name in one.names],
                    one.dropout,
                    one.row.model,
                    one.row.loss,
                ),
            )
        )

    @cached_property
    def tests(self) -> tuple[Names, ...]:
        """What tests had, all first."""
        found = dict.fromkeys(names for one in self.rows for names in one.cells)
        order = {name: place for place, name in enumerate(self.whole)}
        return tuple(sorted(found, key=lambda names: (-len(names), [order.get(name, 0) for name in names])))

    @property
    def grid(self) -> Grid:
        """Dice of each configuration with each set of modalities that tests had."""
        headers = ("Trained on", "Model", "Loss", *(f"Test: {self.words(names)}" for names in self.tests))
        cells = [
            (
                self.trained(one),
                one.row.model,
                one.row.loss,
                *(self._text(one.cells.get(names)) for names in self.tests),
            )
            for one in self.rows
        ]
        return Grid(self.title, headers, tuple(cells), names=3)

    @property
    def headlines(self) -> tuple[str, ...]:
        """For each set of modalities that tests had, what scores best, and what a network trained on all loses."""
        lines = []
        for names in self.tests:
            scored = [(one, cell) for one in self.rows if (cell := one.cells.get(names)) and cell.dice]
            if not scored:
                continue
            best, top = max(scored, key=lambda pair: _mean(pair[1].dice))
            line = f"Tests with {self.words(names)}: {self._who(best)} is best with a Dice of {self._text(top)}"
            losers = [
                (one, cell) for one, cell in scored if cell.lost and cell.how == "missing" and one.names == self.whole
            ]
            if losers:
                one, cell = min(losers, key=lambda pair: _mean(pair[1].lost))
                lost = f"{signed_text(_mean(cell.lost))} {_bounds(cell.lost)}".replace(f" {UNDEFINED}", "")
                line += f"; of the networks trained on all, {self._who(one)} loses least against tests with all: {lost}"
            lines.append(f"{line}.")
        return tuple(lines)

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws it; that is None with fewer than two tests."""
        return "matrix", PLOT, lambda: self._drawn()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""
        return (*self.headlines, *NOTES)

    def words(self, names: Names) -> str:
        """How a set of modalities is called."""
        return "all" if names == self.whole and len(names) > 1 else " + ".join(names)

    def trained(self, one: Trained) -> str:
        """What a configuration was trained with, in words."""
        return f"{self.words(one.names)}, dropout {one.dropout:g}" if one.dropout else self.words(one.names)

    def _who(self, one: Trained) -> str:
        return f"{one.row.label} trained on {self.trained(one)}"

    def _text(self, cell: Cell | None) -> str:
        if cell is None or cell.dice is None:
            return UNDEFINED
        return f"{measure(PRIMARY).text(cell.dice.mean)} {_bounds(cell.dice)}".replace(f" {UNDEFINED}", "")

    def _drawn(self) -> Figure | None:
        labels = [f"{self.trained(one)} · {one.row.label}" for one in self.rows]
        cells = [[one.cells.get(names) for names in self.tests] for one in self.rows]
        return modality_plot(labels, [self.words(names) for names in self.tests], cells)

    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded."""
        return pd.DataFrame(
            {
                "trained": " + ".join(one.names),
                "modality_dropout": one.dropout,
                "model": one.row.model,
                "loss": one.row.loss,
                "tested": " + ".join(cell.tested),
                "how": cell.how,
                "seeds": one.row.seeds,
                "cases": cell.cases,
                "dice": _mean(cell.dice),
                "dice_low": cell.dice.low if cell.dice else math.nan,
                "dice_high": cell.dice.high if cell.dice else math.nan,
                "dice_lost": _mean(cell.lost),
                "dice_lost_low": cell.lost.low if cell.lost else math.nan,
                "dice_lost_high": cell.lost.high if cell.lost else math.nan,
            }
            for one in self.rows
            for cell in (one.cells[names] for names in self.tests if names in one.cells)
        )


def modality_reports(tables: Sequence[ComparisonTable], sweep: str) -> list[ModalityReport]:
    """One for each data set of which trials have some of its modalities, in training or in tests."""
    found: dict[str, list[ComparisonTable]] = {}
    for table in tables:
        trial = table.example.trial
        recipe = replace(trial.recipe, modality_dropout=0.0, precision="float32").canonical
        dataset = without_modalities(trial.dataset)[0].unplaced
        found.setdefault(canonical([dataset, trial.split, table.machine, recipe]), []).append(table)
    keys = {"modalities", "test_modalities"}
    return [
        ModalityReport(sweep, tuple(own))
        for own in found.values()
        if any(keys & table.example.trial.dataset.options.keys() for table in own) and any(t.compared for t in own)
    ]


def _mean(value: Estimate | None) -> float:
    return value.mean if value else math.nan


def _bounds(value: Estimate | None) -> str:
    return UNDEFINED if value is None else interval_text(value, measure(PRIMARY))
