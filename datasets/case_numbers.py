"""A few numbers of each case, from which a data set's unusual cases are told: some 400 bytes a case."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..core.task import Task
from .case import Sample
from .look_alikes import LookAlikes, fingerprint
from .object_shapes import ObjectShapes
from .value_counts import ValueCounts

PIXELS = 250_000
"""Evenly spaced pixels of a case from which its brightness and contrast are taken at most."""

COLUMNS = ("brightness", "contrast", "size", "foreground", "objects", "object_size", "cut", "holes")
"""What is kept of a case, in this order; see `CaseNumber.of`."""


class CaseNumber(NamedTuple):
    """One case's. values: as `COLUMNS`. print_: its hash and thumbnail. sizes: of its objects, by scored class."""

    values: tuple[float, ...]
    print_: tuple[int, bytes]
    sizes: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, sample: Sample, task: Task) -> "CaseNumber":
        """Measure a case whose truth holds no value that the task does not know.

        Mean and standard deviation of intensity over all channels, pixels, the share of them that is foreground,
        objects, the median of their pixels (NaN without any), objects that the border cuts, holes.
        """
        image, marked = sample.image, (sample.truth != 0).any(-1)
        thinned = image.reshape(-1)[:: -(-image.size // PIXELS)].astype(np.float64)
        shapes = ObjectShapes.of(sample, task)
        every = np.concatenate(shapes.sizes) if shapes.sizes else np.zeros(0)
        values = (
            float(thinned.mean()),
            float(thinned.std()),
            float(marked.size),
            float(marked.mean()),
            float(every.size),
            float(np.median(every)) if every.size else float("nan"),
            float(shapes.cut),
            float(shapes.holes),
        )
        return cls(values, fingerprint(image), shapes.sizes)


@dataclass
class CaseNumbers:
    """Columns over the cases that could be read. places: their numbers in the data set.

    smallest: pixels of each case's smallest object of each scored class, NaN without any, a column a class. sizes: of
    all objects of a class, counted.
    """

    places: "array[int]" = field(default_factory=lambda: array("Q"))
    columns: dict[str, "array[float]"] = field(default_factory=lambda: {name: array("d") for name in COLUMNS})
    smallest: list["array[float]"] = field(default_factory=list)
    sizes: list[ValueCounts] = field(default_factory=list)
    alike: LookAlikes = field(default_factory=LookAlikes)

    def add(self, place: int, found: CaseNumber) -> None:
        """Take a case, the number of which in the data set is `place`."""
        self.places.append(place)
        for name, value in zip(COLUMNS, found.values, strict=True):
            self.columns[name].append(value)
        self.alike.add(found.print_)
        for _ in found.sizes[len(self.smallest) :]:
            self.smallest.append(array("d"))
            self.sizes.append(ValueCounts())
        for smallest, counts, sizes in zip(self.smallest, self.sizes, found.sizes, strict=True):
            smallest.append(float(sizes.min()) if sizes.size else float("nan"))
            counts.add(ValueCounts.of(sizes))

    def column(self, name: str) -> np.ndarray:
        """One of `COLUMNS`, (cases,) float64."""
        return np.frombuffer(self.columns[name], np.float64)


def outliers(values: np.ndarray, kinds: Sequence[str], limit: float, least: int) -> list[tuple[int, float]]:
    """Places of unusual values (n,) and their distance from the median in robust standard deviations, farthest first.

    The deviation is 1.4826 times the median distance from the median, or, where half of the values are one, 1.2533
    times the mean distance (Iglewicz and Hoaglin 1993). Values are compared within their kind (stratum) where that has
    at least `least` values that are numbers, and not at all in smaller ones.
    """
    named, found = np.asarray(kinds), []
    for kind in dict.fromkeys(kinds):
        own = np.flatnonzero((named == kind) & np.isfinite(values))
        if own.size < least:
            continue
        distance = np.abs(values[own] - np.median(values[own]))
        spread = 1.4826 * np.median(distance) or 1.2533 * distance.mean()
        found += [(int(place), float(d / spread)) for place, d in zip(own, distance, strict=True) if d > limit * spread]
    return sorted(found, key=lambda pair: -pair[1])
