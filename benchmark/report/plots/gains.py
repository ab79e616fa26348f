"""Differences with their intervals: a row a method, a colour and marker a data set."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ....core.measure import measure
from ..frame import PRIMARY
from ..statistics.intervals import Estimate
from .style import GREY, colour_of, figure, folded, marker_of

WIDEST = 48
"""Columns of a row's name."""


@dataclass(frozen=True)
class Gain:
    """A row of the plot. estimates: of each data set, None where there is none."""

    name: str
    estimates: tuple[Estimate | None, ...]


def gains_plot(rows: Sequence[Gain], datasets: Sequence[str]) -> Figure | None:
    """Mean differences and their 95 % intervals beside 0, in the order of the rows; None where there is none."""
    if not any(one is not None for row in rows for one in row.estimates):
        return None
    colours, markers = colour_of(datasets), marker_of(datasets)
    names = [folded(row.name, WIDEST) for row in rows]
    made = figure(7.2, max(1.8, 0.9 + sum(0.12 + 0.13 * max(len(datasets), 1 + name.count("\n")) for name in names)))
    axes = made.add_subplot()
    axes.axvline(0, color=GREY, linewidth=0.9, zorder=1)
    axes.grid(True, axis="x")
    for place, row in enumerate(rows):
        for offset, dataset, one in zip(_offsets(len(datasets)), datasets, row.estimates, strict=True):
            if one is None:
                continue
            if not math.isnan(one.low):
                axes.plot([one.low, one.high], [place + offset] * 2, color=colours[dataset], linewidth=1.2)
            axes.plot(one.mean, place + offset, markers[dataset], color=colours[dataset], markersize=4.5, zorder=3)
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(f"{measure(PRIMARY).title} gained")
    key = [Line2D([], [], color=colours[name], marker=markers[name], markersize=4.5, label=name) for name in datasets]
    axes.legend(handles=key, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return made


def _offsets(count: int) -> np.ndarray:
    return np.linspace(-0.25, 0.25, count) if count > 1 else np.zeros(1)
