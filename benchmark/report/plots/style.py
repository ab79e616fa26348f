"""How all plots look, and how they are written; figures are made without pyplot, so nothing outlives a plot."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
"""Okabe and Ito's colours, told apart with any colour vision; the yellow, too pale on white, is an olive."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h", "p")
GREY = "#6b6b6b"

Dash = Literal["-", ":", "-."]

LOOK = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "lines.linewidth": 1.0,
    "pdf.fonttype": 42,  # text stays text: journals refuse Type 3 fonts
    "figure.dpi": 100.0,
}


def look() -> AbstractContextManager[None]:
    """Settings under which all figures are drawn and saved; the caller's own come back afterwards."""
    return style.context(["default", LOOK])


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches with an Agg canvas, its parts laid out without overlap."""
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def save(made: Figure, stem: Path, dpi: int = 160) -> list[Path]:
    """Write PNG and PDF, without a date, so that the same records give the same files."""
    files = [stem.with_name(stem.name + suffix) for suffix in (".png", ".pdf")]
    made.savefig(files[0], dpi=dpi, metadata={"Software": None})
    made.set_layout_engine("none")  # the layout is found; finding it again would double the time
    made.savefig(files[1], dpi=dpi, metadata={"CreationDate": None})
    return files


def colour_of(names: Sequence[str]) -> dict[str, str]:
    """A colour a name; from the ninth name on they repeat, and line or marker tells them apart."""
    return {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}


def marker_of(names: Sequence[str]) -> dict[str, str]:
    """A marker a name."""
    return {name: MARKERS[index % len(MARKERS)] for index, name in enumerate(names)}


def dash_of(names: Sequence[str]) -> dict[str, Dash]:
    """A line style a name: the first eight are solid, the next eight dotted, the rest dash-dotted."""
    dashes: tuple[Dash, ...] = ("-", ":", "-.")
    return {name: dashes[min(index // len(COLOURS), 2)] for index, name in enumerate(names)}


def folded(text: str, width: int) -> str:
    """Text over several lines, broken after blanks, commas, brackets and underscores, within a word only if need be."""
    lines = [""]
    for piece in re.split(r"(?<=[\s,(_/])", text):
        if lines[-1] and len(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        while len(piece.rstrip()) > width:
            lines[-1:] = [lines[-1] + piece[:width], ""]
            piece = piece[width:]
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines if line.strip())
