"""A few cases of each data set with the outlines of their masks, so that a person sees what does not fit."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ....core.task import Task
from ....datasets.thumbnail import Thumbnail, outline_colours
from .style import figure, folded

DPI = 200
"""At which a thumbnail has about as many pixels on paper as in itself."""

_WIDTH = 2.2


def outlines(rows: Sequence[tuple[str, Task, Sequence[Thumbnail]]]) -> Figure:
    """A row a data set: its name and classes, and its cases with the outlines of their masks, names below.

    rows: those with thumbnails; at least one.
    """
    shown = [row for row in rows if row[2]]
    columns = max(len(thumbnails) for _, _, thumbnails in shown)
    ratios = [max(t.image.shape[0] / t.image.shape[1] for t in thumbnails) for _, _, thumbnails in shown]
    made = figure(_WIDTH * columns + 0.2, sum(_WIDTH * min(ratio, 1.5) + 0.6 for ratio in ratios))
    heights = [min(ratio, 1.5) + 0.27 for ratio in ratios]
    bands = made.subfigures(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0]
    for band, (name, task, thumbnails) in zip(bands, shown, strict=True):
        band.suptitle(name, fontsize=9, fontweight="bold", x=0.01, ha="left")
        for axes, thumbnail in zip(band.subplots(1, columns, squeeze=False)[0], thumbnails, strict=False):
            axes.imshow(thumbnail.painted(task), interpolation="antialiased")
            plane = "" if thumbnail.plane is None else f", slice {thumbnail.plane}"
            axes.set_xlabel(folded(_short(thumbnail.name) + plane, 34), fontsize=6.5)
        for axes in band.axes:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        key = [Patch(color=colour, label=label) for label, colour in outline_colours(task).items()]
        band.legend(handles=key, loc="upper right", ncols=6, fontsize=7, handlelength=1.0, handleheight=0.8)
    return made


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:15]}…{name[-15:]}"
