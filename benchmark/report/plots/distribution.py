"""Per-case scores: a box and a point a case for every configuration."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ....core.measure import measure
from ..frame import PRIMARY
from ..tables.summary import ComparisonTable
from ..tables.table import NO_SCORE
from .style import GREY, colour_of, figure, folded, line_count


def distribution(table: ComparisonTable) -> Figure:
    """Box plots of the Dice of each test case, averaged over seeds; best mean on top, last what has no defined one.

    The box holds the middle half of the cases with the median in it, whiskers reach to the last case within 1.5 box
    lengths, the white diamond is the mean. Points are spread vertically by a fixed draw, only so that they can be seen.
    """
    rows = [*table.compared, *(row for row in table.rows if row.done and math.isnan(row.dice.mean))]
    models = sorted({row.model for row in rows})
    colours = colour_of(models)
    names = [folded(table.short(row), 40) + (" †" if row.collapsed else "") for row in rows]
    made = figure(7.2, 0.9 + max(0.34, 0.05 + 0.14 * line_count(names)) * len(rows) + 0.2)
    axes = made.add_subplot()
    axes.grid(axis="x")
    draw = np.random.default_rng(0)
    for place, row in enumerate(rows):
        values = row.case_means[~np.isnan(row.case_means)]
        colour = colours[row.model]
        if not len(values):
            place_text = {"transform": axes.get_yaxis_transform(), "ha": "center", "va": "center", "color": GREY}
            axes.text(0.5, place, f"{NO_SCORE} on all cases", fontsize=8, **place_text)
            continue
        axes.scatter(
            values, place + draw.uniform(-0.27, 0.27, len(values)), s=7, color=colour, alpha=0.45, linewidths=0
        )
        _box(axes, values, place, colour)
        axes.plot(row.dice.mean, place, marker="D", markersize=4.5, color="white", markeredgecolor="black", zorder=5)
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    reading = measure(PRIMARY)
    axes.set_xlabel(f"{reading.title} of a test case ({max(row.cases for row in rows)} cases)")
    return made


def _box(axes: Axes, values: np.ndarray, place: int, colour: str, half: float = 0.31) -> None:
    """Draw by hand: `Axes.boxplot` looks up the backend, which loads pyplot."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    reach = 1.5 * (high - low)
    ends = values[values >= low - reach].min(), values[values <= high + reach].max()
    box = Rectangle((low, place - half), high - low, 2 * half, facecolor=to_rgba(colour, 0.15), edgecolor=colour)
    axes.add_patch(box)
    axes.hlines([place, place], [ends[0], high], [low, ends[1]], color=colour, linewidth=0.9)
    axes.vlines(ends, place - half / 2, place + half / 2, color=colour, linewidth=0.9)
    axes.vlines(middle, place - half, place + half, color=colour, linewidth=1.7)
