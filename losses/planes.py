"""What every loss starts from: the truth as float planes, what counts, and probabilities.

Truth comes as `Task` says, `(n, *space, t)` integers; logits `(n, *space, k)`. All arithmetic is float32, whatever the
precision of the logits.
"""

from collections.abc import Callable
from typing import Any

import keras

from ..core.task import Task

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

Tensor = Any


def planes(truth: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Return truth `(n, *space, k)`, 1 where the class is, and valid: 0 where the truth is the ignore label, else 1.

    valid is `(n, *space, t)`, one plane for all classes unless the task is multi-label. Planes are 0 where not valid.
    """
    truth = ops.cast(truth, "int32")
    valid = ops.ones_like(truth, "float32") if task.ignore is None else ops.cast(truth != task.ignore, "float32")
    if task.kind == "exclusive":
        return ops.cast(truth == ops.arange(task.outputs, dtype="int32"), "float32"), valid
    return ops.cast(truth, "float32") * valid, valid


def probabilities(logits: Tensor, task: Task) -> Tensor:
    """Softmax over exclusive classes, a sigmoid each otherwise."""
    logits = ops.cast(logits, "float32")
    return ops.softmax(logits, -1) if task.kind == "exclusive" else ops.sigmoid(logits)


def space_sum(x: Tensor) -> Tensor:
    """Sum over the spatial axes: `(n, *space, k)` to `(n, k)`."""
    return ops.sum(x, axis=tuple(range(1, len(x.shape) - 1)))


def valid_mean(x: Tensor, valid: Tensor) -> Tensor:
    """Mean over the valid pixels and all planes of each case, `(n,)`; 0 where nothing is valid."""
    count = ops.sum(space_sum(ops.broadcast_to(valid, ops.shape(x))), -1)
    return ops.sum(space_sum(x * valid), -1) / ops.maximum(count, 1.0)


def over_classes(
    truth: Tensor, logits: Tensor, task: Task, background: bool, formula: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Mean over classes, `(n,)`, of `formula(truth planes, probability planes)` that gives `(n, k)`.

    background: whether the first of exclusive classes counts too.
    """
    target, valid = planes(truth, task)
    predicted = probabilities(logits, task) * valid
    if task.kind == "exclusive" and not background:
        target, predicted = target[..., 1:], predicted[..., 1:]
    return ops.mean(formula(target, predicted), -1)
