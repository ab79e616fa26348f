"""What a student learns from a teacher's logits, beside what it learns from the truth."""

from typing import Any

import keras

from ..core.task import Task
from .planes import Tensor, planes, valid_mean

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


def distillation(truth: Tensor, logits: Tensor, teacher: Tensor, task: Task, temperature: float) -> Tensor:
    """T² KL(p || q), the mean over pixels, p of the teacher and q of the student at temperature T (Hinton et al. 2015).

    Exclusive classes: p = softmax(t / T), q = softmax(s / T), KL = sum over classes of p (log p - log q). Binary and
    multi-label ones: p = sigmoid(t / T), q = sigmoid(s / T) of each, KL = p (t - s) / T + log(1 + exp(s / T)) -
    log(1 + exp(t / T)), the mean over classes too. T² keeps the gradient's size whatever T (arXiv:1503.02531, section
    2). logits, teacher `(n, *space, k)`, value `(n,)`. truth `(n, *space, t)` only says which pixels are ignored, which
    do not count; a case without any other costs 0. No gradient reaches the teacher.
    """
    valid = planes(truth, task)[1]
    own = ops.cast(logits, "float32") / temperature
    given = ops.stop_gradient(ops.cast(teacher, "float32")) / temperature
    if task.kind == "exclusive":
        sure = ops.log_softmax(given, -1)
        apart = ops.sum(ops.exp(sure) * (sure - ops.log_softmax(own, -1)), -1, keepdims=True)
    else:
        apart = ops.sigmoid(given) * (given - own) + ops.softplus(own) - ops.softplus(given)
    return temperature**2 * valid_mean(apart, valid)
