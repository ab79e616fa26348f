"""Dice against what the training labels cost to draw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from ....core.measure import measure
from ..frame import PRIMARY
from ..statistics.intervals import Estimate
from ..tables.row import Row
from .naming import name_points
from .style import COLOURS, GREY, MARKERS, colour_of, figure, marker_of

FULL = "full masks"
"""How rows without weaker labels are called."""


@dataclass(frozen=True)
class Annotated:
    """A configuration under some training labels.

    labels: in words. marks: what was drawn, in words, "" for full masks. made: what was guessed from it before
    training, in a word. loss: its name, "" with options of its own. cases: of training. drawn: how much was drawn, in
    words. minutes: that it takes, NaN where unknown. known: share of the training pixels whose class is known. lost:
    Dice against full masks, None where there are none.
    """

    labels: str
    row: Row
    marks: str
    made: str
    loss: str
    cases: int
    drawn: str
    minutes: float
    known: float
    lost: Estimate | None


def annotation_plot(rows: Sequence[Annotated]) -> Figure | None:
    """Mean test Dice against minutes of annotation, logarithmic; None with fewer than two points.

    A colour a model, a marker a loss, the labels beside the points; bars are 95 % intervals of the mean. The line is
    the best with full masks.
    """
    shown = [one for one in rows if one.minutes > 0]
    if len({(one.labels, one.row.label) for one in shown}) < 2:
        return None
    models, losses = sorted({one.row.model for one in shown}), sorted({one.row.loss for one in shown})
    colours = colour_of(models) if len(models) <= len(COLOURS) else dict.fromkeys(models, COLOURS[0])
    markers = marker_of(losses) if len(losses) <= len(MARKERS) else dict.fromkeys(losses, MARKERS[0])
    made = figure(7.2, 4.2)
    axes = made.add_subplot()
    axes.grid(True)
    for one in shown:
        dice, colour = one.row.dice, colours[one.row.model]
        if not math.isnan(dice.low):
            axes.plot([one.minutes] * 2, [dice.low, dice.high], color=colour, alpha=0.5, linewidth=0.9)
        face = colour if one.labels == FULL else "white"
        style = {"color": colour, "markerfacecolor": face, "markersize": 6.5, "zorder": 4}
        axes.plot(one.minutes, dice.mean, markers[one.row.loss], **style)
    bound = max((one.row.dice.mean for one in shown if one.labels == FULL), default=math.nan)
    if not math.isnan(bound):
        axes.axhline(bound, color=GREY, linewidth=0.9, linestyle="--", zorder=2)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = min(one.minutes for one in shown), max(one.minutes for one in shown)
    axes.set_xlim(low / 1.8, high * 1.8)
    axes.set_xlabel("Annotation of the training cases [min]")
    axes.set_ylabel(f"Mean {measure(PRIMARY).title} over test cases")
    key = [Line2D([], [], linestyle="", marker="o", color=colours[model], label=model) for model in models]
    key += [Line2D([], [], linestyle="", marker=markers[loss], color=GREY, label=loss) for loss in losses]
    axes.legend(handles=key, loc="center left", bbox_to_anchor=(1.01, 0.5))
    points = np.array([[one.minutes, one.row.dice.mean] for one in shown])
    name_points(axes, points, [one.labels for one in shown])
    return made
