"""Accuracy matrices of continual learning: a pane a method, a row a stage, a column a batch."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ....core.measure import measure
from ..frame import PRIMARY
from ..tables.continual import ContinualRow
from .style import figure, folded

ACROSS = 3
"""Panes side by side at most."""

FEW = 7
"""Batches up to which the numbers are written into the matrix."""

WIDEST = 34
"""Columns of a pane's title."""


def matrices(rows: Sequence[ContinualRow]) -> Figure | None:
    """Mean Dice of each batch after each stage; None where no run is complete.

    Batches are called by their place in the order of arrival, by their names where all runs have the same order. All
    panes have one scale of colours.
    """
    shown = [row for row in rows if not np.isnan(row.matrix).all()]
    if not shown:
        return None
    every = np.concatenate([row.matrix.ravel() for row in shown])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    if high - low < 0.02:  # a difference in the third digit must not look like day and night
        low, high = (low + high) / 2 - 0.01, (low + high) / 2 + 0.01
    across = min(ACROSS, len(shown))
    down = -(-len(shown) // across)
    size = len(shown[0].matrix)
    pane = max(2.1, 0.42 * size + 0.9)
    made = figure(pane * across + 1.2, (pane + 0.25) * down + 0.4)
    made.set_layout_engine("constrained", h_pad=0.1)  # square panes leave titles no room at the upper edge
    grid = made.subplots(down, across, squeeze=False)
    several = len({(row.model, row.loss) for row in shown}) > 1
    image = None
    for index, axes in enumerate(grid.flat):
        if index >= len(shown):
            axes.set_visible(False)
            continue
        image = _pane(axes, shown[index], low, high)
        axes.set_title(folded(shown[index].label if several else shown[index].method, WIDEST))
        if index % across == 0:
            axes.set_ylabel("after stage")
        if index + across >= len(shown):
            axes.set_xlabel("batch")
    bar = made.colorbar(image, ax=grid, shrink=0.8, pad=0.02)  # pyright: ignore[reportArgumentType]  # never None here
    bar.set_label(f"Mean {measure(PRIMARY).title}")
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]  # the stub takes the spine for a function
    return made


def _pane(axes, row: ContinualRow, low: float, high: float):
    size = len(row.matrix)
    axes.set_facecolor("#efefef")
    image = axes.imshow(np.ma.masked_invalid(row.matrix), cmap="viridis", vmin=low, vmax=high)
    for k, j in np.ndindex(size, size) if size <= FEW else ():
        value = float(row.matrix[k, j])
        dark = (value - low) / (high - low) < 0.5
        text = "–" if np.isnan(value) else measure(PRIMARY).text(value)
        weight = "bold" if k == j else "normal"
        axes.text(
            j, k, text, ha="center", va="center", fontsize=7.5, color="white" if dark else "black", fontweight=weight
        )
    names = [folded(name, 9) for name in row.batches] or [str(k + 1) for k in range(size)]
    axes.set_xticks(range(size), names)
    axes.set_yticks(range(size), [str(k + 1) for k in range(size)])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    return image
