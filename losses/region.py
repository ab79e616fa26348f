"""Losses on the overlap of regions."""

from typing import Any

import keras

from ..core.task import Task
from . import LOSSES
from .planes import Tensor, over_classes, space_sum

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
def dice(
    truth: Tensor, logits: Tensor, task: Task, *, smooth: float = 1.0, squared: bool = False, background: bool = False
) -> Tensor:
    """Soft Dice: 1 - (2 sum(p g) + s) / (sum(p) + sum(g) + s), a case and class (Milletari 2016, arXiv:1606.04797).

    p is the probability, g the truth, s `smooth` in pixels; the mean is over classes, never over the batch. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    squared: the denominator is sum(p²) + sum(g²) + s, as in the paper.
    background: whether the first of exclusive classes counts; by default only what is scored does, as in nnU-Net.
    A class absent from the truth costs 1 - s / (sum(p) + s): 0 if it is absent from the prediction too, more with each
    false positive. Without smoothing an absent class would cost 0 / 0, so s must be positive.
    """

    def formula(g: Tensor, p: Tensor) -> Tensor:
        size = space_sum(ops.square(p) + ops.square(g)) if squared else space_sum(p + g)
        return 1 - (2 * space_sum(p * g) + smooth) / (size + smooth)

    return over_classes(truth, logits, task, background, formula)


@LOSSES.add
def jaccard(truth: Tensor, logits: Tensor, task: Task, *, smooth: float = 1.0, background: bool = False) -> Tensor:
    """Soft Jaccard (IoU): 1 - (I + s) / (U + s), I = sum(p g), U = sum(p) + sum(g) - I (Rahman & Wang 2016).

    p is the probability, g the truth, s `smooth` in pixels, positive; a case and class, then the mean over classes.
    Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    background: whether the first of exclusive classes counts.
    A class absent from the truth costs 1 - s / (sum(p) + s). MONAI and others smooth 2 I and 2 U, which is half our s.
    """

    def formula(g: Tensor, p: Tensor) -> Tensor:
        both = space_sum(p * g)
        return 1 - (both + smooth) / (space_sum(p + g) - both + smooth)

    return over_classes(truth, logits, task, background, formula)
