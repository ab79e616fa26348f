"""What every loss starts from: the truth as float planes, what counts, and probabilities.

Truth comes as `Task` says, `(n, *space, t)` integers, perhaps with further channels after the t that are its
own (see `auxiliary_targets`); logits `(n, *space, k)`. All arithmetic is float32, whatever the precision of the logits.
"""

from collections.abc import Sequence
from typing import Any

import keras

from ..core.errors import DataError, SpecError
from ..core.task import Task

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

Tensor = Any

TINY = 1e-7
"""Below this a base counts as 0 when it is raised to a fractional power, whose slope there is infinite."""


def planes(truth: Tensor, task: Task) -> tuple[Tensor, Tensor]:
    """Return truth `(n, *space, k)`, 1 where the class is, and valid: 0 where the truth is the ignore label, else 1.

    valid is `(n, *space, t)`, one plane for all classes unless the task is multi-label. Planes are 0 where not valid.
    Raises DataError for a truth with too few channels.
    """
    if truth.shape[-1] < task.truth_channels:
        came, classes = truth.shape[-1], ", ".join(task.classes)
        raise DataError(f"truth has {came} channels; {task.kind} classes {classes} need {task.truth_channels}")
    truth = ops.cast(truth[..., : task.truth_channels], "int32")
    valid = ops.ones_like(truth, "float32") if task.ignore is None else ops.cast(truth != task.ignore, "float32")
    if task.kind == "exclusive":
        return ops.cast(truth == ops.arange(task.outputs, dtype="int32"), "float32"), valid
    return ops.cast(truth, "float32") * valid, valid


def probabilities(logits: Tensor, task: Task) -> Tensor:
    """Softmax over exclusive classes, a sigmoid each otherwise."""
    logits = ops.cast(logits, "float32")
    return ops.softmax(logits, -1) if task.kind == "exclusive" else ops.sigmoid(logits)


def counted(x: Tensor, task: Task, background: bool) -> Tensor:
    """The planes of the classes that count: without the first of exclusive classes unless `background`."""
    return x[..., 1:] if task.kind == "exclusive" and not background else x


def scored(truth: Tensor, logits: Tensor, task: Task, background: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Truth planes, probability planes `(n, *space, classes that count)` and valid; both planes 0 where not valid."""
    target, valid = planes(truth, task)
    predicted = probabilities(logits, task) * valid
    return counted(target, task, background), counted(predicted, task, background), valid


def class_sums(truth: Tensor, logits: Tensor, task: Task) -> tuple[Tensor, Tensor, Tensor]:
    """Sums of p g, p and g over the pixels, of mutually exclusive classes, background first.

    `(n, 1, classes)` for exclusive classes; each sigmoid has two, what it leaves and itself: `(n, labels, 2)`.
    """
    g, p, valid = scored(truth, logits, task, True)
    both, predicted, size = space_sum(p * g), space_sum(p), space_sum(g)
    if task.kind == "exclusive":
        return both[:, None], predicted[:, None], size[:, None]
    count = space_sum(valid)
    left = (count - predicted - size + both, count - predicted, count - size)
    one, other, third = (ops.stack(pair, -1) for pair in zip(left, (both, predicted, size), strict=True))
    return one, other, third


def pixel_ce(truth: Tensor, logits: Tensor, task: Task) -> tuple[Tensor, Tensor, Tensor]:
    """Cross-entropy of each pixel, valid, and the truth planes.

    Cross-entropies are `(n, *space, 1)` for exclusive classes and `(n, *space, k)`, a sigmoid each, otherwise.
    """
    target, valid = planes(truth, task)
    logits = ops.cast(logits, "float32")
    if task.kind != "exclusive":
        return ops.softplus(logits) - target * logits, valid, target
    own = ops.sum(target * logits, -1, keepdims=True)
    return ops.logsumexp(logits, -1, keepdims=True) - own, valid, target


def space_sum(x: Tensor) -> Tensor:
    """Sum over the spatial axes: `(n, *space, k)` to `(n, k)`.

    One axis after the other, the last first: TensorFlow on a CPU would add all the pixels of a plane to one float32,
    whose rounding grows with their number.
    """
    for axis in range(len(x.shape) - 2, 0, -1):
        x = ops.sum(x, axis)
    return x


def space_mean(x: Tensor, valid: Tensor) -> Tensor:
    """Mean over the valid pixels of each plane, `(n, k)`; 0 where nothing is valid."""
    return space_sum(x * valid) / ops.maximum(space_sum(valid), 1.0)


def valid_mean(x: Tensor, valid: Tensor) -> Tensor:
    """Mean over the valid pixels and all planes of each case, `(n,)`; 0 where nothing is valid."""
    count = ops.sum(space_sum(ops.broadcast_to(valid, ops.shape(x))), -1)
    return ops.sum(space_sum(x * valid), -1) / ops.maximum(count, 1.0)


def class_mean(values: Tensor, weights: Sequence[float] = ()) -> Tensor:
    """Mean over classes, `(n, k)` to `(n,)`: sum(w v) / sum(w), all w equal without `weights`.

    Raises SpecError when the weights are not one for each class that counts.
    """
    if not weights:
        return ops.mean(values, -1)
    factor = _class_weights(weights, values.shape[-1], "classes that count")
    return ops.sum(values * factor, -1) / sum(weights)


def pixel_weights(target: Tensor, task: Task, weights: Sequence[float]) -> Tensor:
    """The weight of each pixel's own class: `(n, *space, 1)` for exclusive classes, else `(n, *space, k)`.

    weights: one a class for exclusive classes; two, background and foreground, for sigmoids; none means 1 everywhere.
    Raises SpecError when there are others.
    """
    if task.kind == "exclusive":
        factor = _class_weights(weights or (1.0,) * task.outputs, task.outputs, "classes, the background first")
        return ops.sum(target * factor, -1, keepdims=True)
    factor = _class_weights(weights or (1.0, 1.0), 2, "sides of a sigmoid, background and foreground")
    return factor[0] * (1 - target) + factor[1] * target


def confusion(g: Tensor, p: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Soft true positives, false positives, false negatives and true negatives, in pixels, `(n, k)` each."""
    return (
        space_sum(g * p),
        space_sum(p * (1 - g)),
        space_sum(g * (1 - p)),
        space_sum((valid - g) * (1 - p)),
    )


def power(x: Tensor, exponent: float) -> Tensor:
    """Power with a positive exponent of x >= 0, value and slope 0 below 1e-7."""
    large = x > TINY
    return ops.where(large, ops.power(ops.where(large, x, 1.0), exponent), 0.0)


def _class_weights(weights: Sequence[float], count: int, what: str) -> Tensor:
    if len(weights) != count or min(weights) < 0 or not sum(weights):
        raise SpecError(f"weights: {list(weights)} is not one number, none negative, for each of the {count} {what}")
    return ops.convert_to_tensor(weights, dtype="float32")
