"""How far the labels of two runs of one network agree."""

import numpy as np

from ..core.task import Kind


def labels_of(logits: np.ndarray, kind: Kind) -> np.ndarray:
    """Logits (n, *space, k) as booleans (n, *space, classes): the largest without the background, or those above 0."""
    if kind != "exclusive":
        return logits > 0
    return (logits.argmax(-1)[..., None] == np.arange(logits.shape[-1]))[..., 1:]


def dice_of(labels: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over images and classes of 2 |A ∩ B| / (|A| + |B|), both (n, *space, classes); 1 where both are empty."""
    space = tuple(range(1, labels.ndim - 1))
    both = (labels & wanted).sum(space, dtype=float)
    sizes = labels.sum(space, dtype=float) + wanted.sum(space, dtype=float)
    return float(np.divide(2 * both, sizes, out=np.ones_like(both), where=sizes > 0).mean())
