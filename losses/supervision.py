"""Deep supervision: one loss on every resolution that a model gives."""

from collections.abc import Mapping
from typing import Any

import keras

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .auxiliary_targets import ensure_targets, required_targets, requires_targets
from .nested import check
from .planes import Tensor
from .readable_labels import readable_labels, reads_labels
from .terms import collected, note

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


def _targets_of_loss(loss: str, options: Mapping[str, Any] | None, **_: Any) -> tuple[str, ...]:
    check("deep_supervision", {"loss": loss, "options": options})
    return required_targets(LOSSES[loss], options or {})


def _labels_of_loss(loss: str, options: Mapping[str, Any] | None, **_: Any) -> tuple[str, ...] | None:
    check("deep_supervision", {"loss": loss, "options": options})
    return readable_labels(loss, options or {})


@LOSSES.add
@reads_labels(of=_labels_of_loss)
@requires_targets(of=_targets_of_loss)
def deep_supervision(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    loss: str = "bce_dice",
    options: dict[str, Any] | None = None,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Deep supervision: sum_j w_j L(truth_j, logits_j) / sum_j w_j over outputs (Lee 2015, arXiv:1409.5185).

    logits: a list of outputs, the one that predicts first, `(n, *space_j, k)` each; a single one is a list of one.
    Truth `(n, *space, t)` is brought to each output's size by its nearest pixels; maps that the loss needs are made at
    full size first and stay in full-size pixels. loss, options: the loss of every output. weights: w_j, one an output;
    by default 1, 1/2, 1/4 …, as in nnU-Net, which also leaves the smallest out: give it 0. Value `(n,)`.
    Raises SpecError for an unknown loss or option and for a wrong number of weights.
    """
    outputs = list(logits) if isinstance(logits, list | tuple) else [logits]
    shares = weights or tuple(0.5**k for k in range(len(outputs)))
    if len(shares) != len(outputs) or min(shares) < 0 or not sum(shares):
        raise SpecError(f"deep_supervision: weights {list(shares)} are not one for each of {len(outputs)} outputs")
    truth = ensure_targets(ops.convert_to_tensor(truth), task, _targets_of_loss(loss, options))
    total: Any = 0.0
    for index, (share, output) in enumerate(zip(shares, outputs, strict=True)):
        if share:
            with collected():  # an output is one term here, whatever its loss is made of
                value = LOSSES[loss](_at_size(truth, output), output, task, **(options or {}))
            total = total + share * note(f"output {index}", value)
    return total / sum(shares)


def _at_size(truth: Tensor, output: Tensor) -> Tensor:
    """The truth's pixels nearest to the centres of the output's."""
    for axis in range(1, len(output.shape) - 1):
        if truth.shape[axis] is None or truth.shape[axis] != output.shape[axis]:
            full, size = ops.shape(truth)[axis], ops.shape(output)[axis]
            places = (2 * ops.arange(size, dtype="int32") + 1) * full // (2 * size)
            truth = ops.take(truth, places, axis)
    return truth
