"""Losses that weigh false positives and false negatives apart."""

from typing import Any

import keras

from ..core.task import Task
from . import LOSSES
from .planes import Tensor, class_mean, confusion, power, scored, space_sum

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
def tversky(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    alpha: float = 0.3,
    beta: float = 0.7,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Tversky: 1 - (TP + s) / (TP + alpha FP + beta FN + s), a case and class (Salehi 2017, arXiv:1706.05721).

    alpha weighs false positives and beta false negatives, as in the paper, MONAI and SMP. keras-unet-collection, the
    focal Tversky paper and, against its own docstring, Keras up to 3.15.1 (keras#23333) have it the other way round:
    swap the two. alpha = beta = 0.5 is Dice with half the s, alpha = beta = 1 is Jaccard. TP = sum(p g),
    FP = sum(p (1 - g)), FN = sum((1 - p) g); s is `smooth` in pixels, positive. background, weights as in `dice`. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. A class absent from truth and prediction costs 0.
    """
    return class_mean(1 - _index(truth, logits, task, alpha, beta, smooth, background), weights)


@LOSSES.add
def focal_tversky(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    alpha: float = 0.3,
    beta: float = 0.7,
    exponent: float = 0.75,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Focal Tversky: (1 - T)^exponent, T the Tversky index of a case and class (Abraham 2018, arXiv:1810.07842).

    `exponent` is the paper's 1 / gamma with gamma = 4/3, that is 3/4; other tools raise to gamma = 4/3 itself: set the
    exponent to 1.333. alpha weighs false positives as in `tversky`, so the paper's alpha = 0.7 is our beta. Below 1 the
    slope grows near the right answer; it is cut to 0 where 1 - T < 1e-7. Other options as in `tversky`. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    """
    index = _index(truth, logits, task, alpha, beta, smooth, background)
    return class_mean(power(1 - index, exponent), weights)


@LOSSES.add
def asymmetric_similarity(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    beta: float = 1.5,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Asymmetric similarity: 1 - F_beta, F = ((1 + b²) TP + s) / ((1 + b²) TP + b² FN + FP + s) (Hashemi 2018).

    b is `beta`: above 1 recall weighs more than precision; 1 is Dice. This is `tversky` with FN weighted b² / (1 + b²)
    and FP 1 / (1 + b²). s is `smooth` in pixels, positive. background, weights as in `dice`. Truth `(n, *space, t)`,
    logits `(n, *space, k)`, value `(n,)`. A class absent from truth and prediction costs 0. arXiv:1803.11078
    """
    g, p, valid = scored(truth, logits, task, background)
    hit, false, missed, _ = confusion(g, p, valid)
    recall = beta**2
    hit = (1 + recall) * hit
    return class_mean(1 - (hit + smooth) / (hit + recall * missed + false + smooth), weights)


@LOSSES.add
def sensitivity_specificity(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    ratio: float = 0.05,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Sensitivity-specificity: r sum((g-p)² g) / sum(g) + (1-r) sum((g-p)² (1-g)) / sum(1-g) (Brosch 2015).

    r is `ratio`, the say of the foreground, 0.05 in the paper for lesions. A side without pixels costs 0, so an empty
    class costs its false positives only. background, weights as in `dice`. Truth `(n, *space, t)`, logits
    `(n, *space, k)`, value `(n,)`. doi:10.1007/978-3-319-24574-4_1
    """
    g, p, valid = scored(truth, logits, task, background)
    error, outside = ops.square(g - p), valid - g
    missed = space_sum(error * g) / ops.maximum(space_sum(g), 1.0)
    false = space_sum(error * outside) / ops.maximum(space_sum(outside), 1.0)
    return class_mean(ratio * missed + (1 - ratio) * false, weights)


@LOSSES.add
def mcc(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Matthews correlation: 1 - (TP TN - FP FN) / sqrt((TP+FP)(TP+FN)(TN+FP)(TN+FN)) (Abhishek & Hamarneh 2021).

    From 0 to 2; rewards the background too. s, `smooth` in pixels, is added to TP and to TN throughout, so that an
    empty or full class is defined: nothing to find and nothing found costs 0, and each false positive more. Smoothing
    the fraction alone, as MONAI does, leaves an empty truth without a gradient. background, weights as in `dice`.
    Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. doi:10.1109/ISBI48211.2021.9433782
    """
    g, p, valid = scored(truth, logits, task, background)
    hit, false, missed, clear = confusion(g, p, valid)
    hit, clear = hit + smooth, clear + smooth
    # Roots one by one: the product of four counts of a large volume is past float32's exact integers.
    root = ops.sqrt(hit + false) * ops.sqrt(hit + missed) * ops.sqrt(clear + false) * ops.sqrt(clear + missed)
    return class_mean(1 - (hit * clear - false * missed) / root, weights)


def _index(
    truth: Tensor, logits: Tensor, task: Task, alpha: float, beta: float, smooth: float, background: bool
) -> Tensor:
    g, p, valid = scored(truth, logits, task, background)
    hit, false, missed, _ = confusion(g, p, valid)
    return (hit + smooth) / (hit + alpha * false + beta * missed + smooth)
