"""Whether a conversion is the network that was trained: against float64 on windows, against Keras on whole cases."""

from typing import Any

import numpy as np

from ...core.task import Task
from ...metrics.score import score_case
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
    rows = score_case(truth, labels, task, metrics=())
    return [{key: row[key] for key in ("class", "tp", "fp", "fn", "tn")} for row in rows]
