"""Published results as points with their intervals, stated and reconstructed ones told apart."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...records.published import PublishedResult
from .style import COLOURS, Dash, figure, folded, line_count, room

WIDEST, MOST = 44, 60
"""Columns of a label's line, and rows that a plot has room for."""

LINES: dict[str, tuple[Dash, str]] = {
    "stated": ("-", "interval stated"),
    "reconstructed": (":", "interval reconstructed"),
}


def published_plot(results: Sequence[PublishedResult]) -> Figure | None:
    """The scores of the measure that most results have, a row a data set and model; None where there are too many."""
    measures = [one.measure for one in results]
    measure = max(dict.fromkeys(measures), key=measures.count)
    shown = [one for one in results if one.measure == measure]
    if len(shown) > MOST:
        return None
    labels = [folded(f"{one.dataset} · {one.model}", WIDEST) for one in shown]
    made = figure(4.4 + room(labels, 8.0), 1.3 + len(labels) * max(0.3, 0.17 * line_count(labels)))
    axes = made.add_subplot()
    axes.grid(True, axis="x")
    datasets = list(dict.fromkeys(one.dataset for one in shown))
    for place, one in enumerate(shown):
        colour = COLOURS[datasets.index(one.dataset) % len(COLOURS)]
        if one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [place] * 2, LINES[one.interval][0], color=colour, linewidth=1.4)
        axes.plot([one.value], [place], "o", color=colour, markersize=5.0)
    axes.set_yticks(np.arange(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel(f"{shown[0].title}, as published")
    kinds = [kind for kind in LINES if any(one.interval == kind for one in shown)]
    if kinds:
        key = [Line2D([], [], linestyle=LINES[kind][0], color="black", label=LINES[kind][1]) for kind in kinds]
        made.legend(handles=key, loc="outside lower center", ncols=2)
    return made
