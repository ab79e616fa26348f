"""What plots of coloured cells share: names of rows and columns, white lines between cells, the scale beside them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes


def name_cells(axes: Axes, shown: Any, heads: Sequence[str], sides: Sequence[str], scale: str) -> None:
    """Finish axes of cells. shown: the image drawn. heads, sides: of columns and rows. scale: of the colours."""
    axes.set_xticks(range(len(heads)), heads)
    axes.set_yticks(range(len(sides)), sides)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xticks(np.arange(1, len(heads)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(sides)) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    bar = axes.figure.colorbar(shown, ax=axes, shrink=0.9, pad=0.02)
    bar.set_label(scale)
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]  # the stub takes the spine for a function
