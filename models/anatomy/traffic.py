"""How many numbers a prediction moves at least, for its arithmetic intensity."""

from collections.abc import Sequence
from math import prod

from .trace import Step


def moved_activations(steps: Sequence[Step]) -> int:
    """Return how many numbers one image makes the calls of a model read and write, weights not counted.

    Each call reads its inputs and writes its outputs once. One that only changes single numbers of one input, such as
    an activation, a normalisation at prediction or a dropout, is taken for part of the call before it, as where a
    framework fuses them; a layer that hands its inputs on untouched says so by `moves_nothing`. What a call needs
    inside is not counted, so that a framework moves no less, unless its caches keep an output for the next call.
    """
    moving = (step for step in steps if not (_is_elementwise(step) or getattr(step.operation, "moves_nothing", False)))
    return sum(_sizes(step.inputs) + _sizes(step.outputs) for step in moving)


def _sizes(tensors: Sequence) -> int:
    return sum(prod(tensor.shape) for tensor in tensors)


def _is_elementwise(step: Step) -> bool:
    if len(step.inputs) != 1 or len(step.outputs) != 1 or step.inputs[0].shape != step.outputs[0].shape:
        return False
    weights = getattr(step.operation, "trainable_weights", ())
    return all(len(weight.shape) < 2 for weight in weights)
