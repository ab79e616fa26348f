"""Cross-entropy and overlap joined by exponents that press on what is rare and hard."""

from typing import Any

import keras

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .planes import Tensor, class_sums, pixel_ce, pixel_weights, power, scored, valid_mean
from .region import dice_scores
from .terms import note

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
def exponential_logarithmic(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    weight: float = 0.8,
    gamma: float = 0.3,
    weights: tuple[float, ...] = (),
    smooth: float = 1.0,
    background: bool = True,
) -> Tensor:
    """Exponential logarithmic: v mean((-log D)^gamma) + (1 - v) mean(w (-log q)^gamma) (Wong 2018, arXiv:1809.00076).

    D is the soft Dice of a class (as in `dice`), q the probability of what is true at a pixel (as in `ce`), v `weight`.
    weights: w of each pixel's class, the background first; the paper has sqrt(all pixels / pixels of the class) over
    the training set, ours are 1 unless given. Below 1 the slope of x^gamma is cut to 0 where x < 1e-7. background:
    whether the first of exclusive classes has a Dice, as in the paper. Truth `(n, *space, t)`, logits `(n, *space, k)`,
    value `(n,)`, not bounded by 1. A case all ignored costs 0. Raises SpecError for a wrong number of weights.
    """
    g, p, _ = scored(truth, logits, task, background)
    region = ops.mean(power(-ops.log(dice_scores(g, p, smooth)), gamma), -1)
    values, valid, target = pixel_ce(truth, logits, task)
    pixels = valid_mean(power(values, gamma) * pixel_weights(target, task, weights), valid)
    return weight * note("log dice", region) + (1 - weight) * note("log ce", pixels)


@LOSSES.add
def unified_focal(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    weight: float = 0.5,
    delta: float = 0.6,
    gamma: float = 0.5,
    smooth: float = 1.0,
) -> Tensor:
    """Asymmetric unified focal: v F + (1 - v) T, focal and focal Tversky in one (Yeung 2022, arXiv:2102.04525).

    F = mean over pixels of -delta log q on the foreground and -(1 - delta) (1 - q)^gamma log q on the background, q the
    probability of what is true. T = mean over classes of 1 - I for the background and (1 - I)^(1 - gamma) for the
    others, I = (TP + s) / (TP + delta FN + (1 - delta) FP + s). v is `weight`, s `smooth` in pixels (1e-7 in the
    paper's code). The first of exclusive classes is the background; a sigmoid has two classes, and several labels are
    averaged. MONAI averages F over its two classes, which is half of ours and of the paper's code. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. A case all ignored costs 0. Raises SpecError for
    gamma outside [0, 1).
    """
    if not 0 <= gamma < 1:
        raise SpecError(f"unified_focal: gamma is {gamma}; from 0 to below 1")
    both, predicted, size = class_sums(truth, logits, task)
    index = (both + smooth) / (both + delta * (size - both) + (1 - delta) * (predicted - both) + smooth)
    cost = ops.maximum(1 - index, 0.0)
    overlap = ops.mean(ops.concatenate([cost[..., :1], power(cost[..., 1:], 1 - gamma)], -1), axis=(1, 2))
    pixels = _focal(truth, logits, task, delta, gamma)
    return weight * note("focal", pixels) + (1 - weight) * note("focal tversky", overlap)


def _focal(truth: Tensor, logits: Tensor, task: Task, delta: float, gamma: float) -> Tensor:
    values, valid, target = pixel_ce(truth, logits, task)
    logits = ops.cast(logits, "float32")
    if task.kind == "exclusive":
        foreground = 1 - target[..., :1]
        wrong = ops.logsumexp(logits[..., 1:], -1, keepdims=True) - ops.logsumexp(logits, -1, keepdims=True)
    else:
        foreground, wrong = target, -ops.softplus(-logits)
    # `wrong` is log(1 - q) of a background pixel.
    return valid_mean((delta * foreground + (1 - delta) * ops.exp(gamma * wrong) * (1 - foreground)) * values, valid)
