"""Score against latency, with the configurations that no other beats in both."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation

from ....core.measure import measure
from ..frame import PRIMARY
from ..statistics.pareto import pareto
from ..tables.row import Row
from ..tables.summary import ComparisonTable
from ..tables.table import prefix
from .naming import name_points
from .style import COLOURS, GREY, MARKERS, colour_of, figure, folded, marker_of

APART_POINTS = 2.5
"""How far apart the points of one model stand, which have the same latency, so that their bars can be told apart."""


def tradeoff(table: ComparisonTable) -> Figure | None:
    """Mean Dice against median latency in the table's setting; None when fewer than two models were timed.

    The loss cannot change how long a trained model runs, so the samples of all trials of a model are pooled and its
    points stand side by side around that latency. Vertical bars are the 95 % interval of the mean, horizontal ones
    reach from the 5th to the 95th percentile of the samples. Filled points form the Pareto front of the means. Where
    colours would repeat, the points have their names beside them; where markers would, each model's best loss stands
    for it.
    """
    rows = [row for row in table.compared if row.latency(table.setting)]
    if len({row.loss for row in rows}) > len(MARKERS):
        rows = list({row.model: row for row in reversed(rows)}.values())[::-1]
    models, losses = sorted({row.model for row in rows}), sorted({row.loss for row in rows})
    if len(models) < 2:
        return None
    low, median, high = _times(rows, table.setting)
    factor, sign = prefix(list(median))
    low, median, high = low / factor, median / factor, high / factor
    means = np.array([row.dice.mean for row in rows])
    front, floor = pareto(means, median), _floor(rows)
    crowded = len(models) > len(COLOURS) or len(losses) > len(MARKERS)
    colours = dict.fromkeys(models, COLOURS[0]) if crowded else colour_of(models)
    markers = dict.fromkeys(losses, MARKERS[0]) if len(losses) > len(MARKERS) else marker_of(losses)
    made = figure(7.2, 5.6 if crowded else max(3.8, 0.6 + 0.19 * (len(models) + len(losses) + 7)))
    axes = made.add_subplot()
    axes.grid(True)
    for index, row in enumerate(rows):
        colour = colours[row.model]
        if means[index] < floor:
            _below(axes, median[index], floor, row, colour)
            continue
        place: dict[str, Any] = {"transform": _aside(made, axes, losses.index(row.loss) - (len(losses) - 1) / 2)}
        axes.plot([low[index], high[index]], [means[index]] * 2, color=colour, alpha=0.45, linewidth=0.9, **place)
        axes.plot([median[index]] * 2, [row.dice.low, row.dice.high], color=colour, alpha=0.6, linewidth=0.9, **place)
        face: dict[str, Any] = {"color": colour if index in front else "white", "markeredgecolor": colour}
        axes.plot(median[index], means[index], markers[row.loss], markersize=6.5, zorder=4, **face, **place)
    steps = sorted(front, key=lambda index: median[index])
    axes.plot(median[steps], means[steps], color=GREY, linewidth=0.9, linestyle="--", zorder=2)
    _frame(axes, (low.min(), high.max()), (floor, _ceiling(rows)))
    axes.set_xlabel(f"Latency, median [{sign}s]\n{folded(table.setting, 60)}")
    axes.set_ylabel(f"Mean {measure(PRIMARY).title} over test cases")
    if crowded:
        key = _meaning(rows) if len(losses) > len(MARKERS) else _key(rows, {}, markers)
        axes.legend(handles=key, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
        name_points(axes, np.stack([median, np.maximum(means, floor)], axis=1), [table.short(row) for row in rows])
    else:
        axes.legend(handles=_key(rows, colours, markers), loc="center left", bbox_to_anchor=(1.01, 0.5))
    return made


def _times(rows: Sequence[Row], setting: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """5th percentile, median and 95th percentile of each row's model, in seconds."""
    taken: dict[str, list[np.ndarray]] = {}
    for row in rows:
        entry = row.latency(setting)
        if entry is not None:
            taken.setdefault(row.model, []).append(entry.samples_s)
    found = {model: np.percentile(np.concatenate(samples), (5, 50, 95)) for model, samples in taken.items()}
    low, median, high = np.array([found[row.model] for row in rows]).T
    return low, median, high


def _floor(rows: Sequence[Row]) -> float:
    """The lower end of the score axis, so that a row that collapsed does not squeeze all others together."""
    bottom, top = _span(rows)
    return bottom - max(0.12 * (top - bottom), 0.01)


def _ceiling(rows: Sequence[Row]) -> float:
    bottom, top = _span(rows)
    return top + max(0.06 * (top - bottom), 0.01)


def _span(rows: Sequence[Row]) -> tuple[float, float]:
    """Lowest and highest end of an interval, or mean where there is none, of the rows that did not collapse, if any."""
    ends = [row.dice for row in rows if not row.collapsed] or [row.dice for row in rows]
    return min(np.fmin(end.mean, end.low) for end in ends), max(np.fmax(end.mean, end.high) for end in ends)


def _frame(axes: Axes, times: tuple[float, float], scores: tuple[float, float]) -> None:
    """Set both axes by hand, as points set aside take no part in scaling; logarithmic from a factor of 4 on."""
    axes.set_ylim(*scores)
    low, high = times
    if high <= 4 * low:
        margin = 0.08 * (high - low) + 0.02 * high
        axes.set_xlim(low - margin, high + margin)
        return
    axes.set_xscale("log")
    axes.set_xlim(low * (low / high) ** 0.06, high * (high / low) ** 0.06)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 200 * low else (1.0,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _aside(made: Figure, axes: Axes, steps: float) -> object:
    return axes.transData + ScaledTranslation(steps * APART_POINTS / 72, 0, made.dpi_scale_trans)


def _below(axes: Axes, latency: float, floor: float, row: Row, colour: str) -> None:
    text = f"† {measure(PRIMARY).text(row.dice.mean)} ↓"
    axes.annotate(text, (latency, floor), (0, 3), textcoords="offset points", ha="center", color=colour, fontsize=7.5)


def _key(rows: Sequence[Row], colours: dict[str, str], markers: dict[str, str]) -> list[Line2D]:
    blank = Line2D([], [], linestyle="", label="")
    bare: dict[str, Any] = {"linestyle": "", "color": GREY, "markerfacecolor": "white"}
    squares: dict[str, Any] = {"linestyle": "", "marker": "s"}
    handles = [Line2D([], [], color=colour, label=folded(name, 30), **squares) for name, colour in colours.items()]
    handles.append(blank)
    handles += [Line2D([], [], marker=marker, label=folded(name, 30), **bare) for name, marker in markers.items()]
    return [*handles, blank, *_meaning(rows)]


def _meaning(rows: Sequence[Row]) -> list[Line2D]:
    """What lines, bars and daggers stand for."""
    bare: dict[str, Any] = {"linestyle": "", "color": GREY}
    handles = [Line2D([], [], color=GREY, linestyle="--", marker="o", label="Pareto front of the means")]
    if any(not math.isnan(row.dice.low) for row in rows):
        handles.append(Line2D([], [], marker="|", markersize=11, label="95 % interval of the mean", **bare))
    handles.append(Line2D([], [], marker="_", markersize=11, label="5th to 95th percentile", **bare))
    if min(row.dice.mean for row in rows) < _floor(rows):
        handles.append(Line2D([], [], linestyle="", label="† collapsed, below the axis"))
    return handles
