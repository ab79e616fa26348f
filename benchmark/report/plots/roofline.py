"""What models achieve on each runtime below what the machine allows for their arithmetic intensity."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ....core.measure import measure
from ...records.peaks import Peaks
from ..tables.roofline import Point
from .naming import name_points
from .style import COLOURS, GREY, MARKERS, colour_of, figure, folded, marker_of

DASHES = ("-", "--", ":", "-.")


def roofline(points: Sequence[Point]) -> Figure | None:
    """Achieved operations a second against arithmetic intensity, both logarithmic, below one roof a backend.

    The roof rises with the bandwidth of a copy up to the peak of a convolution. A model is a colour, a runtime a
    marker; where colours would repeat, points have their names beside them. None without a point.
    """
    if not points:
        return None
    models = list(dict.fromkeys(point.model for point in points))
    runtimes = list(dict.fromkeys(_runtime(point) for point in points))
    crowded = len(models) > len(COLOURS)
    colours = dict.fromkeys(models, COLOURS[0]) if crowded else colour_of(models)
    markers = marker_of(runtimes) if len(runtimes) <= len(MARKERS) else dict.fromkeys(runtimes, MARKERS[0])
    roofs = list({id(point.peaks): point.peaks for point in points}.values())
    made = figure(7.2, 4.6)
    axes = made.add_subplot()
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(True)
    intensities = np.array([point.intensity for point in points])
    low, high = intensities.min() / 3, max(intensities.max(), *map(_ridge, roofs)) * 3
    for roof, dash in zip(roofs, DASHES * len(roofs), strict=False):
        across = np.array([low, min(max(_ridge(roof), low), high), high])
        height = np.minimum(roof.convolution, across * roof.bandwidth) / 1e9
        axes.plot(across, height, color=GREY, linestyle=dash, linewidth=1.2, zorder=2)
    for point in points:
        face: dict[str, Any] = {"color": colours[point.model], "zorder": 4}
        if point.bound == "memory":
            face |= {"markerfacecolor": "white", "markeredgecolor": colours[point.model]}
        axes.plot(point.intensity, point.achieved / 1e9, markers[_runtime(point)], markersize=6.5, **face)
    axes.set_xlim(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("Arithmetic intensity, at most [FLOP/B], a MAC being two FLOP")
    axes.set_ylabel(f"Achieved over {measure('latency_s').title.lower()}, median [GFLOP/s]")
    axes.legend(handles=_key(colours, markers, roofs, crowded), loc="center left", bbox_to_anchor=(1.01, 0.5))
    if crowded:
        names = [point.model for point in points]
        name_points(axes, np.array([[point.intensity, point.achieved / 1e9] for point in points]), names)
    return made


def _ridge(peaks: Peaks) -> float:
    """The intensity from which computing bounds and no longer memory."""
    return peaks.convolution / peaks.bandwidth


def _runtime(point: Point) -> str:
    return f"{point.runtime}, batch {point.batch}"


def _key(colours: dict[str, str], markers: dict[str, str], roofs: Sequence[Peaks], crowded: bool) -> list[Line2D]:
    bare: dict[str, Any] = {"linestyle": "", "color": GREY}
    blank = Line2D([], [], linestyle="", label="")
    handles = (
        []
        if crowded
        else [Line2D([], [], marker="s", linestyle="", color=c, label=folded(name, 30)) for name, c in colours.items()]
    )
    handles += [blank, *(Line2D([], [], marker=m, label=folded(name, 30), **bare) for name, m in markers.items())]
    handles.append(Line2D([], [], marker="o", markerfacecolor="white", label="open: bound by memory", **bare))
    handles.append(blank)
    for roof, dash in zip(roofs, DASHES * len(roofs), strict=False):
        text = f"roof of {roof.backend} on {roof.device}, {roof.precision}"
        handles.append(Line2D([], [], color=GREY, linestyle=dash, label=folded(text, 30)))
    return handles
