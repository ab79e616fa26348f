"""Whether what a model says of a pixel depends on its neighbourhood alone."""

import math
from collections.abc import Sequence

import keras

from ..parts.group_norm import GroupNorm
from .receptive_field import receptive_field
from .trace import Step

ACROSS = (GroupNorm, keras.layers.GroupNormalization)
"""Normalisations whose statistics are those of the image or window at hand; instance normalisation is one of them."""


def is_local(steps: Sequence[Step]) -> bool:
    """True when the receptive field is finite and no normalisation takes its statistics from the image at prediction.

    Then a larger window gives the same values away from its border. False too where a layer does not say what it sees.
    """
    field = receptive_field(steps)
    if field is None or any(math.isinf(edge) for edge in field):
        return False
    return not any(isinstance(step.operation, ACROSS) or _normalises_space(step) for step in steps)


def _normalises_space(step: Step) -> bool:
    layer = step.operation
    if not isinstance(layer, keras.layers.LayerNormalization):
        return False
    rank = len(step.outputs[0].shape)
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    return any(axis % rank not in (0, rank - 1) for axis in axes)
