"""Cross-entropies, computed from logits so that they stay exact and finite at any confidence."""

from typing import Any

import keras

from ..core.task import Task
from . import LOSSES
from .planes import Tensor, planes, valid_mean

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
def bce(truth: Tensor, logits: Tensor, task: Task) -> Tensor:
    """Binary cross-entropy of each class on its own: mean of softplus(x) - g x over pixels and classes.

    x is the logit and g the truth, 0 or 1. Exclusive classes are taken one against the rest; `ce` is their softmax
    form. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Ignored pixels do not count; a case without
    any other costs 0.
    """
    target, valid = planes(truth, task)
    logits = ops.cast(logits, "float32")
    return valid_mean(ops.softplus(logits) - target * logits, valid)


@LOSSES.add
def ce(truth: Tensor, logits: Tensor, task: Task) -> Tensor:
    """Cross-entropy as the task says: mean of log sum_k exp(x_k) - x_truth over pixels; sigmoid form, `bce`, otherwise.

    Exclusive classes get the softmax (categorical) form, binary and multi-label ones the sigmoid form. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Ignored pixels do not count; a case without any other
    costs 0.
    """
    if task.kind != "exclusive":
        return bce(truth, logits, task)
    target, valid = planes(truth, task)
    logits = ops.cast(logits, "float32")
    own = ops.sum(target * logits, -1, keepdims=True)
    return valid_mean(ops.logsumexp(logits, -1, keepdims=True) - own, valid)
