"""How all plots look, and how they are written; figures are made without pyplot, so nothing outlives a plot."""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal

from matplotlib import font_manager, patheffects, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..tables import columns
from ..written import Written

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
"""Okabe and Ito's colours, told apart with any colour vision; the yellow, too pale on white, is an olive."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h", "p")
GREY = "#6b6b6b"

HALO = (patheffects.withStroke(linewidth=2.5, foreground="white"),)
"""Of text that stands among lines."""

FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans", "WenQuanYi Zen Hei", "IPAexGothic",
    "Droid Sans Fallback", "PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic",
    "Malgun Gothic", "Noto Sans Devanagari", "Nirmala UI", "Noto Sans Thai", "Noto Sans Arabic", "Arial Unicode MS",
)  # fmt: skip
"""Fonts of scripts that the usual font lacks, as systems bring them."""

WIDE = r"[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff]"
"""Letters between which a line may be broken."""

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
    "text.parse_math": False,  # names are text: `a$^b$` is no formula, and `a$^{b$` no error
}


@contextmanager
def look() -> Iterator[None]:
    """Settings under which all figures are drawn and saved; the caller's own come back afterwards.

    Letters that the usual font lacks come from those of `FONTS` that the machine has; where none has them, a box is
    drawn, without a warning a letter.
    """
    present = {font.name for font in font_manager.fontManager.ttflist}
    families = ["DejaVu Sans", *(name for name in FONTS if name in present)]
    with style.context(["default", {**LOOK, "font.family": families}]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from", category=UserWarning)
        yield


def figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches with an Agg canvas, its parts laid out without overlap."""
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def save(made: Figure, written: Written, stem: str, dpi: int = 160) -> list[Path]:
    """Write PNG and PDF, both or none, without a date, so that the same records give the same files."""
    png, pdf = BytesIO(), BytesIO()
    made.savefig(png, format="png", dpi=dpi, metadata={"Software": None})
    made.set_layout_engine("none")  # the layout is found; finding it again would double the time
    made.savefig(pdf, format="pdf", dpi=dpi, metadata={"CreationDate": None})
    return [written.put(f"{stem}.png", png.getvalue()), written.put(f"{stem}.pdf", pdf.getvalue())]


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
    """Text over several lines of at most `width` columns, never broken inside a word.

    It is broken after blanks, commas and brackets; a piece that is still too long, after `_`, `/`, `=` and `-` and
    between wide letters (Chinese, Japanese, Korean). A word longer than a line has one of its own: see `room`.
    """
    pieces = []
    for piece in re.split(r"(?<=[\s,(])", text):
        fits = columns.width(piece.rstrip()) <= width
        pieces += [piece] if fits else re.split(rf"(?<=[_/=-])|(?<={WIDE})(?={WIDE})", piece)
    lines = [""]
    for piece in pieces:
        if lines[-1] and columns.width(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines if line.strip())


def room(texts: Iterable[str], size: float) -> float:
    """Inches that the longest line of the texts takes in letters of so many points, by the width of a usual letter."""
    return max((columns.width(line) for text in texts for line in text.split("\n")), default=0) * 0.6 * size / 72


def line_count(texts: Iterable[str]) -> int:
    """Lines of the text that has most of them."""
    return max((text.count("\n") + 1 for text in texts), default=1)


def legend_columns(labels: Sequence[str], inches: float, most: int = 4) -> int:
    """How many columns of a legend fit into so many inches."""
    entry = room(labels, LOOK["legend.fontsize"]) + 0.55  # with its line and the blank beside it
    return max(1, min(len(labels), most, int(inches / entry)))
