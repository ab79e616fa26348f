"""Plain scores of a case, which a ranking of annotations is to beat: Dice and soft-min."""

import itertools

import numpy as np

from .planes import Plane, labelled

TEMPERATURE = 0.1
"""Of soft-min, as in the paper and in cleanlab."""


def dice_of(planes: list[Plane]) -> float:
    """Mean Dice over the classes that mask or prediction hold, of the most probable class; NaN where none does."""
    values = []
    for plane in planes:
        known, predicted = plane.labels >= 0, plane.mean.argmax(-1)
        for k in range(1, len(plane.classes)):
            values.append(_dice((plane.labels == k) & known, (predicted == k) & known))
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def soft_min(planes: list[Plane]) -> float:
    """Soft minimum over pixels of the probability of the label.

    s = sum_i p_i w_i with w = softmax((1 - p) / 0.1) (Lad and Mueller 2023, arXiv:2307.05080; `softmin` of cleanlab).
    """
    own = np.concatenate([labelled(plane.mean, plane.labels)[plane.labels >= 0] for plane in planes]).astype(np.float64)
    if not own.size:
        return float("nan")
    weights = np.exp((1 - own) / TEMPERATURE - (1 - own.min()) / TEMPERATURE)
    return float((own * weights).sum() / weights.sum())


def disagreement(planes: list[Plane]) -> float:
    """1 - mean Dice of the foregrounds of two models, over all pairs of them; NaN of one model or no foreground."""
    values = []
    for plane in planes:
        masks = plane.members.argmax(-1) > 0
        values += [_dice(masks[a], masks[b]) for a, b in itertools.combinations(range(len(masks)), 2)]
    defined = [value for value in values if not np.isnan(value)]
    return 1 - float(np.mean(defined)) if defined else float("nan")


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else float("nan")
