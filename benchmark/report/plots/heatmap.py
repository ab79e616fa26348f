"""Loss × model: the mean score of each combination as a colour and a number."""

import math

import numpy as np
from matplotlib.figure import Figure

from ....core.measure import measure
from ..frame import PRIMARY
from ..tables.row import Row
from ..tables.summary import ComparisonTable
from ..tables.table import NO_SCORE, STATUS_WORDS, estimate_text
from .cells import name_cells
from .style import figure, folded, line_count, room

MANY = 12
"""Columns at most, where there are fewer rows."""


def heatmap(table: ComparisonTable) -> Figure:
    """Mean Dice ± standard deviation over seeds; a combination without a score says why.

    Losses are rows and models columns; more than a dozen models are rows, and losses columns.
    Colours span the combinations that did not collapse; a collapsed one takes the end of the scale and a dagger.
    """
    models = sorted({row.model for row in table.rows})
    losses = sorted({row.loss for row in table.rows})
    cells = {(row.model, row.loss): row for row in table.rows}
    upright = len(models) > MANY and len(models) > len(losses)
    rows, columns = (models, losses) if upright else (losses, models)
    found = [[cells.get((row, column) if upright else (column, row)) for column in columns] for row in rows]
    means = np.array([[_mean(cell) for cell in line] for line in found])
    sound = [row.dice.mean for row in table.compared if not row.collapsed] or [row.dice.mean for row in table.compared]
    low, high = min(sound), max(sound)
    if high - low < 0.02:  # a difference in the third digit must not look like day and night
        low, high = (low + high) / 2 - 0.01, (low + high) / 2 + 0.01
    heads, sides = [folded(name, 18) for name in columns], [folded(name, 60 if upright else 26) for name in rows]
    wide = max(1.25, room(heads, 8) + 0.1)
    tall = max(0.3 if upright else 0.52, 0.05 + 0.14 * line_count(sides))
    made = figure(max(1.9, room(sides, 8) + 0.4) + wide * len(columns) + 0.9, 1.1 + tall * len(rows))
    axes = made.add_subplot()
    axes.set_facecolor("#efefef")
    shown = axes.imshow(np.ma.masked_invalid(means), cmap="viridis", vmin=low, vmax=high, aspect="auto")
    for y, line in enumerate(found):
        for x, cell in enumerate(line):
            dark = not math.isnan(means[y, x]) and (means[y, x] - low) / (high - low) < 0.5
            axes.text(x, y, _text(cell), ha="center", va="center", color="white" if dark else "black", fontsize=8)
    name_cells(axes, shown, heads, sides, f"Mean {measure(PRIMARY).title}")
    return made


def _mean(row: Row | None) -> float:
    return row.dice.mean if row else math.nan


def _text(row: Row | None) -> str:
    if row is None:
        return "not in\nthe sweep"
    if math.isnan(row.dice.mean):
        ended = [STATUS_WORDS[name] for name in row.statuses if name != "done"]
        return "\n".join([*([NO_SCORE] if row.done else []), *ended])
    missing = f"\n({row.done} of {row.statuses.total()})" if row.done < row.statuses.total() else ""
    return estimate_text(row.dice, measure(PRIMARY)).replace(" ± ", "\n± ") + ("†" if row.collapsed else "") + missing
