"""Suspect regions of a mask: an object missing, invented or of another class, or an outline that lies elsewhere."""

import math
from dataclasses import dataclass

import edt
import numpy as np
from scipy import ndimage

from ...metrics.objects import label
from .confident import LEAST, Side, Usual
from .planes import Plane, labelled

NEAR = 2.0
"""Pixels within which the border of a mask may lie elsewhere: models and people draw it no better."""

OBJECT_DEPTH = 3.0
"""Pixels to the nearest one of the suggested class from which on a region is an object and no piece of an outline."""

FAR = 1e3
"""Pixels to a class that the mask does not hold."""

SIZE = 0.1
"""Share of the median object's pixels at which a region counts half."""


@dataclass(frozen=True)
class Suspect:
    """A region in which models agree on another class than the mask has.

    kind: `missing` (background that is an object), `invented` (an object that is background), `swapped` (an object of
    another class) or `outline`. given, suggested: classes. pixels; depth: pixels from its innermost one to the nearest
    of the suggested class in the mask. likelihood: geometric mean of the probabilities of its labels; sureness: of the
    suggested class, as `confident.Side` has it; consensus: share of the models that suggest it: all three over pixels
    weighed by how far they lie from an outline. score: from 0 to 1, see `suspects`. box: start and stop along each
    axis. plane: the question's number.
    """

    kind: str
    given: str
    suggested: str
    pixels: int
    depth: float
    likelihood: float
    sureness: float
    consensus: float
    score: float
    box: tuple[tuple[int, int], ...]
    plane: int = 0

    @property
    def words(self) -> str:
        """Why it is suspect, for a person."""
        share = f"{100 * self.consensus:.0f} % of models"
        of = f"{self.pixels} pixels, {share}, surer than of {100 * self.sureness:.0f} % of {self.suggested}"
        return {
            "missing": f"{self.suggested} that the mask lacks ({of})",
            "invented": f"{self.given} where models see {self.suggested} ({of})",
            "swapped": f"{self.given} that looks like {self.suggested} ({of})",
            "outline": f"outline between {self.given} and {self.suggested} off by {self.depth:.0f} pixels ({of})",
        }[self.kind]


def suspects(plane: Plane, usual: Usual, typical: float, number: int = 0) -> list[Suspect]:
    """The regions of a plane, the most suspect one first: connected pixels of one of `Usual.sides`.

    typical: pixels of a median object. With d the distance of a pixel to the nearest one that has the suggested answer
    in the mask, its weight is w = 1 - exp(-(d / 2)^2), so that a border one or two pixels away counts little. With n
    the sum of w, and over the pixels weighed by w: u the mean of how sure models are of what they suggest
    (`Side.sureness`), q the geometric mean of the probabilities p of the labels, p being 1 / 510 at least, the score is
    sqrt(u log(q) / log(1 / 510)) r^2 n / (n + typical / 10). r <= 1 is how well models know the other objects of the
    image: the mean of `Side.kept` over the objects of the mask that the region does not touch, divided by its usual
    one, and averaged with 1 for as many pixels as a median object has.
    """
    mean, votes = plane.mean, plane.members.argmax(-1)
    own, objects = labelled(mean, plane.labels), label(plane.labels > 0, touching="corner")
    regions = []
    for side in usual.sides(plane):
        distance = edt.edt(~side.there) if side.there.any() else np.full(own.shape, FAR)
        agree = np.isin(votes, side.classes).mean(0, np.float64)
        values = -np.log(np.maximum(own, LEAST)), side.sureness, agree
        known = _Known.of(objects, side, typical)
        pieces = label(side.here, touching="corner")
        for value, box in enumerate(ndimage.find_objects(pieces), 1):
            inside = pieces[box] == value
            reach = distance[box][inside]
            weights = 1 - np.exp(-((reach / NEAR) ** 2))
            count = float(weights.sum())
            if count <= 0:
                continue
            surprise, sureness, consensus = (float(weights @ v[box][inside]) / count for v in values)
            given = int(np.bincount(plane.labels[box][inside]).argmax())
            wanted = side.classes[int(mean[box][inside][:, side.classes].sum(0).argmax())]
            depth = float(reach.max())
            evidence = (sureness * surprise / -math.log(LEAST)) ** 0.5
            evidence *= known.without(np.unique(objects[box][inside])) ** 2
            regions.append(
                Suspect(
                    _kind(given, wanted, depth),
                    plane.classes[given],
                    plane.classes[wanted],
                    int(inside.sum()),
                    min(depth, FAR),
                    math.exp(-surprise),
                    sureness,
                    consensus,
                    evidence * count / (count + SIZE * typical),
                    tuple((s.start, s.stop) for s in box),
                    number,
                )
            )
    return sorted(regions, key=lambda region: -region.score)


@dataclass(frozen=True)
class _Known:
    """How well models know the objects of an image.

    pixels: of each, the background's first; kept: sums of `Side.kept` over these, as shares of the usual; typical:
    pixels that count as known.
    """

    pixels: np.ndarray
    kept: np.ndarray
    typical: float

    @classmethod
    def of(cls, objects: np.ndarray, side: Side, typical: float) -> "_Known":
        pixels = np.bincount(objects.ravel())
        return cls(pixels, np.bincount(objects.ravel(), side.kept.ravel()) / max(side.usually_kept, LEAST), typical)

    def without(self, touched: np.ndarray) -> float:
        """The mean over all objects but these, 1 at most."""
        others = np.ones(len(self.pixels), bool)
        others[touched] = False
        others[0] = False
        return min(1.0, float(self.kept[others].sum() + self.typical) / float(self.pixels[others].sum() + self.typical))


def _kind(given: int, wanted: int, depth: float) -> str:
    if depth < OBJECT_DEPTH:
        return "outline"
    if given == 0:
        return "missing"
    return "invented" if wanted == 0 else "swapped"
