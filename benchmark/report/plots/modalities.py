"""Modalities of training × modalities of test: the mean Dice of each as a colour and a number."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ....core.measure import measure
from ..frame import PRIMARY
from ..tables.modality_cells import Cell
from ..tables.table import UNDEFINED
from .cells import name_cells
from .style import figure, folded, line_count, room


def modality_plot(rows: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[Cell | None]]) -> Figure | None:
    """Mean Dice from 0 to 1 with its 95 % interval below, a row a configuration; None with fewer than two columns.

    A number is bold where tests had all that the network was trained with.
    """
    if len(columns) < 2 or not rows:
        return None
    means = np.array([[cell.dice.mean if cell and cell.dice else math.nan for cell in line] for line in cells])
    heads, sides = [folded(name, 16) for name in columns], [folded(name, 44) for name in rows]
    wide, tall = max(1.15, room(heads, 8) + 0.1), max(0.44, 0.05 + 0.14 * line_count(sides))
    made = figure(room(sides, 8) + 0.5 + wide * len(columns) + 0.9, 1.2 + tall * len(rows))
    axes = made.add_subplot()
    axes.set_facecolor("#efefef")
    shown = axes.imshow(np.ma.masked_invalid(means), cmap="viridis", vmin=0, vmax=1, aspect="auto")
    for y, line in enumerate(cells):
        for x, cell in enumerate(line):
            dark = not math.isnan(means[y, x]) and means[y, x] < 0.5
            weight = "bold" if cell and cell.how == "given" else "normal"
            colour = "white" if dark else "black"
            axes.text(x, y, _text(cell), ha="center", va="center", color=colour, fontsize=7.5, fontweight=weight)
    name_cells(axes, shown, heads, sides, f"Mean {measure(PRIMARY).title} over test cases")
    axes.set_xlabel("Test")
    axes.set_ylabel("Training")
    return made


def _text(cell: Cell | None) -> str:
    if cell is None or cell.dice is None:
        return UNDEFINED
    read = measure(PRIMARY).text
    if math.isnan(cell.dice.low):
        return read(cell.dice.mean)
    return f"{read(cell.dice.mean)}\n[{read(cell.dice.low)}, {read(cell.dice.high)}]"
