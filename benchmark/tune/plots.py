"""A tuning as pictures: how the best score grew with the budget, and which hyper-parameters matter."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..report.plots.style import GREY, colour_of, dash_of, figure, folded, legend_columns, room
from .outcome import SCORE
from .results import Tuned

TRACE = (
    "The best validation Dice so far, over trials in their order and over the seconds of training that they took; a "
    "small dot is a trial's own score, the larger one the winner, and what lies below the axis is not shown. Trial 0, "
    "with which each line begins, is the default. What was stopped counts with its score at that time."
)
IMPORTANCE = (
    "Share of the variance of the validation score, over the search space, that each hyper-parameter explains by "
    "itself (fANOVA of a random forest); with few trials these are guesses, see the notes of the table."
)


def trace(tuned: Sequence[Tuned]) -> Figure | None:
    """Two panes: over trials, over seconds; a line a search. None before any trial has a score."""
    drawn = [one for one in tuned if any(a.last is not None and a.last.done for a in one.search.attempts)]
    if not drawn:
        return None
    labels = [one.label for one in drawn]
    colours, dashes = colour_of(labels), dash_of(labels)
    made = figure(7.2, 3.4 + 0.18 * math.ceil(len(labels) / 2))
    left, right = made.subplots(1, 2, sharey=True)
    lowest, highest = [], []
    for one in drawn:
        scores, seconds = _scores(one), np.cumsum([attempt.seconds for attempt in one.search.attempts])
        best = np.maximum.accumulate(np.nan_to_num(scores, nan=-1.0))
        best = np.where(best < 0, np.nan, best)
        lowest.append(np.nanmin(best))
        highest.append(np.nanmax(best))
        numbers = np.arange(len(scores))
        colour, dash = colours[one.label], dashes[one.label]
        for axes, x in ((left, numbers), (right, seconds)):
            axes.plot(x, best, color=colour, linestyle=dash, drawstyle="steps-post", linewidth=1.3)
            axes.plot(x, scores, ".", color=colour, markersize=3.5, alpha=0.6)
            if one.winner is not None:
                at = one.winner.number
                axes.plot([x[at]], [scores[at]], "o", color=colour, markersize=5.5)
    margin = 0.06 * max(max(highest) - min(lowest), 0.01)
    left.set_ylim(min(lowest) - 4 * margin, max(highest) + margin)
    _label(left, right)
    lines = [Line2D([], [], color=colours[t], linestyle=dashes[t], label=folded(t, 40)) for t in labels]
    made.legend(handles=lines, loc="outside lower center", ncols=legend_columns(labels, 7.2))
    return made


def _label(left: Axes, right: Axes) -> None:
    left.set_ylabel(f"Validation {SCORE.title}")
    left.set_xlabel("Trial")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set_xlabel("Training [s]")
    for axes in (left, right):
        axes.grid(True)


def _scores(one: Tuned) -> np.ndarray:
    """The score of each attempt, NaN where it failed or is still to come."""
    lasts = [attempt.last for attempt in one.search.attempts]
    return np.array([last.score if last is not None and last.done else math.nan for last in lasts])


def importances(tuned: Sequence[Tuned]) -> Figure | None:
    """A field a search and hyper-parameter, its share written inside. None where no search has one."""
    drawn = [one for one in tuned if not all(map(math.isnan, one.importance.shares.values()))]
    if not drawn:
        return None
    keys = list(dict.fromkeys(key for one in drawn for key in one.importance.shares))
    shares = np.array([[one.importance.shares.get(key, math.nan) for key in keys] for one in drawn])
    names = [folded(one.label, 34) for one in drawn]
    side = room(names, 8)
    columns = [folded(key, 12) for key in keys]
    made = figure(max(3.6, side + 1.05 * len(keys) + 0.8), 1.1 + 0.38 * len(drawn))
    axes = made.subplots()
    axes.imshow(np.nan_to_num(shares), cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    axes.set_xticks(range(len(keys)), columns)
    axes.set_yticks(range(len(drawn)), names)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row, column in np.ndindex(shares.shape):
        share = shares[row, column]
        text, colour = ("", GREY) if math.isnan(share) else (f"{share:.2f}", "white" if share > 0.55 else "black")
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    return made
