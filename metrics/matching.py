"""Which object of the prediction is which of the truth: one count of label pairs, every threshold read from it."""

from dataclasses import dataclass

import numpy as np

from .pair import Missing, Pair

THRESHOLDS = np.round(np.arange(0.5, 0.96, 0.05), 2)
"""IoU thresholds of the Data Science Bowl 2018."""


@dataclass(frozen=True)
class Overlaps:
    """Sizes of the objects and of their overlaps, in voxels.

    truth (n,), prediction (m,): sizes of the objects. truth_index, prediction_index, intersection (k,): the
    overlapping pairs, as positions in truth and prediction in rising order, and the voxels they share.
    """

    truth: np.ndarray
    prediction: np.ndarray
    truth_index: np.ndarray
    prediction_index: np.ndarray
    intersection: np.ndarray

    @property
    def union(self) -> np.ndarray:
        """Voxels of either object of each overlapping pair (k,)."""
        return self.truth[self.truth_index] + self.prediction[self.prediction_index] - self.intersection

    def matched(self, iou: float, *, strict: bool = False) -> np.ndarray:
        """Indices of the overlapping pairs that match one to one: IoU >= `iou`, or > when strict; 0.5 <= iou <= 1.

        From 0.5 on no object fits two others, but for two halves of exactly 0.5 each, of which the first is taken. The
        threshold is a whole number of millionths, so that 11 / 20 reaches 0.55 whatever the floats say.
        """
        intersection, union = 1_000_000 * self.intersection, round(iou * 1_000_000) * self.union
        fits = np.flatnonzero(intersection > union if strict else intersection >= union)
        fits = fits[np.unique(self.truth_index[fits], return_index=True)[1]]
        return fits[np.unique(self.prediction_index[fits], return_index=True)[1]]


def overlaps(pair: Pair) -> Overlaps:
    """Count the overlaps of the objects of a pair. Raises Missing when truth or prediction has no labels of objects."""
    if pair.truth_objects is None or pair.predicted_objects is None:
        raise Missing("objects are scored where the case has labels of single objects; this one has none")
    return label_overlaps(pair.truth_objects, pair.predicted_objects)


def label_overlaps(truth: np.ndarray, prediction: np.ndarray) -> Overlaps:
    """Count the overlaps of two integer label images of one shape, 0 = background; labels need not be consecutive."""
    truth, true_sizes = _sequential(truth)
    prediction, predicted_sizes = _sequential(prediction)
    both = np.flatnonzero((truth != 0) & (prediction != 0))
    width = len(predicted_sizes)
    codes = (truth[both].astype(np.int64) - 1) * width + (prediction[both] - 1)
    if len(true_sizes) * width <= truth.size:
        counts = np.bincount(codes)
        found = np.flatnonzero(counts)
        intersection = counts[found]
    else:  # so many fragments that a table of all pairs would be larger than the images
        found, intersection = np.unique(codes, return_counts=True)
    truth_index, prediction_index = np.divmod(found, max(width, 1))
    return Overlaps(true_sizes, predicted_sizes, truth_index, prediction_index, intersection)


def _sequential(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The labels as 1 … n, flat and in their order, and the sizes (n,) of the objects."""
    labels = labels.ravel()
    if labels.dtype == np.uint64:
        labels = labels.astype(np.int64)  # bincount takes no unsigned words
    if not labels.size or int(labels.max()) > 4 * labels.size:
        names, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        if len(names) and names[0] == 0:
            return labels, sizes[1:]
        return labels + 1, sizes
    sizes = np.bincount(labels)
    sizes[0] = 0
    present = np.flatnonzero(sizes)
    if len(present) == len(sizes) - 1:
        return labels, sizes[1:]
    places = np.zeros(len(sizes), np.int32)
    places[present] = np.arange(1, len(present) + 1)
    return places[labels], sizes[present]
