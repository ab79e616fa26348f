"""How many cases a difference needs, one curve a number of seeds."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ....core.measure import measure
from ..tables.power import PowerTable
from .style import COLOURS, GREY, HALO, figure


def power_plot(found: PowerTable, points: pd.DataFrame) -> Figure:
    """Cases needed against the true difference, both logarithmic; points as `curve` has them: seeds, difference, cases.

    A curve of several seeds ends in a dotted line at the difference below which no number of cases is enough. One seed
    is grey and dashed: it tells trained networks apart and not methods. Dashed lines: the present cases, and the
    difference that was asked for.
    """
    made = figure(6.2, 4.0)
    axes = made.add_subplot()
    axes.grid(True)
    axes.set_xscale("log")
    axes.set_yscale("log")
    here = found.typical.found.cases
    differences, needed = (points[name].to_numpy(dtype=float) for name in ("difference", "cases"))
    known = needed[np.isfinite(needed)]
    top = min(3 * max([*known, 10.0 * here]), 3e4 * here)
    colours = iter(COLOURS)
    for row in found.needed:
        able = (points["seeds"].to_numpy() == row.seeds) & np.isfinite(needed)
        alone = row.seeds == 1
        colour = GREY if alone else next(colours)
        label = "1 seed: these trained networks" if alone else f"{row.seeds} seeds"
        label += "" if able.any() else ": no number is enough"
        line = "--" if alone else "-"
        axes.plot(differences[able], needed[able], line, color=colour, marker="o", markersize=2.5, label=label)
        if row.unlimited > 0:
            axes.axvline(row.unlimited, color=colour, linestyle=":", linewidth=1.0)
    asked = found.question.difference
    axes.axhline(here, color="black", linewidth=0.7, linestyle=(0, (6, 3)))
    axes.axvline(asked, color="black", linewidth=0.7, linestyle=(0, (6, 3)))
    axes.set_xlim(differences.min() * 0.95, differences.max() * 1.05)
    axes.set_ylim(max(2.0, 0.7 * min([here, *known])), top)
    place: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "path_effects": HALO}
    axes.annotate(f"{here} cases now", (differences.max(), here), (0, 3), ha="right", **place)
    axes.annotate(f" {asked:g}", (asked, top), (2, -10), **place)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.set_xlabel(f"True difference in mean {measure(found.name).title}")
    sides = "two-sided" if found.question.two_sided else "one-sided"
    axes.set_ylabel(f"Cases needed ({found.question.power:.0%} power, {found.question.alpha:g} {sides})")
    axes.legend(loc="upper right")
    return made
