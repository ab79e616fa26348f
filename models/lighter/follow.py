"""The channels of a model, followed call by call through skips, sums, concatenations and normalisations."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from ...core.errors import Unfit
from ..anatomy.trace import Step, trace
from ..parts.fit import divisor
from .channels import Channels, Ids
from .own_rules import OWN_RULES
from .rules import RULES, channelwise, refusal


def follow(model: Any) -> Channels:
    """Follow the channels through a model: the image's and the logits' must stay, all others are coupled or free.

    Nothing is computed. A layer that has no rule can state `channelwise = True` in its own class: each channel that
    comes out depends on the same channel that went in alone, and the last axis of its weights, if any, runs over
    channels. Raises Unfit naming the first layer through which channels cannot be followed, as attention, whose heads
    cut them up.
    """
    if not isinstance(model, keras.Model) or not isinstance(model, keras.Function):
        raise Unfit(f"channel pruning: {type(model).__name__} is no functional model, so no layer can be followed")
    if len(model.inputs) != 1:
        raise Unfit(f"channel pruning: model {model.name} takes {len(model.inputs)} images; one is possible")
    steps = trace(model, tuple(max(16, 4 * edge) for edge in divisor(model)))
    found, at = Channels(), {}
    image = steps[0].inputs[0]
    at[id(image)] = found.new(image.shape[-1])
    found.fix(at[id(image)])
    for step in steps:
        given = [at[id(tensor)] for tensor in step.inputs]
        for tensor, ids in zip(step.outputs, _through(found, step, given), strict=True):
            if tensor.shape[-1] != len(ids):
                raise refusal(step, f"{len(ids)} channels become {tensor.shape[-1]}")
            at[id(tensor)] = ids
            found.tensors.append(ids)
        found.inputs.setdefault(id(step.operation), given)
        found.outputs.setdefault(id(step.operation), [at[id(tensor)] for tensor in step.outputs])
    given_out = set(_last(model))
    for step in steps:
        if id(step.operation) in given_out:
            for tensor in step.outputs:
                found.fix(at[id(tensor)])
    return found


def _last(model: Any) -> Iterator[int]:
    """The `id` of each layer that gives an output of the model, those of models inside it included."""
    for tensor in model.outputs:
        operation = tensor._keras_history.operation
        if isinstance(operation, keras.Function):
            yield from _last(operation)
        else:
            yield id(operation)


def _through(found: Channels, step: Step, given: list[Ids]) -> list[Ids]:
    kind = type(step.operation)
    rule = OWN_RULES.get(kind) or RULES.get(kind) or (channelwise if vars(kind).get("channelwise") else None)
    if rule is None:
        raise refusal(step, "no rule for this layer; magnitude pruning serves every layer")
    return rule(found, step, given)


def kept_places(found: Channels, ids: Ids, removed: set[int]) -> np.ndarray:
    """Places along an axis whose channels stay."""
    return np.flatnonzero([int(number) not in removed for number in found.roots(ids)])
