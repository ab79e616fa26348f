"""Critical-difference diagram: mean ranks on a line, and bars over those that are not shown to differ."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import GREY, figure, folded, room

STEP, BAR = 0.24, 0.13
"""Inches between two names and between two bars."""


def critical(names: Sequence[str], ranks: np.ndarray, alike: np.ndarray, difference: float) -> Figure:
    """The better half stands on the left, each name led to its mean rank; below the line, bars join what is alike.

    ranks (k,): mean ranks. alike (k, k): whether a pair was tested and not shown to differ; one that was not tested is
    not alike. difference: Nemenyi's critical difference, drawn above as a length. Names of equal rank share a tick,
    and a bar joins them where they are alike, so that no bar has no width.
    """
    order = [int(index) for index in np.argsort(ranks, kind="stable")]
    bars = cliques(alike[np.ix_(order, order)])
    labels = [folded(names[index], 34) for index in order]
    half = (len(order) + 1) // 2
    side = min(room(labels, 8), 3.2) + 0.3
    wide = max(7.2, 2 * side + 3.2)
    down = BAR * (len(bars) + 1) + STEP * half + 0.2
    made = figure(wide, down + 0.9)
    axes = made.add_subplot()
    axes.axis("off")
    low, high = 1.0, max(float(len(order)), 2.0)
    scale = (wide - 2 * side) / (high - low)
    axes.set_xlim(low - side / scale, high + side / scale)
    axes.set_ylim(-down, 0.8)
    _line(axes, low, high)
    axes.plot([low, low + min(difference, high - low)], [0.55, 0.55], color=GREY, linewidth=1.6)
    axes.text(low, 0.6, f"critical difference {difference:.2f} (Nemenyi)", fontsize=7.5, color=GREY, va="bottom")
    for depth, (first, last) in enumerate(bars, 1):
        reach = 0.06 / scale
        ends = [ranks[order[first]] - reach, ranks[order[last]] + reach]
        axes.plot(ends, [-BAR * depth] * 2, color="black", linewidth=3, solid_capstyle="butt")
    under = BAR * (len(bars) + 1)
    for place, index in enumerate(order):
        left = place < half
        height = -under - STEP * (place if left else len(order) - 1 - place) - 0.1
        end = low - 0.15 / scale if left else high + 0.15 / scale
        axes.plot([float(ranks[index])] * 2 + [end], [0, height, height], color=GREY, linewidth=0.8)
        text = f"{labels[place]}  {ranks[index]:.2f} " if left else f" {ranks[index]:.2f}  {labels[place]}"
        axes.text(end, height, text, ha="right" if left else "left", va="center", fontsize=8)
    return made


def cliques(alike: np.ndarray) -> list[tuple[int, int]]:
    """The longest runs of an order in which every two are alike, as first and last place; none inside another."""
    found: list[tuple[int, int]] = []
    for first in range(len(alike)):
        last = first
        while last + 1 < len(alike) and alike[first : last + 1, last + 1].all():
            last += 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _line(axes: Axes, low: float, high: float) -> None:
    axes.plot([low, high], [0, 0], color="black", linewidth=1.0)
    step = max(1, round((high - low) / 12))
    for tick in np.arange(low, high + 1e-9, step):
        axes.plot([tick, tick], [0, 0.07], color="black", linewidth=1.0)
        axes.text(tick, 0.12, f"{tick:g}", ha="center", va="bottom", fontsize=8)
