"""The memory a model needs, before anything is run."""

from collections.abc import Sequence
from math import prod

from .trace import Step

ITEM_BYTES = 4
"""Bytes of a float32 number."""


def peak_activation_bytes(steps: Sequence[Step]) -> int:
    """Largest sum of activations that are needed at one moment of a prediction of one image, in float32.

    A tensor is kept from the call that makes it to the last that reads it, skips therefore across the whole decoder. No
    call works in place, and what a call needs inside is not counted; training keeps nearly all activations.
    """
    last = {id(tensor): place for place, step in enumerate(steps) for tensor in (*step.inputs, *step.outputs)}
    alive = {id(tensor): prod(tensor.shape) for tensor in steps[0].inputs}
    peak = 0
    for place, step in enumerate(steps):
        alive |= {id(tensor): prod(tensor.shape) for tensor in step.outputs}
        peak = max(peak, sum(alive.values()))
        alive = {key: count for key, count in alive.items() if last[key] > place}
    return peak * ITEM_BYTES
