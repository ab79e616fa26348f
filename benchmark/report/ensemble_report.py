"""The part of a report that sets ensembles and averaged weights against single networks: a table and a plot each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from ...core.measure import measure
from .frame import PRIMARY, Frames
from .further import FurtherReport
from .plots.ensembles import ensembles_plot
from .tables.ensembles import EQUAL, EnsembleRow, Ensembles
from .tables.grid import Grid
from .tables.summary import ComparisonTable
from .tables.table import UNDEFINED, digits, interval_text, scaled, signed_text

PLOT = "Gain of ensembles"
"""Title of the plot."""

MEGABYTE = 1e6

NOTES = (
    "Nothing was trained for these rows: they are made of stored weights. Members, their weights and the threshold "
    "were chosen on validation cases, before a test case was predicted.",
    "Over the best member: Dice of the ensemble less that of the member with the highest validation Dice, case by "
    "case; of averaged weights and snapshots, less that of the epoch that validation selected in the same training.",
    "Over one network: less that of the single network with the highest mean validation Dice among those whose median "
    f"latency is at most {100 * EQUAL - 100:.0f} % above the ensemble's. A network of one seed is compared at that "
    "seed, an ensemble of several with every seed of the other.",
    "Intervals are over groups of cases and, where a row has several seeds, over these. An ensemble of all seeds is "
    "one network: its interval does not say how another draw of seeds would do.",
    "Parameters and the size of the weights count shared weights once, MACs every call: mirrored copies share weights "
    "and cost a call each. Latency is that of the whole network as one call.",
)


@dataclass(frozen=True)
class EnsembleReport(FurtherReport):
    """The ensembles of one data set on one machine."""

    sweep: str
    ensembles: Ensembles

    @property
    def title(self) -> str:
        """What the table is called."""
        return f"{self.ensembles.table.title}: ensembles"

    @property
    def stem(self) -> str:
        """What its files are called."""
        return f"{self.ensembles.table.subject}-ensembles"

    @property
    def rows(self) -> tuple[EnsembleRow, ...]:
        """The best mean Dice first."""
        return self.ensembles.rows

    @property
    def grid(self) -> Grid:
        """What each costs and gives."""
        dice, table = measure(PRIMARY), self.ensembles.table
        rows = self.rows
        columns = {
            "Ensemble": [one.row.model for one in rows],
            "Loss": [one.row.loss for one in rows],
            "Networks": [one.taken for one in rows],
            dice.title: [dice.text(one.row.dice.mean) for one in rows],
            "95\u00a0%\u00a0CI": [interval_text(one.row.dice, dice) for one in rows],
            "Over best member": [signed_text(one.over_best.mean) for one in rows],
            "95\u00a0%\u00a0CI of it": [interval_text(one.over_best, dice) for one in rows],
            "Over one network": [signed_text(one.over_rival.mean) for one in rows],
            "95\u00a0%\u00a0CI of that": [interval_text(one.over_rival, dice) for one in rows],
            "of equal latency": [UNDEFINED if one.rival is None else table.short(one.rival) for one in rows],
            **scaled("Parameters", [one.row.trainable for one in rows], ""),
            **scaled("MACs", [one.row.macs for one in rows], ""),
            "Weights, MB": [digits(one.weights_bytes / MEGABYTE) for one in rows],
            **scaled("Latency", [one.latency_s for one in rows], "s"),
        }
        return Grid(self.title, tuple(columns), tuple(zip(*columns.values(), strict=True)), names=2)

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws it."""
        return "gain", PLOT, lambda: ensembles_plot(self.rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""
        return NOTES

    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded."""
        return pd.DataFrame(
            {
                "model": one.row.model,
                "loss": one.row.loss,
                "networks": one.taken,
                "dice": one.row.dice.mean,
                "dice_low": one.row.dice.low,
                "dice_high": one.row.dice.high,
                "gain_over_best": one.over_best.mean,
                "gain_over_best_low": one.over_best.low,
                "gain_over_best_high": one.over_best.high,
                "rival": "" if one.rival is None else one.rival.label,
                "gain_over_rival": one.over_rival.mean,
                "gain_over_rival_low": one.over_rival.low,
                "gain_over_rival_high": one.over_rival.high,
                "parameters": one.row.trainable,
                "macs": one.row.macs,
                "weights_bytes": one.weights_bytes,
                "latency_median_s": one.latency_s,
            }
            for one in self.rows
        )


def ensemble_reports(tables: Sequence[ComparisonTable], frames: Frames) -> list[EnsembleReport]:
    """One for each table with a scored row that is made of stored weights."""
    found = [EnsembleReport(frames.sweep, Ensembles(frames, table)) for table in tables]
    return [one for one in found if one.rows]
