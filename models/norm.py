"""Normalisations by name, for 2D and 3D."""

from collections.abc import Callable
from typing import Any

import keras

from ..core.errors import Unfit
from .batch_norm import BatchNorm
from .style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

MOMENTUM = 0.9
"""Share of the old running mean that one step keeps. Keras' own 0.99 needs some 500 steps to forget its start."""

EPSILON = 1e-5


def normalise(x, style: Style, *, scale: bool = True):
    """Normalise `(n, *space, c)` as the style says; `none` returns x.

    scale: whether a learned factor follows. Raises Unfit when groups do not divide c.
    """
    return norm_layer(x.shape[-1], style, scale=scale)(x)


def norm_layer(channels: int, style: Style, *, scale: bool = True) -> Callable[[Any], Any]:
    """The layer of `normalise`, for one that is called more than once with the same weights."""
    if style.normalisation == "none":
        return lambda x: x
    if style.normalisation == "batch":
        return BatchNorm(momentum=MOMENTUM, epsilon=EPSILON, scale=scale)
    groups = channels if style.normalisation == "instance" else style.groups
    if channels % groups:
        raise Unfit(f"group normalisation: {channels} channels do not divide into {groups} groups; change the width")
    return GroupNorm(groups, epsilon=EPSILON, scale=scale)


def standardise(x):
    """Instance normalisation of `(n, *space, c)` without learned factor and offset."""
    return keras.layers.GroupNormalization(x.shape[-1], epsilon=EPSILON, center=False, scale=False)(x)


@keras.saving.register_keras_serializable(package="unetbench")
class GroupNorm(keras.layers.GroupNormalization):
    """Group normalisation (Wu & He 2018, arXiv:1803.08494) that reduces each channel first, then the few moments.

    With m, v the mean and variance of a channel: mean of the group M = mean m, variance = mean(v + (m - M)²). Equal to
    the parent's to rounding and as stable; forward and backward take 9.1 instead of 13.3 ms (4×128×128×32, 8 groups)
    and 9.9 instead of 20.5 (2×16×64×64×16) on two cores. Statistics are float32 in every precision.
    """

    def call(self, inputs):
        """Return `(n, *space, c)` normalised, in the compute dtype."""
        x = ops.cast(inputs, "float32")
        mean, variance = ops.moments(x, tuple(range(1, len(x.shape) - 1)), keepdims=True)
        gamma = self.gamma if self.scale else ops.ones_like(self.beta)
        if self.groups == x.shape[-1]:
            scale = ops.rsqrt(variance + self.epsilon) * gamma
            return ops.cast(x * scale + (self.beta - mean * scale), self.compute_dtype)
        shape = (-1, self.groups, x.shape[-1] // self.groups)
        mean, variance = ops.reshape(mean, shape), ops.reshape(variance, shape)
        centre = ops.mean(mean, -1, keepdims=True)
        spread = ops.mean(variance + ops.square(mean - centre), -1, keepdims=True)
        scale = ops.rsqrt(spread + self.epsilon) * ops.reshape(gamma, shape[1:])
        shift = ops.reshape(self.beta, shape[1:]) - centre * scale
        shape = (-1, *[1] * (len(x.shape) - 2), x.shape[-1])
        return ops.cast(x * ops.reshape(scale, shape) + ops.reshape(shift, shape), self.compute_dtype)
