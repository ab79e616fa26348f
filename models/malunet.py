"""MALUNet: dilated gated attention and bridges of spatial and channel attention."""

import math
from typing import Any

import keras

from ..core.task import Task
from . import MODELS
from .ege_unet import descend, require_quarters
from .parts.fit import require_rank
from .parts.gates import ChannelSummary
from .parts.layers import activate, add, concatenate, conv, conv_layer, flat_depthwise_conv, global_mean, multiply
from .parts.norm import normalise
from .parts.pixel_sums import at_least_float32, pixel_sum
from .parts.resampling import LinearUpsampling
from .parts.skeleton import image_input, logits
from .parts.style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

RATES = (7, 5, 2, 1)
"""Dilations of the four groups of channels."""

STYLE = Style("group", "gelu", groups=4)


@MODELS.add
def malunet(task: Task, *, widths: tuple[int, ...] = (8, 16, 24, 32, 48, 64)) -> keras.Model:
    """MALUNet: gated and external attention, skips weighed together (Ruan et al. 2022, arXiv:2211.01784).

    177,943 trainable parameters from 3 channels to 1 output (JCruan519/MALUNet). widths: filters of six levels,
    multiples of 4. Skips are added. Interpolation keeps pixel centres, where the reference aligns corners.
    Rank 2. Edges are multiples of 32. Raises Unfit for other widths.
    """
    require_rank(task, 2, "malunet")
    require_quarters(widths, "malunet")
    image = image_input(task)
    encoded = descend(image, widths, STYLE, coarse=_attended)
    x = activate(_attended(encoded[-1], widths[5]), "gelu")
    skips = _bridged(encoded)
    for level in (4, 3, 2, 1, 0):
        x = _external(_gated(x, widths[level])) if level > 1 else conv(x, widths[level])
        x = normalise(x, STYLE)
        x = add(activate(LinearUpsampling((2, 2))(x) if level < 4 else x, "gelu"), skips[level])
    return keras.Model(image, logits(LinearUpsampling((2, 2))(conv(x, task.outputs, 1))))


def _attended(x, filters: int):
    return _gated(_external(x), filters)


def _gated(x, filters: int):
    """Quarters convolved at four dilations, then a product of two separable convolutions as a gate."""
    quarters = zip(ops.split(x, 4, axis=-1), RATES, strict=True)
    mixed = concatenate(*(flat_depthwise_conv(quarter, bias=True, dilation=rate) for quarter, rate in quarters))
    x = activate(conv(normalise(mixed, STYLE), x.shape[-1], 1), "gelu")
    gate = multiply(activate(_separable(x, x.shape[-1], 3), "sigmoid"), activate(_separable(x, x.shape[-1], 5), "gelu"))
    return add(activate(_separable(gate, filters, 3), "gelu"), conv(x, filters, 1))


def _separable(x, filters: int, kernel: int):
    return conv(normalise(flat_depthwise_conv(x, kernel, bias=True), STYLE), filters, 1)


def _external(x):
    """External attention: pixels attend to four learned keys a channel (Guo et al. 2021, arXiv:2105.02358)."""
    channels = x.shape[-1]
    attention = DoubleSoftmax()(conv(conv(x, channels, 1), 4 * channels, 1, bias=False))
    made = conv(conv(attention, channels, 1, bias=False), channels, 1, bias=False)
    return activate(add(normalise(made, STYLE), x), "gelu")


def _bridged(levels: list) -> list:
    """Every level weighed over space by one shared convolution, then over channels by the means of all levels."""
    shared = conv_layer(2, 1, 7, dilation=3)
    spatial = [multiply(x, activate(shared(ChannelSummary()(x)), "sigmoid")) for x in levels]
    levels = [add(x, weighed) for x, weighed in zip(levels, spatial, strict=True)]
    means = concatenate(*(global_mean(x) for x in levels))
    row = keras.layers.Reshape((means.shape[-1], 1))(means)
    row = keras.layers.Conv1D(1, 3, padding="same", use_bias=False)(row)
    means = keras.layers.Reshape((1, 1, means.shape[-1]))(row)
    channel = [multiply(x, activate(conv(means, x.shape[-1], 1), "sigmoid")) for x in levels]
    return [add(*pair) for pair in zip(channel, spatial, strict=True)]


@keras.saving.register_keras_serializable(package="unetbench")
class DoubleSoftmax(keras.layers.Layer):
    """Softmax over space, then each pixel divided by its sum over channels: `(n, *space, c)` to the same shape."""

    window_size = math.inf

    def call(self, scores):
        """Return the attention, computed in float32 at least, in the compute dtype."""
        x = at_least_float32(scores)
        space = tuple(range(1, len(x.shape) - 1))
        x = ops.exp(x - ops.max(x, space, keepdims=True))
        x = x / pixel_sum(x)
        return ops.cast(x / (ops.sum(x, -1, keepdims=True) + 1e-9), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Same as the input."""
        return input_shape
