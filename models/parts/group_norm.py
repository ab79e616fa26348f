"""Group normalisation with fewer passes over its image than autodiff makes."""

import math
from functools import cache
from typing import Any

import keras

from .pixel_sums import at_least_float32, pixel_moments, pixel_sum

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@keras.saving.register_keras_serializable(package="unetbench")
class GroupNorm(keras.layers.GroupNormalization):
    """Group normalisation (Wu & He 2018, arXiv:1803.08494) that reduces each channel first, then the few moments.

    With m, v the mean and variance of a channel: mean of the group M = mean m, variance S² = mean(v + (m - M)²), and
    y = gamma (x - M) / sqrt(S² + epsilon) + beta. Statistics are float32 at least, in every precision. Equal to the
    parent's to rounding and as stable.
    """

    def call(self, inputs, training=None):
        """Return `(n, *space, c)` normalised, in the compute dtype."""
        x, channels = at_least_float32(inputs), inputs.shape[-1]
        gamma = ops.cast(self.gamma, x.dtype) if self.scale else ops.ones(channels, x.dtype)
        beta = ops.cast(self.beta, x.dtype) if self.center else ops.zeros(channels, x.dtype)
        if training and keras.backend.backend() == "tensorflow":
            made = _with_gradient(self.groups, self.epsilon)(x, gamma, beta)
        else:
            made = _normalised(x, gamma, beta, self.groups, self.epsilon)[0]
        return ops.cast(made, self.compute_dtype)


def _normalised(x, gamma, beta, groups: int, epsilon: float):
    """Return y, gamma / sqrt(S² + epsilon) as it meets x, and of each group M and 1 / sqrt(S² + epsilon)."""
    mean, variance = (_grouped(moment, groups) for moment in pixel_moments(x))
    if groups < x.shape[-1]:
        centre = ops.mean(mean, -1, keepdims=True)
        variance = ops.mean(variance + ops.square(mean - centre), -1, keepdims=True)
        mean = centre
    inverse = ops.rsqrt(variance + epsilon)
    scale = inverse * _grouped(gamma, groups)
    steep, shift = (_spread(values, x, groups) for values in (scale, _grouped(beta, groups) - mean * scale))
    return x * steep + shift, steep, mean, inverse


@cache
def _with_gradient(groups: int, epsilon: float):
    import tensorflow as tf

    @tf.custom_gradient
    def normalised(x, gamma, beta):
        made, scale, mean, inverse = _normalised(x, gamma, beta, groups, epsilon)

        def gradient(upstream):
            # With z = (x - M) / sqrt(S² + epsilon) and means over a group and all places:
            # dx = (gamma dy - mean(gamma dy) - z mean(gamma dy z)) / sqrt(S² + epsilon)
            sums, products = (_grouped(pixel_sum(values), groups) for values in (upstream, upstream * x))
            products = (products - mean * sums) * inverse
            factor, size = _grouped(gamma, groups), x.shape[-1] // groups
            share = inverse / ops.cast(size * math.prod(ops.shape(x)[1:-1]), x.dtype)
            steep = _group_sum(factor * products, size) * share * inverse
            shift = mean * steep - _group_sum(factor * sums, size) * share
            of_x = upstream * scale + (_spread(shift, x, groups) - x * _spread(steep, x, groups))
            return of_x, *(ops.reshape(ops.sum(of_case, 0), (-1,)) for of_case in (products, sums))

        return made, gradient

    return normalised


def _grouped(values, groups: int):
    """Values a channel, `(n, 1…, c)` or `(c,)`, as `(n, groups, c / groups)`; as they are where each is a group."""
    channels = values.shape[-1]
    return values if groups == channels else ops.reshape(values, (-1, groups, channels // groups))


def _group_sum(values, size: int):
    """Sum over the channels of each group of that size, given back to each of them."""
    return values if size == 1 else ops.matmul(values, ops.ones((1, size, size)))


def _spread(values, x, groups: int):
    """Values of `_grouped` as they are multiplied with x, `(n, 1…, c)`."""
    channels = x.shape[-1]
    return values if groups == channels else ops.reshape(values, (-1, *[1] * (len(x.shape) - 2), channels))
