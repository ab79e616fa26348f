"""Performance profiles: the share of test cases above each score."""

import numpy as np
from matplotlib.figure import Figure

from ....core.measure import measure
from ..frame import PRIMARY
from ..tables.summary import ComparisonTable
from .style import COLOURS, colour_of, figure, folded

MOST = len(COLOURS)
"""Rows that are drawn, the best ones: as many as have a colour."""


def profiles(table: ComparisonTable) -> Figure | None:
    """One step line a row: the share of its defined case scores above each value (Agarwal et al. 2021).

    A line above another one everywhere is better at every level (arXiv:2108.13264); lines that cross are better for
    different cases. None for fewer than two rows with scores.
    """
    rows = table.compared[:MOST]
    if len(rows) < 2:
        return None
    names = [folded(table.short(row), 40) for row in rows]
    colours = colour_of([row.label for row in rows])
    made = figure(7.2, 3.8)
    axes = made.add_subplot()
    axes.grid(True)
    every = np.concatenate([row.case_means[~np.isnan(row.case_means)] for row in rows])
    low, high = float(every.min()), float(every.max())
    margin = max(0.03 * (high - low), 1e-3)
    for row, name in zip(rows, names, strict=True):
        scores = np.sort(row.case_means[~np.isnan(row.case_means)])
        above = 1 - np.arange(len(scores) + 1) / len(scores)
        values = np.concatenate([[low - margin], scores, [high + margin]])
        axes.step(values, [*above, 0.0], where="post", color=colours[row.label], label=name, linewidth=1.1)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(f"{measure(PRIMARY).title} of a test case")
    axes.set_ylabel("Share of cases above")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return made
