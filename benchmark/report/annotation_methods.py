"""The part of a report that asks whether methods for weak labels beat the trivial one, on all data sets of a sweep."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ...core.measure import measure
from .annotation_report import PLAIN, AnnotationReport, plainest
from .frame import PRIMARY
from .further import FurtherReport
from .plots.annotation import Annotated
from .plots.gains import Gain, gains_plot
from .statistics.intervals import Estimate
from .tables.grid import Grid
from .tables.table import UNDEFINED, interval_text, signed_text

PLOT = "Dice gained on the trivial method"
"""Title of the plot."""

NEEDED = 2
"""Data sets on which a method must be better to be called so."""

NOTES = (
    "Methods share what was drawn: what is guessed before training, in a word, and the loss. The trivial one guesses "
    f"nothing and has the plain loss, the first there is of {', '.join(PLAIN)}; boxes are taken for their objects.",
    "Gain: mean Dice less that of the trivial method with the same model and drawn labels, case by case, after "
    "averaging over seeds; the interval of 95 % is over groups of cases, for each comparison alone.",
    f"A method is better where its interval is above 0. It is called better, in bold, if it is on {NEEDED} data sets "
    "at least and worse on none.",
)


@dataclass(frozen=True)
class Method:
    """What is made of the same drawn labels. gains: of each data set, None where it or the trivial one has no score."""

    marks: str
    name: str
    model: str
    dice: tuple[float, ...]
    gains: tuple[Estimate | None, ...]

    @property
    def better(self) -> int:
        """Number of data sets on which it is better."""
        return sum(gain is not None and gain.low > 0 for gain in self.gains)

    @property
    def worse(self) -> int:
        """Number of data sets on which it is worse."""
        return sum(gain is not None and gain.high < 0 for gain in self.gains)

    @property
    def wins(self) -> bool:
        """Whether it is called better."""
        return self.better >= NEEDED and not self.worse

    @property
    def mean(self) -> float:
        """Its mean gain over the data sets that have one."""
        known = [gain.mean for gain in self.gains if gain is not None]
        return sum(known) / len(known) if known else math.nan


@dataclass(frozen=True)
class MethodsReport(FurtherReport):
    """The annotation reports of one machine and setting, a data set each."""

    sweep: str
    reports: tuple[AnnotationReport, ...]

    @property
    def title(self) -> str:
        """What the table is called."""
        first = self.reports[0].tables[0]
        return f"methods for weak labels on {first.machine}" + (f" ({first.apart})" if first.apart else "")

    @property
    def stem(self) -> str:
        """What its files are called."""
        return "methods-for-weak-labels"

    @cached_property
    def methods(self) -> tuple[Method, ...]:
        """Those that are compared with a trivial one, by drawn labels and model, the largest gain first."""
        found: dict[tuple[str, str, str], dict[int, tuple[Annotated, Estimate | None]]] = {}
        for place, report in enumerate(self.reports):
            for one in report.rows:
                trivial = _trivial(report, one)
                if one.marks and trivial is not None and one is not trivial:
                    gain = report.difference(one.row, trivial.row)
                    found.setdefault((one.marks, _name(one), one.row.model), {})[place] = one, gain
        made = [
            Method(
                *key,
                dice=tuple(own[k][0].row.dice.mean if k in own else math.nan for k in range(len(self.reports))),
                gains=tuple(own[k][1] if k in own else None for k in range(len(self.reports))),
            )
            for key, own in found.items()
        ]
        return tuple(sorted(made, key=lambda one: (one.marks, one.model, -np.nan_to_num(one.mean, nan=-1), one.name)))

    @property
    def grid(self) -> Grid:
        """A row a method."""
        columns = {
            "Drawn": [one.marks for one in self.methods],
            "Method": [one.name for one in self.methods],
            "Model": [one.model for one in self.methods],
        }
        for place, report in enumerate(self.reports):
            columns[f"{report.subject}: {measure(PRIMARY).title}"] = [
                measure(PRIMARY).text(one.dice[place]) for one in self.methods
            ]
            columns[f"{report.subject}: gain"] = [_gain_text(one.gains[place]) for one in self.methods]
        columns["Better on"] = [self._verdict(one) for one in self.methods]
        bold = frozenset(k for k, one in enumerate(self.methods) if one.wins)
        return Grid(self.title, tuple(columns), tuple(zip(*columns.values(), strict=True)), names=3, bold=bold)

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws it."""
        names = [report.subject for report in self.reports]
        models = len({one.model for one in self.methods})
        rows = [
            Gain(f"{one.marks}: {one.name}" + (f", {one.model}" if models > 1 else ""), one.gains)
            for one in self.methods
        ]
        return "methods", PLOT, lambda: gains_plot(rows, names)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""
        several = len(self.reports) >= NEEDED
        return NOTES if several else (*NOTES, "With one data set no method is called better.")

    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded: a row a method and data set."""
        return pd.DataFrame(
            {
                "drawn": one.marks,
                "method": one.name,
                "model": one.model,
                "dataset": report.subject,
                "dice": one.dice[place],
                "gain": gain.mean if gain else math.nan,
                "gain_low": gain.low if gain else math.nan,
                "gain_high": gain.high if gain else math.nan,
            }
            for one in self.methods
            for place, (report, gain) in enumerate(zip(self.reports, one.gains, strict=True))
        )

    def _verdict(self, one: Method) -> str:
        known = sum(gain is not None and not math.isnan(gain.low) for gain in one.gains)
        worse = f", worse on {one.worse}" if one.worse else ""
        return f"{one.better} of {known}{worse}" if known else UNDEFINED


def methods_reports(reports: Sequence[AnnotationReport], sweep: str) -> list[MethodsReport]:
    """One for each machine and setting in which a method is compared with a trivial one."""
    found: dict[tuple[str, str], list[AnnotationReport]] = {}
    for report in reports:
        found.setdefault((report.tables[0].machine, report.tables[0].apart), []).append(report)
    made = [MethodsReport(sweep, tuple(own)) for own in found.values()]
    return [one for one in made if one.methods]


def _trivial(report: AnnotationReport, one: Annotated) -> Annotated | None:
    """The row of the same model and drawn labels that guesses nothing, with the plain loss."""
    asked = (one.marks, one.row.model, "")
    same = [row for row in report.rows if (row.marks, row.row.model, row.made) == asked]
    return plainest(same, lambda row: row.loss)


def _name(one: Annotated) -> str:
    return " + ".join(filter(None, [one.made, one.row.loss]))


def _gain_text(gain: Estimate | None) -> str:
    if gain is None:
        return UNDEFINED
    known = not math.isnan(gain.low)
    return signed_text(gain.mean) + (f" {interval_text(gain, measure(PRIMARY))}" if known else "")
