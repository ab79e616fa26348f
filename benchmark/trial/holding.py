"""What a trained network that learns new data has in its loss so that it forgets less."""

from typing import Any

import keras
import numpy as np

from ...core.task import Task
from ...core.trial import Trial
from ...losses.distillation import distillation
from .origin import Origin, Teaching

ops: Any = keras.ops


def method_of(trial: Trial) -> str:
    """How an update keeps what was learnt, one of `core.trial.METHODS`; "" for other trials."""
    if trial.derivation is None or trial.derivation.step != "update":
        return ""
    return trial.derivation.options["method"]


def holding(trial: Trial, origin: Origin | None, network: Any, task: Task) -> Teaching | None:
    """What an update by `lwf` or `ewc` learns beside its loss L; None for other trials. network: the one that learns.

    lwf: L + a T² KL(parent || network) on the new images (Li & Hoiem 2016, arXiv:1606.09282), see
    `losses.distillation`. ewc: L + a / 2 sum F (w - w*)², w* the parent's weights and F its Fisher matrix, see
    `trial.fisher` (Kirkpatrick et al. 2017, arXiv:1612.00796).
    """
    method = method_of(trial)
    if origin is None or trial.derivation is None or method not in ("lwf", "ewc"):
        return None
    share, parent = trial.derivation.options["weight"], origin.network
    if method == "lwf":
        temperature = trial.derivation.options["temperature"]

        def distilled(images: Any, targets: Any, logits: Any, values: Any) -> Any:
            given = parent(images, training=False)
            given = given[0] if isinstance(given, list | tuple) else given
            return values + share * distillation(targets, logits, given, task, temperature)

        return distilled
    held = [np.array(ops.convert_to_numpy(variable.value)) for variable in parent.trainable_variables]
    weights, matters = network.trainable_variables, origin.fisher

    def penalised(images: Any, targets: Any, logits: Any, values: Any) -> Any:
        apart = [
            ops.sum(important * ops.square(ops.cast(weight, "float32") - before))
            for weight, before, important in zip(weights, held, matters, strict=True)
        ]
        return values + share / 2 * sum(apart)

    return penalised
