"""A model as a figure: its levels from the image's resolution down, its blocks from left to right as they are computed.

Everything is read from the built network, nothing is placed by hand.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import keras
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch

from ...models.anatomy.wiring import INTERPOLATED, POOLED, REPEATED, STRIDED, TRANSPOSED, Edge, Wiring, wiring
from .plots.style import COLOURS, look

BOX = (0.64, 0.44)
"""Width and height of a block, where columns and rows are 1 apart."""
SMALL = (0.36, 0.34)
"""The same of a gate, or of a joint that stands alone."""
COLUMN, ROW, MARGIN, BELOW, LINE = 0.62, 0.66, 0.5, 0.12, 0.2
"""Inches a column, a row, around them, below them, and a line of the key."""

FILLS = {
    "convolution": ("#cfe2f3", "convolutions"),
    "depthwise": ("#d5ead8", "depthwise convolutions"),
    "residual": ("#fbe3c0", "residual block"),
    "recurrent": ("#f3d1dc", "recurrent block: one convolution, called again"),
    "paths": ("#e0d6ec", "branches, concatenated"),
    "squeeze": ("#f6efb8", "squeeze and excitation"),
    "transformer": ("#dcdcdc", "transformer layers"),
    "gate": ("#ffffff", "gate: features × factors from both inputs"),
    "joint": ("#ffffff", "joint"),
    "logits": ("#4d4d4d", "logits"),
}
"""Fill and name of each mechanism."""

WAYS = {
    "": (COLOURS[6], "-", "features, as they are"),
    POOLED: (COLOURS[1], "-", "pooling"),
    STRIDED: (COLOURS[1], (0, (4, 1.6)), "strided convolution"),
    TRANSPOSED: (COLOURS[2], (0, (4, 1.6)), "transposed convolution"),
    REPEATED: (COLOURS[2], "-", "nearest-neighbour up-sampling"),
    INTERPOLATED: (COLOURS[2], (0, (1, 1)), "linear interpolation"),
}
"""Colour, dash and name of each way."""

SIGNS = {"c": "c: concatenation", "+": "+: sum", "×": "×: product"}


def draw(model: keras.Model, file: Path, title: str) -> None:
    """Write the figure of a model; the same model gives the same file. The suffix says the format: svg, pdf, png."""
    with look(), mpl.rc_context({"svg.hashsalt": "unetbench", "svg.fonttype": "none"}):
        figure = _figure(wiring(model), title)
        stamp = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(file.suffix, {"Software": None})
        figure.savefig(file, metadata=stamp, dpi=200)


def _figure(wired: Wiring, title: str) -> Figure:
    places = _places(wired)
    width, height = (max(place[axis] for place in places) for axis in (0, 1))
    key = _key(wired)
    lines = -(-len(key) // _per_line(width))
    inches = (COLUMN * (width + 1) + 2 * MARGIN, ROW * (height + 1) + MARGIN + BELOW + LINE * lines)
    made = Figure(figsize=inches)
    FigureCanvasAgg(made)
    axes = made.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    left, below = MARGIN / COLUMN + 0.5, (BELOW + LINE * lines) / ROW + 0.5
    axes.set_xlim(-left, -left + inches[0] / COLUMN)
    axes.set_ylim(height + below, height + below - inches[1] / ROW)
    _rows(axes, wired, places, width)
    for edge in wired.edges:
        _arrow(axes, edge, wired, places)
    for number in range(len(wired.blocks)):
        _block(axes, wired, number, places[number])
    axes.text(-left + 0.2, -0.5 - 0.45 * MARGIN / ROW, title, fontsize=10, weight="bold", va="center")
    axes.legend(
        handles=key, ncols=_per_line(width), loc="lower center", fontsize=7, handlelength=2.2, columnspacing=1.2
    )
    return made


def _per_line(width: float) -> int:
    return max(1, int((COLUMN * (width + 1) + 2 * MARGIN) // 2.0))


def _places(wired: Wiring) -> list[tuple[float, float]]:
    """Column and row of every block; blocks of one level and column stand under each other."""
    columns = wired.columns()
    taken = Counter((block.level, column) for block, column in zip(wired.blocks, columns, strict=True))
    rows, row = {}, 0.0
    for level in sorted({block.level for block in wired.blocks}):
        rows[level] = row
        row += max(count for (other, _), count in taken.items() if other == level)
    met: Counter[tuple[float, int]] = Counter()
    places = []
    for block, column in zip(wired.blocks, columns, strict=True):
        places.append((float(column), rows[block.level] + met[block.level, column]))
        met[block.level, column] += 1
    return places


def _rows(axes: Axes, wired: Wiring, places: Sequence[tuple[float, float]], width: float) -> None:
    first = {}
    for block, (_, row) in zip(wired.blocks, places, strict=True):
        first[block.level] = min(row, first.get(block.level, row))
    for level, row in first.items():
        axes.plot([-0.6, width + 0.6], [row, row], color="#ececec", linewidth=0.6, zorder=0)
        scale = 2**level
        axes.text(
            -0.62, row, "1" if scale == 1 else f"1/{scale:.3g}", ha="right", va="center", fontsize=7, color="#6b6b6b"
        )


def _block(axes: Axes, wired: Wiring, number: int, place: tuple[float, float]) -> None:
    block, (x, y) = wired.blocks[number], place
    kind = "logits" if number in wired.outputs else block.mechanism
    wide, high = _size(wired, number)
    style = "round,pad=0,rounding_size=0.17" if kind == "gate" else "round,pad=0,rounding_size=0.05"
    box = FancyBboxPatch(
        (x - wide / 2, y - high / 2),
        wide,
        high,
        style,
        facecolor=FILLS[kind][0],
        edgecolor="black",
        linewidth=0.7,
        zorder=3,
    )
    axes.add_patch(box)
    text = {"gate": "×", "joint": block.merge or "image"}.get(kind, str(block.channels))
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize=5 if text == "image" else 6.5,
        zorder=4,
        color="white" if kind == "logits" else "black",
    )
    if block.merge and kind != "joint":
        axes.plot(
            x - wide / 2,
            y,
            "o",
            markersize=6.5,
            markerfacecolor="white",
            markeredgecolor="black",
            markeredgewidth=0.6,
            zorder=4,
        )
        axes.text(x - wide / 2, y, block.merge, ha="center", va="center_baseline", fontsize=5.5, zorder=5)


def _size(wired: Wiring, number: int) -> tuple[float, float]:
    small = wired.blocks[number].mechanism in ("gate", "joint") and number not in wired.outputs
    return SMALL if small else BOX


def _arrow(axes: Axes, edge: Edge, wired: Wiring, places: Sequence[tuple[float, float]]) -> None:
    (x0, y0), (x1, y1) = places[edge.source], places[edge.target]
    colour, dash, _ = WAYS[_change(edge)]
    (wide0, high0), (wide1, high1) = _size(wired, edge.source), _size(wired, edge.target)
    joined = wired.blocks[edge.target].merge and wide1 == BOX[0]
    border = x1 - wide1 / 2
    start, end, bend = (x0 + wide0 / 2, y0), (border - 0.1 * bool(joined), y1), 0.0
    between = sum(y == y0 and x0 < x < x1 for x, y in places)
    if y0 == y1 and between:
        start, end = (x0, y0 - high0 / 2), (border, y1 - 0.12) if joined else (x1, y1 - high1 / 2)
        bend = -2 * min(0.3 + 0.07 * between, 0.66) / (x1 - x0)
    elif y1 > y0:
        start = (x0 + 0.1, y0 + high0 / 2)
        end = (border - 0.08, y1 - 0.06) if joined else (x1 - 0.1, y1 - high1 / 2)
    elif y1 < y0:
        start, end = (x0, y0 - high0 / 2), (border - 0.04, y1 + 0.1)
        if y0 - y1 > 1.5 and x1 - x0 > 1.5:  # beside the blocks of the levels between
            start, end, bend = (x0 + wide0 / 2, y0 - 0.05), (x1, y1 + high1 / 2), 0.18
    if edge.convolved:
        dx, dy, shape = end[0] - start[0], end[1] - start[1], ROW / COLUMN
        middle = start[0] + (dx - bend * dy * shape) / 2, start[1] + (dy + bend * dx / shape) / 2
        axes.plot(
            *middle,
            "s",
            markersize=4.5,
            markerfacecolor=FILLS["convolution"][0],
            markeredgecolor="black",
            markeredgewidth=0.6,
            zorder=2.5,
        )
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>",
            mutation_scale=6,
            shrinkA=0,
            shrinkB=0,
            color=colour,
            linestyle=dash,
            linewidth=0.9,
            zorder=2,
        )
    )


def _change(edge: Edge) -> str:
    steps = edge.how.split()
    return steps[0] if steps else ""


def _key(wired: Wiring) -> list[Patch | Line2D]:
    kinds = ["logits" if number in wired.outputs else block.mechanism for number, block in enumerate(wired.blocks)]
    edges = [_change(edge) for edge in wired.edges]
    signs = [block.merge for block in wired.blocks]
    boxes = [
        Patch(facecolor=fill, edgecolor="black", linewidth=0.7, label=name)
        for kind, (fill, name) in FILLS.items()
        if kind in kinds and kind != "joint"
    ]
    lines = [
        Line2D([], [], color=colour, linestyle=dash, linewidth=1.1, label=name)
        for how, (colour, dash, name) in WAYS.items()
        if how in edges
    ]
    joints = [
        Line2D([], [], linestyle="", marker="o", markersize=5, markerfacecolor="white", color="black", label=name)
        for sign, name in SIGNS.items()
        if sign in signs
    ]
    square = {"marker": "s", "markersize": 5, "markerfacecolor": FILLS["convolution"][0], "color": "black"}
    on_way = [Line2D([], [], linestyle="", label="one convolution on the way", **square)]
    return [*boxes, *lines, *(on_way if any(edge.convolved for edge in wired.edges) else []), *joints]
