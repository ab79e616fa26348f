"""What annotations cost: how much is drawn, and the minutes that people were measured to take for it."""

from collections.abc import Mapping
from typing import Any

from .kinds import WeakLabels, options_of

SECONDS = {
    "outlines": (79.0, "Lin 2014, arXiv:1405.0312, one object of COCO"),
    "clicks": (2.4, "Bearman 2016, arXiv:1506.02106, the first click on a class; later ones took 0.9 s"),
    "strokes": (10.9, "Bearman 2016, arXiv:1506.02106, one free-form squiggle"),
    "boxes": (7.0, "Papadopoulos 2017, arXiv:1708.02750, one box by its four extreme points"),
}
"""Seconds of one of each on photographs, and who measured them. Cells are other objects: compare, do not plan."""


def minutes(drawn: Mapping[str, int]) -> float:
    """Minutes for what was drawn; what is not in `SECONDS` takes none."""
    return sum(SECONDS[name][0] * count for name, count in drawn.items() if name in SECONDS) / 60


def annotation(labels: WeakLabels, drawn: Mapping[str, int]) -> dict[str, Any]:
    """What a record says of its training labels: their options, what was drawn, minutes. Selection sees full masks."""
    return {"labels": options_of(labels), "validation": "full", **drawn, "minutes": minutes(drawn)}
