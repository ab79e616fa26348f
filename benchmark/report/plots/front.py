"""Dice against latency over models and runtimes, with the front of those that agree with Keras."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ....core.counted import counted
from ....core.measure import measure
from ..frame import PRIMARY
from ..recommend import Recommendation
from ..statistics.pareto import pareto
from ..tables.deployed import Group
from ..tables.runtimes import RuntimeRow, runtime_rows
from .naming import name_points
from .style import COLOURS, GREY, HALO, colour_of, figure, folded

SHAPES: tuple[Any, ...] = (
    "o", "s", "^", "D", "v", "P", "<", ">", "*", "h", "p", "d", (4, 1, 0), (6, 1, 0), "8", "H", (5, 0, 36), (3, 1, 0),
)  # fmt: skip
"""Markers that can be filled: a cross in them says that a file does not agree."""

WIDTH, HIGH = 8.6, 3.9
"""Inches of the figure, and of each place in it at least."""

NEAR = 1.55
"""Times as slow, at most, that two numbers at the foot would cover each other."""


def runtime_front(group: Group, found: Sequence[Recommendation]) -> Figure | None:
    """Mean test Dice against median latency, a pane a machine and number of threads; None with fewer than two points.

    A colour a model, a marker a runtime; filled where the files agree with Keras float32, hollow and crossed where they
    do not. Vertical bars are the 95 % interval of the mean, horizontal ones reach from the 5th to the 95th percentile
    of the calls. The dashed line is the Pareto front of the means of those that agree and did not collapse; its points
    have their names. A ring marks what is recommended, by validation. Of several losses each model's best by validation
    stands for it.
    """
    rows = _shown(runtime_rows(group))
    places = [place for place in group.places if any(_place(row) == place for row in rows)]
    if len(rows) < 2:
        return None
    models = sorted({row.first.model for row in rows})
    runtimes = sorted({row.first.deployment.runtime for row in rows})
    colours = colour_of(models) if len(models) <= len(COLOURS) else _many(models)
    markers = {name: SHAPES[index % len(SHAPES)] for index, name in enumerate(runtimes)}
    needed = 0.17 * (len(models) + len(runtimes) + 8) + 0.5
    made = figure(WIDTH, max(HIGH * len(places), needed))
    panes = made.subplots(len(places), 1, squeeze=False)[:, 0]
    chosen = {id(one.chosen) for one in found}
    for axes, place in zip(panes, places, strict=True):
        own = [row for row in rows if _place(row) == place]
        _draw(axes, own, colours, markers, chosen)
        axes.set_title(f"{place[0]}, {counted(place[1], 'thread')}", loc="left")
        axes.set_ylabel(f"Mean {measure(PRIMARY).title} over test cases")
        axes.set_xlabel(f"Latency, median [ms], {group.workload}")
    made.legend(handles=_key(colours, markers), loc="outside right center")
    for axes, place in zip(panes, places, strict=True):
        front = _front([row for row in rows if _place(row) == place])
        rest = [row for row in rows if _place(row) == place and row not in front]
        name_points(axes, _points(front), [_name(row, models) for row in front], _points(rest))
    return made


def _shown(rows: Sequence[RuntimeRow]) -> list[RuntimeRow]:
    """What has a Dice and was timed; of each model the loss with the best validation Dice by Keras."""
    known = [row for row in rows if not math.isnan(_mean(row)) and not math.isnan(row.latency_s(50))]
    best: dict[str, tuple[float, str]] = {}
    for row in known:
        score = (-1.0 if math.isnan(row.choosing) or row.collapsed else row.choosing, row.first.loss)
        if row.verdicts["baseline"]:
            best[row.first.model] = max(best.get(row.first.model, score), score)
    return [row for row in known if row.first.loss == best.get(row.first.model, (0.0, row.first.loss))[1]]


def _front(rows: Sequence[RuntimeRow]) -> list[RuntimeRow]:
    """The Pareto front of the means of what agrees, the fastest first."""
    good = [row for row in rows if row.agrees and not row.collapsed]
    found = pareto(np.array([_mean(row) for row in good]), np.array([row.latency_s(50) for row in good]))
    return sorted((good[index] for index in found), key=lambda row: row.latency_s(50))


def _draw(
    axes: Axes, rows: Sequence[RuntimeRow], colours: dict[str, str], markers: dict[str, Any], chosen: set[int]
) -> None:
    low, high = _limits(rows)
    axes.grid(True)
    axes.set_ylim(low, high)
    _logarithmic(axes, rows)
    front = _front(rows)
    for row in rows:
        # Of a model's runtimes the intervals are much alike: those of the front shall be seen among them.
        alpha = 0.6 if row in front else 0.2
        if _mean(row) >= low:
            _point(axes, row, colours[row.first.model], markers[row.first.deployment.runtime], alpha=alpha)
        if chosen & {id(one) for one in row.rows}:
            axes.plot(row.latency_s(50) * 1e3, _mean(row), "o", markersize=15, color=GREY, fillstyle="none", zorder=6)
    _foot(axes, [row for row in rows if _mean(row) < low], colours, low)
    line = [row.latency_s(50) * 1e3 for row in front], [_mean(row) for row in front]
    axes.plot(*line, color=GREY, linewidth=0.9, linestyle="--", zorder=2)


def _foot(axes: Axes, rows: Sequence[RuntimeRow], colours: dict[str, str], floor: float) -> None:
    """What is below the axis, as numbers at its foot; those that are near each other stand one above the other."""
    before, level = 0.0, 0
    for row in sorted(rows, key=lambda row: row.latency_s(50)):
        across = row.latency_s(50) * 1e3
        level = level + 1 if across < NEAR * before else 0
        axes.annotate(
            f"{measure(PRIMARY).text(_mean(row))} ↓",
            (across, floor),
            (0, 3 + 9 * level),
            textcoords="offset points",
            ha="center",
            color=colours[row.first.model],
            fontsize=7,
            path_effects=HALO,
        )
        before = across


def _point(axes: Axes, row: RuntimeRow, colour: str, marker: Any, *, alpha: float) -> None:
    """A point with its bars, so opaque."""
    across, mean = row.latency_s(50) * 1e3, _mean(row)
    ends = [row.latency_s(5) * 1e3, row.latency_s(95) * 1e3]
    axes.plot(ends, [mean] * 2, color=colour, alpha=alpha, linewidth=0.9)
    if row.dice is not None and not math.isnan(row.dice.low):
        axes.plot([across] * 2, [row.dice.low, row.dice.high], color=colour, alpha=alpha, linewidth=0.9)
    good = row.agrees and not row.collapsed
    face: dict[str, Any] = {"color": colour if good else "white", "markeredgecolor": colour, "linestyle": ""}
    axes.plot(across, mean, marker=marker, markersize=6.5, zorder=4, **face)
    if not good:
        axes.plot(across, mean, marker="x", markersize=4.5, color=colour, linestyle="", zorder=5)


def _points(rows: Sequence[RuntimeRow]) -> np.ndarray:
    """Milliseconds and mean Dice of each row, (n, 2)."""
    return np.array([[row.latency_s(50) * 1e3, _mean(row)] for row in rows]).reshape(-1, 2)


def _limits(rows: Sequence[RuntimeRow]) -> tuple[float, float]:
    """Of the Dice axis: the means of what agrees, with their intervals as far as they do not squeeze these together."""
    good = [row for row in rows if row.agrees and not row.collapsed] or list(rows)
    ends = [row.dice for row in good if row.dice is not None]
    means = [end.mean for end in ends]
    room = max(max(means) - min(means), 0.02)
    bottom = max(min(np.fmin(end.mean, end.low) for end in ends), min(means) - room)
    top = min(max(np.fmax(end.mean, end.high) for end in ends), max(means) + room)
    return float(bottom - 0.1 * room), float(top + 0.1 * room)


def _logarithmic(axes: Axes, rows: Sequence[RuntimeRow]) -> None:
    low = min(row.latency_s(5) for row in rows) * 1e3
    high = max(row.latency_s(95) for row in rows) * 1e3
    axes.set_xscale("log")
    axes.set_xlim(low / 1.25, high * 1.25)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 200 * low else (1.0,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _key(colours: dict[str, str], markers: dict[str, Any]) -> list[Line2D]:
    bare: dict[str, Any] = {"linestyle": "", "color": GREY}
    blank = Line2D([], [], linestyle="", label="")
    handles = [
        Line2D([], [], color=colour, marker="s", linestyle="", label=folded(name, 30))
        for name, colour in colours.items()
    ]
    handles.append(blank)
    handles += [Line2D([], [], marker=marker, label=folded(name, 30), **bare) for name, marker in markers.items()]
    handles += [
        blank,
        Line2D([], [], color=GREY, linestyle="--", label="Pareto front of those that agree"),
        Line2D([], [], marker="o", markersize=11, fillstyle="none", label="recommended, by validation", **bare),
        Line2D([], [], marker="x", markersize=5, label="hollow, crossed: does not agree", **bare),
        Line2D([], [], marker="|", markersize=11, label="95 % interval of the mean", **bare),
        Line2D([], [], marker="_", markersize=11, label="5th to 95th percentile", **bare),
    ]
    return handles


def _many(models: Sequence[str]) -> dict[str, str]:
    """Colours of more models than there are ones that all eyes tell apart."""
    steps = mpl.colormaps["turbo"](np.linspace(0.02, 0.95, len(models)))
    return {name: to_hex(step) for name, step in zip(models, steps, strict=True)}


def _name(row: RuntimeRow, models: Sequence[str]) -> str:
    runtime = row.first.deployment.runtime
    return runtime if len(models) == 1 else f"{row.first.model} · {runtime}"


def _place(row: RuntimeRow) -> tuple[str, int]:
    return row.first.machine, row.first.threads


def _mean(row: RuntimeRow) -> float:
    return math.nan if row.dice is None else row.dice.mean
