"""What an annotation file says of its images: regions with a label, in the order in which they are drawn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ....core.errors import DataError
from .run_lengths import RunLengths

FARTHEST = 2**24
"""Pixels from the first one of an image that a corner may lie away."""


Corners = Literal["edges", "centres", "pixels"]
"""Whether (0, 0) is the outer corner of the first pixel, its centre, or the pixel, which belongs to what it borders."""


class Outline(NamedTuple):
    """What lies in closed rings (n, 2) of x and y by the even-odd rule.

    corners: `edges`; or `centres`, as scikit-image has them; or `pixels` of the border, which are whole numbers: the
    pixels on the edges between them belong to it, too, as OpenCV's findContours and fillPoly have it.
    """

    rings: tuple[np.ndarray, ...]
    corners: Corners = "edges"


class Ellipse(NamedTuple):
    """centre, radii: x and y, radii above 0. turn: clockwise as seen, in radians. Its rim belongs to it."""

    centre: tuple[float, float]
    radii: tuple[float, float]
    turn: float = 0.0


Part = Outline | Ellipse | RunLengths


@dataclass(frozen=True, eq=False)
class Region:
    """An annotated object, or a part of one.

    parts: what it is the union of; none for what has no area, as a line, of which `where` says so. single: whether it
    is one object, and not a crowd of them. joined: what regions of one label have in common that are one object, or "".
    where: the words that an error begins with.
    """

    label: str
    parts: tuple[Part, ...]
    where: str
    single: bool = True
    joined: str = ""


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """name: of its file, as the annotation file says it. size: (y, x), or None where it is not said.

    regions: from the backmost to the frontmost.
    """

    name: str
    file: Path
    regions: tuple[Region, ...]
    size: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Annotations:
    """Of one annotation file. labels: those that it declares, in its order. notes: what is not plain."""

    images: tuple[AnnotatedImage, ...]
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def outline_of(points: object, where: str, corners: Corners = "edges") -> Outline:
    """Corners [[x, y], …] or [x, y, x, y, …] as an outline of one ring.

    Raises DataError that begins with `where` for what is no number or far from any image, and for fewer than three
    corners, unless these are pixels, of which one or two are an object, too.
    """
    try:
        flat = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{where}: its corners are no pairs of numbers") from None
    if flat.ndim == 1 and flat.size % 2 == 0:
        flat = flat.reshape(-1, 2)
    if flat.ndim != 2 or flat.shape[1] != 2 or len(flat) < (1 if corners == "pixels" else 3):
        raise DataError(f"{where}: a polygon has three corners of x and y or more, this one {flat.size} numbers")
    if not (np.abs(flat) <= FARTHEST).all():
        raise DataError(f"{where}: has a corner that is no number or lies over {FARTHEST:,} pixels away")
    return Outline((flat,), corners)
