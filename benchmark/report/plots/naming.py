"""Names beside the points of a plot, where a legend would have too many entries."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from .style import GREY, HALO

PLACES = tuple(
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
    taken = [Bbox.from_extents(x - 4, y - 4, x + 4, y + 4) for x, y in (*dots, *bare)]
    for index, name in enumerate(names):
        for right, up, end in PLACES:
            text = axes.annotate(
                name,
                (points[index, 0], points[index, 1]),
                (right, up),
                textcoords="offset points",
                ha=end,
                va="center",
                fontsize=6.5,
                color=GREY,
                path_effects=HALO,
            )
            box = text.get_window_extent()
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            if inside and not any(box.overlaps(other) for k, other in enumerate(taken) if k != index):
                taken.append(box)
                break
            text.remove()
