"""Confident learning per pixel: where models are surer of another class than they usually are of it."""

from dataclasses import dataclass, field

import numpy as np

from .planes import Plane, labelled


@dataclass
class SelfConfidence:
    """Sums over cases, of one question: of the probability of each class where it is the label, and of such pixels."""

    sums: np.ndarray = field(default_factory=lambda: np.zeros(0))
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def add(self, plane: Plane) -> None:
        """Count a case."""
        classes = len(plane.classes)
        if not self.sums.size:
            self.sums, self.counts = np.zeros(classes), np.zeros(classes)
        known = plane.labels >= 0
        own = labelled(plane.mean, plane.labels)[known]
        self.sums += np.bincount(plane.labels[known], own, classes)
        self.counts += np.bincount(plane.labels[known], minlength=classes)

    @property
    def thresholds(self) -> np.ndarray:
        """Mean self-confidence of each class (k,), at least 1/2 so that one class at most is likely; 1 of no pixels.

        t_j = mean of p_j(x) over the pixels x labelled j (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068, eq. 2).
        """
        means = self.sums / np.maximum(self.counts, 1)
        return np.where(self.counts > 0, np.maximum(means, 0.5), 1.0)


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
