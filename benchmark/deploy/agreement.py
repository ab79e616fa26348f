"""Whether a conversion is the network that was trained: against float64 on windows, against Keras on whole cases."""

from typing import Any

import numpy as np

from ...core.task import Task
from ..trial.predict import sigmoid, softmax

LEAST_GATE = 1e-4
"""Largest difference of a probability from float64 that a float32 file may have at least."""

PIXELS = 2**18
"""Pixels times channels of a normalisation's group from which the gate grows, as the error of a float32 mean does."""

OWN = 4.0
"""Times Keras' own difference from float64 that a float32 file may have, where that is more."""


def gate(group_pixels: int, own: float) -> float:
    """max(1e-4, 1e-4 n / 2^18, 4 own): how far a float32 file's probabilities may be from those of float64.

    group_pixels: n, pixels times channels of the largest group that a normalisation of the network takes a mean over.
    own: the difference of Keras' float32 at the same images.
    """
    return max(LEAST_GATE, LEAST_GATE * group_pixels / PIXELS, OWN * own)


def difference(logits: np.ndarray, reference: np.ndarray, task: Task) -> float:
    """Largest difference of a probability between two arrays of logits (n, *space, k); infinite where not finite."""
    activation = softmax if task.kind == "exclusive" else sigmoid
    apart = np.abs(activation(logits.astype(np.float64)) - activation(reference.astype(np.float64)))
    return float(apart.max()) if np.isfinite(apart).all() else float("inf")


def counts(truth: np.ndarray, labels: np.ndarray, task: Task) -> list[dict[str, Any]]:
    """True and false positives and negatives of each scored class; truth and labels (*space, t) uint8."""
    rows = []
    for index, name in enumerate(task.scored):
        value, plane = (index + 1, 0) if task.kind == "exclusive" else (1, index)
        valid = truth[..., plane] != task.ignore if task.ignore is not None else np.ones(truth.shape[:-1], bool)
        true, found = (truth[..., plane] == value)[valid], (labels[..., plane] == value)[valid]
        tp, fp, fn = (int(np.count_nonzero(both)) for both in (true & found, ~true & found, true & ~found))
        rows.append({"class": name, "tp": tp, "fp": fp, "fn": fn, "tn": int(true.size) - tp - fp - fn})
    return rows
