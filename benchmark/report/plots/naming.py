"""Names beside the points of a plot, where a legend would have too many entries."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from .style import GREY, HALO

Side = Literal["left", "center", "right"]

PLACES: tuple[tuple[float, float, Side], ...] = tuple(
    (distance * x, distance * y, "left" if x > 0 else "right" if x < 0 else "center")
    for distance in (5, 10, 16)
    for x, y in ((1, 0), (-1, 0), (0.7, 0.9), (-0.7, 0.9), (0.7, -0.9), (-0.7, -0.9), (0, 1.4), (0, -1.4))
)
"""Where a name may stand, in points from its own point, nearest first, and which of its ends lies there."""


def name_points(axes: Axes, points: np.ndarray, names: Sequence[str], others: np.ndarray | None = None) -> None:
    """Write each name near its point `(n, 2)` in data units, at the first place where it covers no name and no point.

    others: points (m, 2) without a name, which none may cover either.

    A name that finds no free place is left out; the table has it. The axes' limits must be final.
    """
    made = axes.get_figure(root=True)
    if made is None:
        return
    made.draw_without_rendering()  # so that the layout is final and texts have sizes
    frame, dots = axes.get_window_extent(), axes.transData.transform(points)
    bare = axes.transData.transform(others) if others is not None and len(others) else np.zeros((0, 2))
    taken = np.array([(x - 4, y - 4, x + 4, y + 4) for x, y in (*dots, *bare)])
    pixels = made.dpi / 72
    for index, name in enumerate(names):
        text = axes.annotate(
            name,
            (points[index, 0], points[index, 1]),
            (0, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
            color=GREY,
            path_effects=HALO,
        )
        box = text.get_window_extent()
        for right, up, end in PLACES:
            x0 = box.x0 + right * pixels - {"left": 0.0, "center": 0.5, "right": 1.0}[end] * box.width
            y0 = box.y0 + up * pixels
            x1, y1 = x0 + box.width, y0 + box.height
            inside = frame.x0 <= x0 and x1 <= frame.x1 and frame.y0 <= y0 and y1 <= frame.y1
            covers = (taken[:, 0] < x1) & (taken[:, 2] > x0) & (taken[:, 1] < y1) & (taken[:, 3] > y0)
            covers[index] = False
            if inside and not covers.any():
                text.set_position((right, up))
                text.set_horizontalalignment(end)
                taken = np.concatenate([taken, [(x0, y0, x1, y1)]])
                break
        else:
            text.remove()
