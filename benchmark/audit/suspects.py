"""Suspect regions of a mask: an object missing, invented or of another class, or an outline that lies elsewhere."""

from dataclasses import dataclass

import edt
import numpy as np
from scipy import ndimage

from ...metrics.objects import label
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
    of the suggested class in the mask. confidence: mean of p(suggested) - p(given) over its pixels, weighed by how far
    they lie from an outline. consensus: share of the models that say so. score: from 0 to 1, see `suspects`. box: start
    and stop along each axis. plane: the question's number.
    """

    kind: str
    given: str
    suggested: str
    pixels: int
    depth: float
    confidence: float
    consensus: float
    score: float
    box: tuple[tuple[int, int], ...]
    plane: int = 0

    @property
    def words(self) -> str:
        """Why it is suspect, for a person."""
        share = f"{100 * self.consensus:.0f} % of the models"
        of = f"{self.pixels} pixels, {share} agree, {self.confidence:.2f} surer"
        return {
            "missing": f"{self.suggested} that the mask lacks ({of})",
            "invented": f"{self.given} where models see {self.suggested} ({of})",
            "swapped": f"{self.given} that looks like {self.suggested} ({of})",
            "outline": f"outline between {self.given} and {self.suggested} off by {self.depth:.0f} pixels ({of})",
        }[self.kind]


def suspects(plane: Plane, found: np.ndarray, typical: float, number: int = 0) -> list[Suspect]:
    """The regions of a plane, the most suspect one first.

    found: (*space,), the suggested class or -1, as `confident.suggested` has it. typical: pixels of a median object.
    With d the distance of a pixel to the nearest one that has the suggested class in the mask, its weight is
    w = 1 - exp(-(d / 2)^2), so that a border one or two pixels away counts little. With n the sum of weights, c the
    weighed mean of p(suggested) - p(given) and a the weighed share of models whose most probable class is the suggested
    one, the score is c a n / (n + typical / 10).
    """
    mean, regions = plane.mean, []
    own, votes = labelled(mean, plane.labels), plane.members.argmax(-1)
    for wanted in (int(k) for k in np.unique(found) if k >= 0):
        there = plane.labels == wanted
        distance = edt.edt(~there) if there.any() else np.full(there.shape, FAR)
        weights = 1 - np.exp(-((distance / NEAR) ** 2))
        margin, agree = mean[..., wanted] - own, (votes == wanted).mean(0)
        pieces = label(found == wanted, touching="corner")
        for value, box in enumerate(ndimage.find_objects(pieces), 1):
            inside = pieces[box] == value
            w = weights[box][inside]
            total = float(w.sum())
            if total <= 0:
                continue
            confidence, consensus = (float((w * v[box][inside]).sum() / total) for v in (margin, agree))
            given = int(np.bincount(plane.labels[box][inside]).argmax())
            depth = float(distance[box][inside].max())
            regions.append(
                Suspect(
                    _kind(given, wanted, depth),
                    plane.classes[given],
                    plane.classes[wanted],
                    int(inside.sum()),
                    min(depth, FAR),
                    confidence,
                    consensus,
                    confidence * consensus * total / (total + SIZE * typical),
                    tuple((s.start, s.stop) for s in box),
                    number,
                )
            )
    return sorted(regions, key=lambda region: -region.score)


def _kind(given: int, wanted: int, depth: float) -> str:
    if depth < OBJECT_DEPTH:
        return "outline"
    if given == 0:
        return "missing"
    return "invented" if wanted == 0 else "swapped"
