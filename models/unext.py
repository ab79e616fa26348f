"""UNeXt: convolutions on the fine levels, shifted perceptrons on the coarse ones; in two sizes."""

from typing import Any

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.centred import centred_conv
from .parts.fit import require_rank
from .parts.layers import activate, add, conv, flat_depthwise_conv, max_pool
from .parts.norm import normalise
from .parts.resampling import LinearUpsampling
from .parts.skeleton import image_input, logits, require_divisible
from .parts.style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

REACH = 2
"""Pixels to either side that channels are shifted."""


@MODELS.add
def unext(task: Task, *, widths: tuple[int, ...] = (16, 32, 128, 160, 256)) -> keras.Model:
    """UNeXt: convolutions and, on the two coarsest levels, shifted MLPs (Valanarasu & Patel 2022, arXiv:2203.04967).

    1,471,921 trainable parameters from 3 channels to 1 output (jeya-maria-jose/UNeXt-pytorch).
    widths: filters of three convolutional and two perceptron levels. Skips are added, not concatenated.
    Rank 2. Edges are multiples of 32. Raises Unfit for another number of levels.
    """
    require_rank(task, 2, "unext")
    if len(widths) != 5 or min(widths) < 1:
        raise Unfit(f"unext: widths {list(widths)} are not those of its five levels, each at least 1")
    style = Style("batch")
    image = image_input(task)
    x = require_divisible(image, [(2, 2)] * 5)
    skips = []
    for filters in widths[:3]:
        x = activate(max_pool(normalise(conv(x, filters), style)), "relu")
        skips.append(x)
    for filters in widths[3:]:
        x = _layer_norm(_shifted_mlp(_layer_norm(centred_conv(x, filters))))
        skips.append(x)
    x = skips.pop()
    for level in (3, 2, 1, 0):
        x = normalise(conv(x, widths[level]), style)
        x = add(activate(LinearUpsampling((2, 2))(x), "relu"), skips.pop())
        x = _layer_norm(_shifted_mlp(x)) if level > 1 else x
    x = activate(LinearUpsampling((2, 2))(conv(x, widths[0])), "relu")
    return keras.Model(image, logits(conv(x, task.outputs, 1)))


@MODELS.add
def unext_s(task: Task, *, widths: tuple[int, ...] = (8, 16, 32, 64, 128)) -> keras.Model:
    """UNeXt-S, of 8 to 128 filters (Valanarasu & Patel 2022, arXiv:2203.04967).

    253,561 trainable parameters from 3 channels to 1 output (jeya-maria-jose/UNeXt-pytorch).
    """
    return unext(task, widths=widths)


def _shifted_mlp(x):
    """Sum of x and a depthwise convolution between two pixel-wise layers, before each of which channels shift."""
    channels = x.shape[-1]
    hidden = conv(ChannelShift(1)(_layer_norm(x)), channels, 1)
    hidden = activate(flat_depthwise_conv(hidden, bias=True), "gelu")
    return add(x, conv(ChannelShift(2)(hidden), channels, 1))


def _layer_norm(x):
    return keras.layers.LayerNormalization(epsilon=1e-5)(x)


@keras.saving.register_keras_serializable(package="unetbench")
class ChannelShift(keras.layers.Layer):
    """Five groups of channels shifted by -2 … 2 pixels along an axis, zeros moving in.

    axis: of the tensor `(n, height, width, c)`, 1 or 2.
    """

    def __init__(self, axis: int, **options) -> None:
        super().__init__(**options)
        self.axis = axis
        self.window_size = tuple(2 * REACH + 1 if place == axis else 1 for place in (1, 2))

    def call(self, x):
        """Return `(n, *space, c)`."""
        channels, edge = x.shape[-1], ops.shape(x)[self.axis]
        share = -(-channels // (2 * REACH + 1))
        padding = [(0, 0)] * len(x.shape)
        padding[self.axis] = (REACH, REACH)
        padded, groups = ops.pad(x, padding), []
        for index, first in enumerate(range(0, channels, share)):
            cut: list[Any] = [slice(None)] * len(x.shape)
            cut[self.axis] = slice(2 * REACH - index, 2 * REACH - index + edge)
            cut[-1] = slice(first, first + share)
            groups.append(padded[tuple(cut)])
        return ops.concatenate(groups, -1)

    def compute_output_shape(self, input_shape):
        """Same as the input."""
        return input_shape

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "axis": self.axis}
