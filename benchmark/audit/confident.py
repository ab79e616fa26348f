"""Confident learning per pixel: where models are as sure of another class as they usually are of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .planes import Plane, labelled

LEVELS = 255
"""Steps of a probability, as it is stored."""

LEAST = 0.5 / LEVELS
"""Half a step: what is below it is stored as 0."""


@dataclass
class Usual:
    """What models say of the pixels of each class of one question, counted over cases.

    histograms: (k, 256), how often each probability of class j comes where j is the label. foreground: (256,), the
    same of all classes but the background together.
    """

    histograms: np.ndarray = field(default_factory=lambda: np.zeros((0, LEVELS + 1)))
    foreground: np.ndarray = field(default_factory=lambda: np.zeros(LEVELS + 1))

    def add(self, plane: Plane) -> None:
        """Count a case."""
        classes = len(plane.classes)
        if not len(self.histograms):
            self.histograms = np.zeros((classes, LEVELS + 1))
        known, mean = plane.labels >= 0, plane.mean
        levels = _levels(labelled(mean, plane.labels)[known])
        codes = plane.labels[known].astype(np.int64) * (LEVELS + 1) + levels
        self.histograms += np.bincount(codes, minlength=self.histograms.size).reshape(self.histograms.shape)
        self.foreground += np.bincount(_levels(1 - mean[..., 0][plane.labels > 0]), minlength=LEVELS + 1)

    @property
    def thresholds(self) -> np.ndarray:
        """Mean self-confidence of each class (k,), at least 1/2 so that one class at most is likely; 1 of no pixels.

        t_j = mean of p_j(x) over the pixels x labelled j (Northcutt, Jiang and Chuang 2021, arXiv:1911.00068, eq. 2).
        """
        return np.array([_threshold(counts) for counts in self.histograms])

    def sides(self, plane: Plane) -> Iterator["Side"]:
        """The pixels of which models suggest another answer than the mask has, by what they suggest.

        The off-diagonal of the confident joint: a pixel is suspect where a class that is not its label reaches its
        threshold; of several the most probable one is suggested. Where the mask has background, all other classes are
        one answer: an object that the mask lacks is seen by models, too, that do not know of which class it is. Ignored
        pixels are never suspect.
        """
        mean, own = plane.mean, plane.labels
        likely = np.where(mean >= self.thresholds, mean, -1.0)
        best = np.where(likely.max(-1) >= 0, likely.argmax(-1), -1)
        objects = 1 - mean[..., 0]
        found = objects, _mean(self.foreground)
        same = labelled(mean, own), _mean(self.histograms[1:].sum(0))
        for wanted in range(len(plane.classes)):
            here = (best == wanted) & (own != wanted) & (own > 0)
            if here.any():
                sureness = _shares(self.histograms[wanted])[_levels(mean[..., wanted])]
                kept = found if wanted == 0 else same
                yield Side((wanted,), here, own == wanted, sureness, *kept)
        here = (own == 0) & ((objects >= _threshold(self.foreground)) | (best > 0))
        if here.any():
            sureness = _shares(self.foreground)[_levels(objects)]
            yield Side(tuple(range(1, len(plane.classes))), here, own > 0, sureness, *found)


@dataclass(frozen=True)
class Side:
    """One answer that models suggest.

    classes: those that it stands for. here: (*space,) bool, where models suggest it and the mask has another; there:
    where the mask has it. sureness: (*space,), the share of the pixels labelled so of which models are as sure as here,
    or less: a class of which they never are sure, such as a thin or pale one, counts as much as any other. kept:
    (*space,), what models say of the objects that the mask has: the probability of the label for an answer between
    classes, of any class but the background for one between objects and background; usually_kept: its mean over the
    objects of the data set.
    """

    classes: tuple[int, ...]
    here: np.ndarray
    there: np.ndarray
    sureness: np.ndarray
    kept: np.ndarray
    usually_kept: float


def _mean(counts: np.ndarray) -> float:
    """Of probabilities; 1 of none."""
    total = float(counts.sum())
    return float(counts @ np.arange(LEVELS + 1)) / LEVELS / total if total else 1.0


def _threshold(counts: np.ndarray) -> float:
    return max(_mean(counts), 0.5)


def _shares(counts: np.ndarray) -> np.ndarray:
    return np.cumsum(counts) / max(float(counts.sum()), 1.0)


def _levels(probabilities: np.ndarray) -> np.ndarray:
    return np.rint(probabilities * LEVELS).astype(np.int64)
