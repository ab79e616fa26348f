"""Losses on the overlap of regions."""

from typing import Any

import keras

from ..core.task import Task
from . import LOSSES
from .planes import Tensor, class_mean, power, scored, space_sum

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
def dice(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    smooth: float = 1.0,
    squared: bool = False,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Soft Dice: 1 - (2 sum(p g) + s) / (sum(p) + sum(g) + s), a case and class (Milletari 2016, arXiv:1606.04797).

    p is the probability, g the truth, s `smooth` in pixels; the mean is over classes, never over the batch. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    squared: the denominator is sum(p²) + sum(g²) + s, as in the paper.
    background: whether the first of exclusive classes counts; by default only what is scored does, as in nnU-Net.
    weights: one for each class that counts; equal by default.
    A class absent from the truth costs 1 - s / (sum(p) + s): 0 if it is absent from the prediction too, more with each
    false positive. Without smoothing an absent class would cost 0 / 0, so s must be positive.
    """
    g, p, _ = scored(truth, logits, task, background)
    return class_mean(1 - dice_scores(g, p, smooth, squared), weights)


@LOSSES.add
def jaccard(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Soft Jaccard (IoU): 1 - (I + s) / (U + s), I = sum(p g), U = sum(p) + sum(g) - I (Rahman & Wang 2016).

    p is the probability, g the truth, s `smooth` in pixels, positive; a case and class, then the mean over classes.
    Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    background: whether the first of exclusive classes counts. weights: one for each class that counts.
    A class absent from the truth costs 1 - s / (sum(p) + s). MONAI and others smooth 2 I and 2 U, which is half our s.
    """
    g, p, _ = scored(truth, logits, task, background)
    both = space_sum(p * g)
    return class_mean(1 - (both + smooth) / (space_sum(p + g) - both + smooth), weights)


@LOSSES.add
def log_dice(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Log-Dice: -log D, D = (2 sum(p g) + s) / (sum(p) + sum(g) + s), a case and class (Wong 2018, arXiv:1809.00076).

    The paper's exponential logarithmic Dice with exponent 1; steeper than 1 - D where overlap is small. The logarithm
    is taken for each class, then the mean over classes. Options as in `dice`. Truth `(n, *space, t)`, logits
    `(n, *space, k)`, value `(n,)`, not bounded by 1. s must be positive.
    """
    g, p, _ = scored(truth, logits, task, background)
    return class_mean(-ops.log(dice_scores(g, p, smooth)), weights)


@LOSSES.add
def log_cosh_dice(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Log-cosh Dice: log cosh(1 - D), D the soft Dice of a case and class (Jadon 2020, arXiv:2006.14822).

    About (1 - D)² / 2 near the end of training, so the last errors pull less than in `dice`. Options as in `dice`.
    Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`, at most log cosh 1 = 0.434.
    """
    g, p, _ = scored(truth, logits, task, background)
    # log cosh x = log(1 + 2 sinh²(x/2)), which keeps its digits where x is small and cosh x rounds to 1.
    half = ops.sinh((1 - dice_scores(g, p, smooth)) / 2)
    return class_mean(ops.log1p(2 * ops.square(half)), weights)


@LOSSES.add
def noise_robust_dice(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    gamma: float = 1.5,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Noise-robust Dice: sum(|p - g|^gamma) / (sum(p²) + sum(g²) + s), for wrong labels (Wang 2020, COPLE-Net).

    gamma = 2 is the squared Dice, gamma = 1 behaves like the mean absolute error, which forgives wrong labels. s is
    `smooth` in pixels (1e-5 in the paper), in the denominator only; a class absent from truth and prediction costs 0.
    Options as in `dice`. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. doi:10.1109/TMI.2020.3000314
    """
    g, p, _ = scored(truth, logits, task, background)
    size = space_sum(ops.square(p) + ops.square(g))
    return class_mean(space_sum(power(ops.abs(p - g), gamma)) / (size + smooth), weights)


def dice_scores(g: Tensor, p: Tensor, smooth: float, squared: bool = False) -> Tensor:
    """Soft Dice coefficients `(n, k)` of truth and probability planes."""
    size = space_sum(ops.square(p) + ops.square(g)) if squared else space_sum(p + g)
    return (2 * space_sum(p * g) + smooth) / (size + smooth)
