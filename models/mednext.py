"""MedNeXt, a U-Net of inverted bottlenecks."""

from typing import Any

import keras

from ..core.errors import Unfit, unknown
from ..core.task import Task
from . import MODELS
from .parts.layers import add, conv, depthwise_conv, rank
from .parts.norm import normalise
from .parts.skeleton import doubled_widths, image_input, logits, require_divisible
from .parts.style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

DEPTH = 4
SIZES = {
    "S": ((2, 2, 2, 2, 2, 2, 2, 2, 2), (2, 2, 2, 2, 2, 2, 2, 2, 2)),
    "B": ((2, 3, 4, 4, 4, 4, 4, 3, 2), (2, 2, 2, 2, 2, 2, 2, 2, 2)),
    "M": ((2, 3, 4, 4, 4, 4, 4, 3, 2), (3, 4, 4, 4, 4, 4, 4, 4, 3)),
    "L": ((3, 4, 8, 8, 8, 8, 8, 4, 3), (3, 4, 8, 8, 8, 8, 8, 4, 3)),
}
"""Expansion ratios and numbers of blocks along the encoder, the coarsest level and the decoder."""


@MODELS.add
def mednext(task: Task, *, size: str = "S", width: int = 32, kernel: int = 3) -> keras.Model:
    """MedNeXt, ConvNeXt blocks in encoder, decoder and resampling (Roy et al. 2023, arXiv:2303.09975).

    In 3D from 1 channel to 2 outputs 5,550,914 (S), 10,526,306 (B), 17,548,962 (M) and 61,779,266 (L) trainable
    parameters: one less than MIC-DKFZ/MedNeXt, whose code has a dummy one. A block is a depthwise convolution,
    instance normalisation and two 1×1 convolutions around GELU; skips are added. Serves 2D and 3D. Edges are multiples
    of 16. Raises Unfit for another size or an even kernel.
    """
    if size not in SIZES:
        raise Unfit(unknown("mednext: size", str(size), SIZES))
    if not isinstance(kernel, int) or kernel % 2 == 0 or kernel < 1:
        raise Unfit(f"mednext: kernel is {kernel!r}; it is an odd number of pixels")
    ratios, counts = SIZES[size]
    widths, style = doubled_widths(width, DEPTH), Style("instance")
    image = image_input(task)
    x = conv(require_divisible(image, [(2,) * task.rank] * DEPTH), width, 1)
    levels = []
    for level in range(DEPTH):
        levels.append(_blocks(x, ratios[level], counts[level], kernel, style))
        x = _down(levels[-1], widths[level + 1], ratios[level + 1], kernel, style)
    x = _blocks(x, ratios[DEPTH], counts[DEPTH], kernel, style)
    for level, ratio, count in zip(reversed(range(DEPTH)), ratios[DEPTH + 1 :], counts[DEPTH + 1 :], strict=True):
        raised = _up(x, widths[level], ratio, kernel, style)
        x = _blocks(add(levels[level], raised), ratio, count, kernel, style)
    return keras.Model(image, logits(conv(x, task.outputs, 1)))


@keras.saving.register_keras_serializable(package="unetbench")
class Spaced(keras.layers.Layer):
    """Zeros between neighbouring pixels: `(n, *space, c)` to `(n, *(2 space - 1), c)`.

    A depthwise convolution of it is the transposed depthwise convolution of stride 2.
    """

    growth = 2
    channelwise = True

    def call(self, x):
        """Return the image with zeros in between."""
        for axis in range(1, len(x.shape) - 1):
            shape = ops.shape(x)
            pairs = ops.stack([x, ops.zeros_like(x)], axis + 1)
            row = ops.reshape(pairs, (*shape[:axis], 2 * shape[axis], *shape[axis + 1 :]))
            x = row[(slice(None),) * axis + (slice(0, -1),)]
        return x

    def compute_output_shape(self, input_shape):
        """Edges 2 s - 1; unknown ones stay unknown."""
        return (input_shape[0], *(edge and 2 * edge - 1 for edge in input_shape[1:-1]), input_shape[-1])


def _blocks(x, ratio: int, count: int, kernel: int, style: Style):
    for _ in range(count):
        x = add(x, _bottleneck(depthwise_conv(x, kernel, bias=True), x.shape[-1], ratio, style))
    return x


def _bottleneck(x, filters: int, ratio: int, style: Style):
    wide = keras.layers.Activation("gelu")(conv(normalise(x, style), ratio * x.shape[-1], 1))
    return conv(wide, filters, 1)


def _down(x, filters: int, ratio: int, kernel: int, style: Style):
    every_other = {2: keras.layers.AveragePooling2D, 3: keras.layers.AveragePooling3D}[rank(x)](1, 2)
    reduced = _bottleneck(every_other(depthwise_conv(x, kernel, bias=True)), filters, ratio, style)
    return add(reduced, conv(every_other(x), filters, 1))


def _up(x, filters: int, ratio: int, kernel: int, style: Style):
    spaced = Spaced()(x)
    raised = _bottleneck(depthwise_conv(spaced, kernel, bias=True), filters, ratio, style)
    # A transposed convolution of one tap and stride 2 would do, but its gradient aborts TensorFlow 2.21 on CPU.
    raised = add(raised, conv(spaced, filters, 1))
    # 2 s - 1 pixels become 2 s by zeros before the first, which is where the reference has them.
    pad = {2: keras.layers.ZeroPadding2D, 3: keras.layers.ZeroPadding3D}[rank(x)]
    return pad(((1, 0),) * rank(x))(raised)
