"""Learning curves: loss and validation score of every seed, the selected epoch marked."""

from math import ceil

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ....core.measure import measure
from ....core.record import Record
from ..frame import PRIMARY
from ..tables.summary import ComparisonTable
from .style import GREY, Dash, colour_of, dash_of, figure, folded, legend_columns, room

TALLEST = 12
"""Losses one above the other, from which on they stand in columns."""

MANY, GROUP = 12, 8
"""Models in one pane at most, and how many of them share one where there are more."""


def curves(table: ComparisonTable) -> Figure | None:
    """A pair of panes a loss: training loss on the left, validation Dice on the right, one thin line a seed.

    More than a dozen losses stand in several columns of pairs; more than a dozen models share a loss's place in eights,
    each pair of panes with its own names.

    Losses of different kinds have different scales, so each row has its own; the Dice axes are shared. A dot is the
    epoch that was selected. Trials that failed on the way are drawn as far as they came, with a cross at the end.
    None without a history.
    """
    drawn = [(record, table.row_of[key]) for key, record in table.records.items() if record.history]
    if not drawn:
        return None
    losses = sorted({row.loss for _, row in drawn})
    models = sorted({row.model for _, row in drawn})
    groups = [models] if len(models) <= MANY else [models[at : at + GROUP] for at in range(0, len(models), GROUP)]
    places = [(loss, group) for loss in losses for group in groups]
    # Names beside the panes take the room of further columns.
    columns = min(3, ceil(len(places) / TALLEST)) if len(groups) == 1 else 1
    wide = (7.2 if len(groups) == 1 else 9.2) if columns == 1 else 4.8 * columns
    names = {loss: folded(loss, 24) for loss in losses}
    high = max(1.75, 0.3 + room(names.values(), 9))  # names of losses are written upwards
    made = figure(wide, 1.0 + high * ceil(len(places) / columns))
    panes = _pairs(made, len(places), columns)
    for (left, right), (loss, group) in zip(panes, places, strict=True):
        right.sharey(panes[0][1])
        colours, dashes = colour_of(group), dash_of(group)
        for record, row in drawn:
            if row.loss == loss and row.model in group:
                _draw(left, right, record, colours[row.model], dashes[row.model])
        left.set_ylabel(names[loss])
        for axes in (left, right):
            axes.grid(True)
        if len(groups) > 1:
            right.legend(handles=_lines(group), loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=7)
    for left, right in panes[:columns]:
        left.set_title("Training loss")
        right.set_title(f"Validation {measure(PRIMARY).title}")
    for axes in (axes for pair in panes[-columns:] for axes in pair):
        axes.set_xlabel("Epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelbottom=True)
    lines = _lines(models) if len(groups) == 1 else []
    lines += [Line2D([], [], color=GREY, linestyle="", marker="o", markersize=4, label="selected epoch")]
    if any(record.status != "done" for record, _ in drawn):
        lines += [Line2D([], [], color=GREY, linestyle="", marker="x", markersize=5, label="not finished")]
    columns = legend_columns([str(line.get_label()) for line in lines], wide)
    made.legend(handles=lines, loc="outside lower center", ncols=columns)
    return made


def _lines(models: list[str]) -> list[Line2D]:
    colours, dashes = colour_of(models), dash_of(models)
    return [Line2D([], [], color=colours[name], linestyle=dashes[name], label=folded(name, 34)) for name in models]


def _pairs(made: Figure, count: int, columns: int) -> list[tuple[Axes, Axes]]:
    """So many pairs of panes, row by row; what the last row has too many is left blank."""
    rows = ceil(count / columns)
    panes = made.subplots(rows, 2 * columns, squeeze=False, sharex=True)
    pairs = [(row[2 * column], row[2 * column + 1]) for row in panes for column in range(columns)]
    for pane in (pane for pair in pairs[count:] for pane in pair):
        pane.remove()
    return pairs[:count]


def _draw(left: Axes, right: Axes, record: Record, colour: str, dash: Dash) -> None:
    chosen = record.selection.get("epoch")
    for axes, key in ((left, "loss"), (right, "val_dice")):
        rows = [row for row in record.history if row.get(key) is not None]
        if not rows:
            continue
        epochs, values = [int(row["epoch"]) for row in rows], [float(row[key]) for row in rows]
        axes.plot(epochs, values, color=colour, linestyle=dash, linewidth=0.8, alpha=0.8)
        if chosen in epochs:
            axes.plot([chosen], [values[epochs.index(chosen)]], "o", markersize=3.5, color=colour)
        if record.status != "done":
            axes.plot([epochs[-1]], [values[-1]], "x", markersize=5, color=colour)
