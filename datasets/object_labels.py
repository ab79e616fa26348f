"""Whether the labels of objects are what `instances: true` takes them for: one object a label, one label an object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

SPLIT_SHARE, JOINED_SHARE = 0.1, 0.1
"""Shares of labels in several pieces, and of objects that look like several, from which a data set is remarked on.

Of labelled nuclei (BBBC006, DSB 2018, the StarDist sample) none and 0.01 to 0.07 are; where touching ones share a
label, 0.15 to 0.17 look like several.
"""

_SOLIDITY, _PIXELS = 0.9, 30


@dataclass
class ObjectLabels:
    """Counts over cases. labels: of how many; split: in several pieces; joined: objects that look like several.

    objects: connected pieces of a label of 30 pixels at least in 2D images; one whose area is below 0.9 of that of its
    convex hull looks like several that touch. drawn: what a weaker annotation has of them, see `weak.weaken`.
    """

    labels: int = 0
    split: int = 0
    objects: int = 0
    joined: int = 0
    first_split: str = ""
    first_joined: str = ""
    drawn: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, instances: np.ndarray | None) -> None:
        """Count the labels of a case: integers (*space,), 0 the background."""
        if instances is None or not instances.any():
            return
        found = pieces(instances)
        numbers, first = np.unique(found, return_index=True)
        owners, counts = np.unique(instances.ravel()[first[numbers > 0]], return_counts=True)
        self.labels += len(owners)
        self.split += int((counts > 1).sum())
        if counts.max() > 1 and not self.first_split:
            most = int(counts.argmax())
            self.first_split = f"{name}, where label {owners[most]} lies in {counts[most]}"
        if instances.ndim == 2:
            solid = [solidity for solidity in _solidities(found) if solidity is not None]
            joined = sum(solidity < _SOLIDITY for solidity in solid)
            self.objects, self.joined = self.objects + len(solid), self.joined + joined
            self.first_joined = self.first_joined or (name if joined else "")

    def merge(self, later: "ObjectLabels") -> None:
        """Add the counts of cases that come after these."""
        self.labels, self.split = self.labels + later.labels, self.split + later.split
        self.objects, self.joined = self.objects + later.objects, self.joined + later.joined
        self.draw(later.drawn)
        self.first_split = self.first_split or later.first_split
        self.first_joined = self.first_joined or later.first_joined

    def draw(self, drawn: Mapping[str, int]) -> None:
        """Add what was drawn."""
        for name, count in drawn.items():
            self.drawn[name] = self.drawn.get(name, 0) + count

    def remarks(self) -> list[str]:
        """One line for each of the two that is so often so that the labels are likely not those of single objects."""
        lines = []
        if self.split > SPLIT_SHARE * self.labels:
            lines.append(
                f"{self.split} of {self.labels} labels of objects lie in several pieces (first: {self.first_split}), "
                "and each label counts as one object; for two-valued masks set `components: true` beside "
                "`instances: true`, which makes each piece an object, or drop `instances`"
            )
        if self.joined > JOINED_SHARE * self.objects:
            lines.append(
                f"{self.joined} of {self.objects} objects look like several that touch and share a label (first: "
                f"{self.first_joined}); give each object a label of its own in the masks, or drop `instances` and "
                "score pixels only"
            )
        return lines


def pieces(labels: np.ndarray) -> np.ndarray:
    """Number the connected pieces of each label 1, 2 … as int32; pixels that touch at a corner are connected."""
    from skimage.measure import label

    found: Any = label(labels, background=0, connectivity=labels.ndim)
    return found.astype(np.int32)


def numbered(labels: np.ndarray) -> np.ndarray:
    """Numbers of objects (*space,) as int32: as they are where they fit, else 1, 2 … in their order; 0 stays."""
    if labels.max(initial=0) <= np.iinfo(np.int32).max:
        return labels.astype(np.int32)
    found, inverse = np.unique(labels, return_inverse=True)
    return (inverse.reshape(labels.shape) + (found[0] != 0)).astype(np.int32)


def _solidities(found: np.ndarray) -> Iterable[float | None]:
    """Area over that of the convex hull for each piece (y, x), None for the smallest."""
    from scipy import ndimage

    for number, place in enumerate(ndimage.find_objects(found), 1):
        piece = (found[place] == number).astype(np.uint8)
        area = int(piece.sum())
        if area < _PIXELS:
            yield None
            continue
        hull = np.zeros_like(piece)
        points = cv2.findNonZero(piece)
        cv2.fillConvexPoly(hull, cv2.convexHull(points), (1,))
        yield area / int(hull.sum())
