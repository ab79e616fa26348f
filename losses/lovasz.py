"""Lovász extensions of the Jaccard index: convex surrogates that follow the index itself."""

from typing import Any

import keras

from ..core.task import Task
from . import LOSSES
from .planes import Tensor, class_mean, counted, planes, scored

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
def lovasz_hinge(
    truth: Tensor, logits: Tensor, task: Task, *, background: bool = False, weights: tuple[float, ...] = ()
) -> Tensor:
    """Lovász hinge: extension of the Jaccard loss at max(0, 1 - x (2 g - 1)) (Berman 2018, arXiv:1705.08790).

    x is the logit, g the truth; errors are sorted within each case and class ("per image" in the paper's code), the
    mean is over classes, exclusive ones each against the rest. A class absent from the truth costs its largest error.
    Right answers cost 0 from |x| = 1 on. background, weights as in `dice`. Truth `(n, *space, t)`, logits
    `(n, *space, k)`, value `(n,)`, not bounded by 1.
    """
    target, valid = planes(truth, task)
    errors = 1 - ops.cast(logits, "float32") * (2 * target - 1)
    errors = ops.where(valid > 0, errors, -1.0)  # sorted behind all that cost anything
    return class_mean(_extension(counted(errors, task, background), counted(target, task, background))[0], weights)


@LOSSES.add
def lovasz_softmax(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    background: bool = True,
    absent: bool = False,
) -> Tensor:
    """Lovász softmax: extension of the Jaccard loss at |g - p|, mean over classes (Berman 2018, arXiv:1705.08790).

    p is the probability: softmax for exclusive classes, a sigmoid otherwise. Errors are sorted within each case and
    class. absent: whether a class that the truth lacks counts, with its largest error; by default, as in the paper's
    code ("present"), only those present do, and a binary case without foreground costs 0 and teaches nothing.
    background: whether the first of exclusive classes counts, as in the paper. Truth `(n, *space, t)`, logits
    `(n, *space, k)`, value `(n,)`, from 0 to 1.
    """
    g, p, _ = scored(truth, logits, task, background)
    values, size = _extension(ops.abs(g - p), g)
    if absent:
        return class_mean(values)
    present = ops.cast(size > 0, "float32")
    return ops.sum(values * present, -1) / ops.maximum(ops.sum(present, -1), 1.0)


def _extension(errors: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Lovász extension `(n, k)` of the Jaccard loss at errors `(n, *space, k)`, and the size of the truth `(n, k)`."""
    flat = (ops.shape(errors)[0], -1, errors.shape[-1])
    errors, target = (ops.transpose(ops.reshape(x, flat), (0, 2, 1)) for x in (errors, target))
    order = ops.argsort(-ops.stop_gradient(errors), -1)
    errors, target = (ops.take_along_axis(x, order, -1) for x in (errors, target))
    size = ops.sum(target, -1, keepdims=True)
    both, union = size - ops.cumsum(target, -1), size + ops.cumsum(1 - target, -1)
    # What a pixel adds to 1 - both / union. As a difference of two of these it would have two digits in a large image.
    before = union - (1 - target)
    left = ops.where(before > 0, both / ops.maximum(before, 1.0), 1.0)  # the first pixel of an absent class adds 1
    steps = (target + (1 - target) * left) / ops.maximum(union, 1.0)
    return ops.sum(ops.relu(errors) * ops.stop_gradient(steps), -1), size[..., 0]
