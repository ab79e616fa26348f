"""The ResNet below hybrid vision transformers: standardised kernels, each convolution followed by normalised groups."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from .batch_norm import fused_batch_norm
from .biased import Conv2D
from .group_norm import GroupNorm
from .layers import KERNEL, activate, add, subsample
from .pixel_sums import at_least_float32

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

GROUPS = 32
"""Of a normalisation, or as many of them as divide the width."""
EPSILON = 1e-6
KERNEL_EPSILON = 1e-5


def resnet_v2(x, width: int, blocks: Sequence[int]) -> list[keras.KerasTensor]:
    """Features of `(n, h, w, c)` at half, a quarter … of its size, finest first (Kolesnikov et al., arXiv:1912.11370).

    width: of the 7×7 convolution at half the size. blocks: bottlenecks of each level below, the first of which has
    4 width channels, the others twice those of the one before. The 3×3 pooling looks at whole windows only, so that the
    first level below has an edge less than a quarter; zeros fill it up in what is returned.
    """
    x = activate(_normalised(standardised_conv(x, width, 7, 2)), "relu")
    levels, x = [x], keras.layers.MaxPooling2D(3, 2)(x)
    for level, count in enumerate(blocks):
        for number in range(count):
            x = _bottleneck(x, width * 2**level, 2 if level and not number else 1)
        levels.append(x if level else keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
    return levels


def standardised_conv(x, filters: int, kernel: int = 1, stride: int = 1):
    """Convolution with a standardised odd kernel around every `stride`-th pixel, without bias."""
    if kernel > 1:
        x = keras.layers.ZeroPadding2D(kernel // 2)(x)
    elif stride > 1:
        x, stride = subsample(x, stride), 1
    return StandardisedConv2D(filters, kernel, stride, use_bias=False, kernel_initializer=KERNEL)(x)


@keras.saving.register_keras_serializable(package="unetbench")
class StandardisedConv2D(Conv2D):
    """Convolution whose filters have mean 0 and variance 1 (Qiao et al. 2019, arXiv:1903.10520).

    The kernel is (w - mean w) / sqrt(var w + 1e-5), mean and variance taken over each filter, in float32. In training
    TensorFlow computes it as the batch normalisation of an image whose pixels are the taps, which is less to trace.
    """

    def convolution_op(self, inputs, kernel):
        """Return the convolution with the standardised kernel."""
        kernel = at_least_float32(kernel)
        mean, variance = ops.moments(kernel, (0, 1, 2), keepdims=True)
        kernel = (kernel - mean) * ops.rsqrt(variance + KERNEL_EPSILON)
        return super().convolution_op(inputs, ops.cast(kernel, inputs.dtype))

    def product(self, x):
        """The same in training."""
        if keras.backend.backend() != "tensorflow":
            return super().product(x)
        kernel = ops.cast(self.kernel, "float32")
        shape, filters = ops.shape(kernel), kernel.shape[-1]
        taps, scale, offset = ops.reshape(kernel, (1, -1, 1, filters)), ops.ones(filters), ops.zeros(filters)
        kernel = ops.reshape(fused_batch_norm(taps, scale, offset, KERNEL_EPSILON)[0], shape)
        return super().convolution_op(x, ops.cast(kernel, x.dtype))


def _bottleneck(x, width: int, stride: int):
    start = x
    if stride > 1 or start.shape[-1] != 4 * width:
        start = standardised_conv(x, 4 * width, 1, stride)
        start = GroupNorm(4 * width, epsilon=1e-5)(start)
    x = activate(_normalised(standardised_conv(x, width)), "relu")
    x = activate(_normalised(standardised_conv(x, width, 3, stride)), "relu")
    return activate(add(start, _normalised(standardised_conv(x, 4 * width))), "relu")


def _normalised(x):
    return GroupNorm(math.gcd(GROUPS, x.shape[-1]), epsilon=EPSILON)(x)
