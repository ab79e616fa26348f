"""Loss × model: the mean score of each combination as a colour and a number."""

import math

import numpy as np
from matplotlib.figure import Figure

from ...core.measure import measure
from .frame import PRIMARY
from .style import figure, folded
from .summary import Board, Row
from .table import STATUS_WORDS, estimate_text


def heatmap(board: Board) -> Figure:
    """Mean Dice ± standard deviation over seeds; a combination without a score says why.

    Colours span the combinations that did not collapse; a collapsed one takes the end of the scale and a dagger.
    """
    models = sorted({row.model for row in board.rows})
    losses = sorted({row.loss for row in board.rows})
    cells = {(row.model, row.loss): row for row in board.rows}
    means = np.array([[_mean(cells.get((model, loss))) for model in models] for loss in losses])
    sound = [row.dice.mean for row in board.compared if not row.collapsed] or [row.dice.mean for row in board.compared]
    low, high = min(sound), max(sound)
    if high - low < 0.02:  # a difference in the third digit must not look like day and night
        low, high = (low + high) / 2 - 0.01, (low + high) / 2 + 0.01
    made = figure(1.9 + 1.25 * len(models) + 0.9, 1.1 + 0.52 * len(losses))
    axes = made.add_subplot()
    axes.set_facecolor("#efefef")
    shown = axes.imshow(np.ma.masked_invalid(means), cmap="viridis", vmin=low, vmax=high, aspect="auto")
    for y, loss in enumerate(losses):
        for x, model in enumerate(models):
            text = _text(cells.get((model, loss)))
            dark = not math.isnan(means[y, x]) and (means[y, x] - low) / (high - low) < 0.5
            axes.text(x, y, text, ha="center", va="center", color="white" if dark else "black", fontsize=8)
    axes.set_xticks(range(len(models)), [folded(model, 18) for model in models])
    axes.set_yticks(range(len(losses)), [folded(loss, 26) for loss in losses])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xticks(np.arange(1, len(models)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(losses)) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    bar = made.colorbar(shown, ax=axes, shrink=0.9, pad=0.02)
    bar.set_label(f"Mean {measure(PRIMARY).title}")
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]  # the stub takes the spine for a function
    return made


def _mean(row: Row | None) -> float:
    return row.dice.mean if row else math.nan


def _text(row: Row | None) -> str:
    if row is None:
        return "not in\nthe sweep"
    if math.isnan(row.dice.mean):
        return "\n".join(STATUS_WORDS[name] for name in row.statuses if name != "done") or "undefined"
    missing = f"\n({row.done} of {row.statuses.total()})" if row.done < row.statuses.total() else ""
    return estimate_text(row.dice, measure(PRIMARY)).replace(" ± ", "\n± ") + ("†" if row.collapsed else "") + missing
