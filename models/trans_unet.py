"""TransUNet, a ResNet with a transformer at its bottom, read by a convolutional decoder."""

import math
from typing import Any

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit, double_conv
from .parts.fit import require_rank
from .parts.layers import concatenate, conv
from .parts.resampling import LinearUpsampling
from .parts.resnet_v2 import resnet_v2
from .parts.skeleton import image_input, logits, require_divisible
from .parts.style import Style
from .parts.transformer import Attention, Positions, drop, embed, layer_norm, transformer_block

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

PATCH = 16
"""Edge in pixels of a token."""
EPSILON = 1e-6


@MODELS.add
def trans_unet(
    task: Task,
    *,
    width: int = 64,
    blocks: tuple[int, ...] = (3, 4, 9),
    hidden: int = 768,
    layers: int = 12,
    heads: int = 12,
    patch: tuple[int, ...] = (224, 224),
    dropout: float = 0.1,
) -> keras.Model:
    """TransUNet: a ResNet-50, a transformer of 12 layers on it, a U-Net's decoder (Chen et al. 2021, arXiv:2102.04306).

    R50-ViT-B/16: 105,275,921 trainable parameters from 3 channels to 1 output (Beckschen/TransUNet); the 105.32 million
    that papers quote are those of 9 outputs and a patch of 256². width: filters of the ResNet's first convolution, on
    which all of ResNet and decoder depends. blocks: bottlenecks of its three levels. patch: the training patch, for
    whose grid the positions are made; for an image of another size they are interpolated. Trained from scratch.
    Rank 2. Edges are multiples of 16. Raises Unfit for other than three levels, a width of less than 4, and heads that
    do not divide the hidden width.
    """
    require_rank(task, 2, "trans_unet")
    if len(blocks) != PATCH.bit_length() - 2 or min(blocks) < 1 or layers < 1 or width < 4:
        came = f"blocks {list(blocks)}, layers {layers}, width {width}"
        raise Unfit(f"trans_unet: {came}; it has three levels of at least 1 block, at least 1 layer, a width from 4")
    if hidden < 1 or heads < 1 or hidden % heads:
        raise Unfit(f"trans_unet: {hidden} hidden channels do not divide into {heads} heads; change hidden or heads")
    if len(patch) != 2 or any(edge % PATCH or edge < PATCH for edge in patch):
        raise Unfit(f"trans_unet: patch {list(patch)} is not one multiple of {PATCH} for each of 2 axes")
    style, dropout = Style("batch", bias=False), Style(dropout=dropout).dropout
    image = image_input(task)
    *skips, x = resnet_v2(require_divisible(image, [(PATCH, PATCH)]), width, blocks)
    x = drop(Positions([edge // PATCH for edge in patch])(embed(x, hidden, 1)), dropout)
    for _ in range(layers):
        x = transformer_block(x, Attention(heads), epsilon=EPSILON, dropout=dropout)
    x = conv_unit(layer_norm(x, EPSILON), 8 * width, style)
    for filters, skip in zip((4 * width, 2 * width, width, width // 4), (*reversed(skips), None), strict=True):
        raised = CornerUpsampling((2, 2))(x)
        x = double_conv(raised if skip is None else concatenate(raised, skip), filters, style)
    return keras.Model(image, logits(conv(x, task.outputs)))


@keras.saving.register_keras_serializable(package="unetbench")
class CornerUpsampling(LinearUpsampling):
    """Linear interpolation by whole factors that keeps the centres of the outermost pixels (`align_corners`)."""

    def call(self, x):
        """Return `(n, *space, c)` at `stride` times the size."""
        for axis, factor in enumerate(self.stride, 1):
            shape = ops.shape(x)
            edge, made = shape[axis], shape[axis] * factor
            step = (ops.cast(edge, "float32") - 1.0) / (ops.cast(made, "float32") - 1.0)
            distance = ops.expand_dims(_places(made) * step, 1) - _places(edge)
            shares = ops.cast(ops.relu(1.0 - ops.abs(distance)), x.dtype)
            lines = ops.reshape(x, (-1, edge, math.prod(shape[axis + 1 :])))
            x = ops.reshape(ops.matmul(shares, lines), (*shape[:axis], made, *shape[axis + 1 :]))
        return x


def _places(edge):
    return ops.cast(ops.arange(edge), "float32")
