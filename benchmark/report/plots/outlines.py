"""A few cases of each data set with the outlines of their masks, so that a person sees what does not fit."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ....core.task import Task
from ....datasets.thumbnail import Thumbnail
from .style import COLOURS, figure, folded

OUTLINES = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2")
"""Okabe and Ito's colours, those first that are seen on black, grey and stained tissue."""

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
            axes.imshow(painted(thumbnail, task), interpolation="antialiased")
            plane = "" if thumbnail.plane is None else f", slice {thumbnail.plane}"
            axes.set_xlabel(folded(_short(thumbnail.name) + plane, 34), fontsize=6.5)
        for axes in band.axes:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        key = [Patch(color=colour, label=label) for label, colour in _colours(task).items()]
        band.legend(handles=key, loc="upper right", ncols=6, fontsize=7, handlelength=1.0, handleheight=0.8)
    return made


def painted(thumbnail: Thumbnail, task: Task) -> np.ndarray:
    """The image in grey or its colours with each outline in its class's colour, (h, w, 3) uint8."""
    image = thumbnail.image
    canvas = np.repeat(image[..., None], 3, -1) if image.ndim == 2 else image.copy()
    for number, colour in zip(_numbers(task), _colours(task).values(), strict=True):
        canvas[thumbnail.outlines == number] = np.round(np.array(to_rgb(colour)) * 255)
    return canvas


def _numbers(task: Task) -> list[int]:
    """What the outlines of each scored class, and of ignored pixels, are numbered by."""
    first = 2 if task.kind == "exclusive" else 1
    return [*range(first, len(task.classes) + 1), *([len(task.classes) + 1] if task.ignore is not None else [])]


def _colours(task: Task) -> dict[str, str]:
    colours = {name: OUTLINES[number % len(OUTLINES)] for number, name in enumerate(task.scored)}
    return colours | ({"(ignored)": COLOURS[-1]} if task.ignore is not None else {})


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:15]}…{name[-15:]}"
