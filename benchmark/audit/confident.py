"""Confident learning per pixel: where models are as sure of another class as they usually are of it."""

from dataclasses import dataclass, field

import numpy as np

from .planes import Plane, labelled

LEVELS = 255
"""Steps of a probability, as it is stored."""


@dataclass
class Usual:
    """What models say of the pixels of each class of one question, counted over cases.

    histograms: (k, 256), how often each probability of class j comes where j is the label.
    """

    histograms: np.ndarray = field(default_factory=lambda: np.zeros((0, LEVELS + 1)))

    def add(self, plane: Plane) -> None:
        """Count a case."""
        classes = len(plane.classes)
        if not len(self.histograms):
            self.histograms = np.zeros((classes, LEVELS + 1))
        known = plane.labels >= 0
        levels = _levels(labelled(plane.mean, plane.labels)[known])
        codes = plane.labels[known].astype(np.int64) * (LEVELS + 1) + levels
        self.histograms += np.bincount(codes, minlength=self.histograms.size).reshape(self.histograms.shape)

    @property
    def thresholds(self) -> np.ndarray:
        """Mean self-confidence of each class (k,), at least 1/2 so that one class at most is likely; 1 of no pixels.

        t_j = mean of p_j(x) over the pixels x labelled j (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068, eq. 2).
        """
        counts = self.histograms.sum(1)
        means = self.histograms @ np.arange(LEVELS + 1) / LEVELS / np.maximum(counts, 1)
        return np.where(counts > 0, np.maximum(means, 0.5), 1.0)

    def sureness(self, wanted: int, probabilities: np.ndarray) -> np.ndarray:
        """Share of the pixels labelled with a class of which models are as sure as this, or less.

        So a class that models never are sure of, such as a thin or pale one, counts as much as any other.
        """
        own = self.histograms[wanted]
        return (np.cumsum(own) / max(float(own.sum()), 1.0))[_levels(probabilities)]


def suggested(plane: Plane, thresholds: np.ndarray) -> np.ndarray:
    """The class (*space,) that each pixel likely is where that is not its label, else -1.

    Of the classes whose probability reaches their threshold the most probable one: the off-diagonal of the confident
    joint. Ignored pixels have none.
    """
    mean = plane.mean
    likely = np.where(mean >= thresholds, mean, -1.0)
    best = likely.argmax(-1)
    wrong = (likely.max(-1) >= 0) & (best != plane.labels) & (plane.labels >= 0)
    return np.where(wrong, best, -1).astype(np.int16)


def _levels(probabilities: np.ndarray) -> np.ndarray:
    return np.rint(probabilities * LEVELS).astype(np.int64)
