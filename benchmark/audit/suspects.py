"""Suspect regions of a mask: an object missing, invented or of another class, or an outline that lies elsewhere."""

from dataclasses import dataclass

import edt
import numpy as np
from scipy import ndimage

from ...metrics.objects import label
from .confident import Usual, suggested
from .planes import Plane

NEAR = 2.0
"""Pixels within which the border of a mask may lie elsewhere: models and people draw it no better."""

OBJECT_DEPTH = 3.0
"""Pixels to the nearest one of the suggested class from which on a region is an object and no piece of an outline."""

FAR = 1e3
"""Pixels to a class that the mask does not hold."""

SIZE = 0.1
"""Share of the median object's pixels at which the evidence of a region counts half."""


@dataclass(frozen=True)
class Suspect:
    """A region in which models agree on another class than the mask has.

    kind: `missing` (background that is an object), `invented` (an object that is background), `swapped` (an object of
    another class) or `outline`. given, suggested: classes. pixels; depth: pixels from its innermost one to the nearest
    of the suggested class in the mask. sureness: of the suggested class, as `confident.Usual` has it, the mean over
    pixels weighed by how far they lie from an outline. consensus: share of the models that say so. score: from 0 to 1,
    see `suspects`. box: start and stop along each axis. plane: the question's number.
    """

    kind: str
    given: str
    suggested: str
    pixels: int
    depth: float
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
    """The regions of a plane, the most suspect one first: connected pixels of one class in `confident.suggested`.

    typical: pixels of a median object. With d the distance of a pixel to the nearest one that has the suggested class
    in the mask, its weight is w = 1 - exp(-(d / 2)^2), so that a border one or two pixels away counts little. With u
    how sure models are of the suggested class there (`Usual.sureness`) and a the share of them for which it is the most
    probable one, the evidence is e = sum of w a u^3 over the pixels and the score e / (e + typical / 10).
    """
    mean, regions = plane.mean, []
    found, votes = suggested(plane, usual.thresholds), plane.members.argmax(-1)
    for wanted in (int(k) for k in np.unique(found) if k >= 0):
        there = plane.labels == wanted
        distance = edt.edt(~there) if there.any() else np.full(there.shape, FAR)
        weights = 1 - np.exp(-((distance / NEAR) ** 2))
        sure, agree = usual.sureness(wanted, mean[..., wanted]), (votes == wanted).mean(0, np.float64)
        pieces = label(found == wanted, touching="corner")
        for value, box in enumerate(ndimage.find_objects(pieces), 1):
            inside = pieces[box] == value
            w = weights[box][inside]
            total = float(w.sum())
            if total <= 0:
                continue
            sureness, consensus = (float((w * v[box][inside]).sum() / total) for v in (sure, agree))
            evidence = float((w * agree[box][inside] * sure[box][inside] ** 3).sum())
            given = int(np.bincount(plane.labels[box][inside]).argmax())
            depth = float(distance[box][inside].max())
            regions.append(
                Suspect(
                    _kind(given, wanted, depth),
                    plane.classes[given],
                    plane.classes[wanted],
                    int(inside.sum()),
                    min(depth, FAR),
                    sureness,
                    consensus,
                    evidence / (evidence + SIZE * typical),
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
