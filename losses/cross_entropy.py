"""Cross-entropies, computed from logits so that they stay exact and finite at any confidence."""

from typing import Any

import keras

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .planes import Tensor, pixel_ce, pixel_weights, planes, space_sum, valid_mean

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
def bce(truth: Tensor, logits: Tensor, task: Task) -> Tensor:
    """Binary cross-entropy: mean of softplus(x) - g x over pixels, and over classes each on its own (Good 1952).

    x is the logit and g the truth, 0 or 1. Exclusive classes are taken one against the rest; `ce` is their softmax
    form. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Ignored pixels do not count; a case without
    any other costs 0.
    """
    target, valid = planes(truth, task)
    logits = ops.cast(logits, "float32")
    return valid_mean(ops.softplus(logits) - target * logits, valid)


@LOSSES.add
def ce(truth: Tensor, logits: Tensor, task: Task) -> Tensor:
    """Cross-entropy of the task: mean of log sum_k exp(x_k) - x_truth over pixels, or else `bce` (Good 1952).

    Exclusive classes get the softmax (categorical) form, binary and multi-label ones the sigmoid form. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Ignored pixels do not count; a case without any other
    costs 0.
    """
    return valid_mean(*pixel_ce(truth, logits, task)[:2])


@LOSSES.add
def weighted_ce(truth: Tensor, logits: Tensor, task: Task, *, weights: tuple[float, ...] = ()) -> Tensor:
    """Class-weighted cross-entropy: sum(w c) / sum(w) over pixels, w the weight of the pixel's class (Xie & Tu 2015).

    c is the cross-entropy of a pixel as in `ce`. weights: one a class, the background first; a sigmoid has two classes,
    background and foreground. Without weights w is 1 / (pixels of the class in this case), so that every class that is
    present has the same say. Dividing by sum(w) is PyTorch's convention for class weights; its `pos_weight` divides by
    the number of pixels instead. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. A class that is absent
    has no say; a case all ignored costs 0. Raises SpecError for a wrong number of weights.
    """
    values, valid, target = pixel_ce(truth, logits, task)
    if weights:
        factor = pixel_weights(target, task, weights) * valid
    else:
        share = target / ops.maximum(_all_space(target), 1.0)
        if task.kind == "exclusive":
            factor = ops.sum(share, -1, keepdims=True)
        else:
            factor = share + (valid - target) / ops.maximum(_all_space(valid - target), 1.0)
    total = ops.sum(space_sum(factor), -1)
    return ops.sum(space_sum(values * factor), -1) / ops.where(total > 0, total, 1.0)


@LOSSES.add
def topk(truth: Tensor, logits: Tensor, task: Task, *, fraction: float = 0.1) -> Tensor:
    """TopK cross-entropy: the mean of the largest `fraction` of a case's cross-entropies (Wu 2016, arXiv:1605.06885).

    Of m pixels that count (times labels, for sigmoids) the floor(fraction m) worst, at least one. They are taken from
    each case; nnU-Net, with the same 10 %, takes them from the whole batch. Truth `(n, *space, t)`, logits
    `(n, *space, k)`, value `(n,)`. A case all ignored costs 0. Raises SpecError for a fraction outside (0, 1].
    """
    if not 0 < fraction <= 1:
        raise SpecError(f"topk: fraction is {fraction}; it is the share of the pixels, above 0 and at most 1")
    values, valid, _ = pixel_ce(truth, logits, task)
    cases = ops.shape(values)[0]
    worst = ops.flip(ops.sort(ops.reshape(values * valid, (cases, -1)), -1), -1)  # no cross-entropy is below 0
    count = ops.sum(space_sum(valid), -1, keepdims=True)
    kept = ops.maximum(ops.floor(fraction * count + 1e-3), 1.0)  # 0.7 × 10 is below 7 in float32
    taken = ops.cast(ops.arange(ops.shape(worst)[1]), "float32") < kept
    return ops.sum(ops.where(taken, worst, 0.0), -1) / kept[:, 0]


@LOSSES.add
def focal(
    truth: Tensor, logits: Tensor, task: Task, *, gamma: float = 2.0, alpha: float | None = None, softmax: bool = True
) -> Tensor:
    """Focal loss: mean of -a (1 - q)^gamma log q, q the probability of what is true (Lin 2017, arXiv:1708.02002).

    alpha: None means a = 1, as in MONAI and SMP; a number, 0.25 in the paper and SMP before 0.6, means a = alpha on the
    foreground and 1 - alpha on the background (the first of exclusive classes). softmax: exclusive classes compete and
    a pixel has one term; False takes them one against the rest, a term for each class. MONAI's softmax form averages
    over classes too, which is 1/k of ours. gamma = 0 is the cross-entropy. Truth `(n, *space, t)`, logits `(n, *space,
    k)`, value `(n,)`. A case all ignored costs 0.
    """
    target, valid = planes(truth, task)
    logits = ops.cast(logits, "float32")
    if task.kind == "exclusive" and softmax:
        total = ops.logsumexp(logits, -1, keepdims=True)
        missing = total - ops.sum(target * logits, -1, keepdims=True)
        others = ops.logsumexp(logits - 1e9 * target, -1, keepdims=True) - total  # log(1 - q), exact at any q
        foreground = 1 - target[..., :1]
    else:
        toward = (2 * target - 1) * logits
        missing, others, foreground = ops.softplus(-toward), -ops.softplus(toward), target
    balance = 1.0 if alpha is None else alpha * foreground + (1 - alpha) * (1 - foreground)
    return valid_mean(balance * ops.exp(gamma * others) * missing, valid)


@LOSSES.add
def label_smoothing(truth: Tensor, logits: Tensor, task: Task, *, amount: float = 0.1) -> Tensor:
    """Cross-entropy against softened truth (1 - e) g + e / k, for calibration (Szegedy 2016, arXiv:1512.00567).

    e is `amount`; k the number of classes, 2 for a sigmoid. Softmax form for exclusive classes, sigmoid form otherwise,
    as in `ce`. The least it can cost is the entropy of the softened truth, not 0. Truth `(n, *space, t)`, logits
    `(n, *space, k)`, value `(n,)`. A case all ignored costs 0. Raises SpecError for an amount outside [0, 1).
    """
    if not 0 <= amount < 1:
        raise SpecError(f"label_smoothing: amount is {amount}; it is a share, from 0 to below 1")
    target, valid = planes(truth, task)
    logits = ops.cast(logits, "float32")
    if task.kind == "exclusive":
        soft = (1 - amount) * target + amount / task.outputs
        values = ops.logsumexp(logits, -1, keepdims=True) - ops.sum(soft * logits, -1, keepdims=True)
    else:
        values = ops.softplus(logits) - ((1 - amount) * target + amount / 2) * logits
    return valid_mean(values, valid)


def _all_space(x: Tensor) -> Tensor:
    return ops.expand_dims(space_sum(x), tuple(range(1, len(x.shape) - 1)))
