"""What ensembles gain, as points with their intervals."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ....core.measure import measure
from ..frame import PRIMARY
from ..statistics.intervals import Estimate
from ..tables.ensembles import EnsembleRow
from .style import COLOURS, GREY, figure, folded, line_count, room

WIDEST = 44
"""Columns of a label's line."""

KINDS = (("its best member", COLOURS[0], "o", -0.14), ("one network of equal latency", COLOURS[1], "s", 0.14))
"""What a gain is over: name, colour, marker, and how far below the middle of its row it stands."""


def ensembles_plot(rows: Sequence[EnsembleRow]) -> Figure | None:
    """Mean gain in Dice of each ensemble, two points a row; None where no gain is known."""
    shown = [one for one in rows if not (math.isnan(one.over_best.mean) and math.isnan(one.over_rival.mean))]
    if not shown:
        return None
    several = len({one.row.loss for one in shown}) > 1
    labels = [folded(one.row.label if several else one.row.model, WIDEST) for one in shown]
    height = 1.3 + len(labels) * max(0.34, 0.17 * line_count(labels))
    made = figure(4.4 + room(labels, 8.0), height)
    axes = made.add_subplot()
    axes.axvline(0.0, color=GREY, linewidth=0.9)
    axes.grid(True, axis="x")
    for place, one in enumerate(shown):
        for gain, (_, colour, marker, below) in zip((one.over_best, one.over_rival), KINDS, strict=True):
            _point(axes, gain, place + below, colour, marker)
    axes.set_yticks(np.arange(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel(f"Gain in mean {measure(PRIMARY).title} over test cases")
    key = [
        Line2D([], [], linestyle="", marker=marker, color=colour, label=f"over {name}")
        for name, colour, marker, _ in KINDS
    ]
    made.legend(handles=key, loc="outside lower center", ncols=1)
    return made


def _point(axes, gain: Estimate, place: float, colour: str, marker: str) -> None:
    if math.isnan(gain.mean):
        return
    if not math.isnan(gain.low):
        axes.plot([gain.low, gain.high], [place] * 2, color=colour, linewidth=1.1, alpha=0.7)
    axes.plot([gain.mean], [place], marker, color=colour, markersize=5.0)
