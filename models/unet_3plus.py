"""UNet 3+, the U-Net of full-scale skips."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit, double_conv
from .parts.layers import concatenate, conv, max_pool
from .parts.pixel_sums import at_least_float32
from .parts.resampling import LinearUpsampling, pooled
from .parts.skeleton import doubled_widths, encode, image_input, logits, require_divisible
from .parts.style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

ABSENT = -10.0
"""Logit of every pixel of an image in which the classifier sees nothing: probability 5e-5."""


@MODELS.add
def unet_3plus(
    task: Task,
    *,
    width: int = 64,
    depth: int = 4,
    deep_supervision: bool = False,
    guided: bool = False,
    normalisation: str = "batch",
) -> keras.Model:
    """UNet 3+: a decoder level takes all finer encoder, coarser decoder levels (Huang et al. 2020, arXiv:2004.08790).

    Each of them is pooled or interpolated to the level's size and reduced to `width` filters; all are concatenated and
    mixed by one 3×3 unit. From 3 channels to 1 output 26,971,777 trainable parameters, 26,989,637 with deep
    supervision, 26,991,687 with the classification-guided module too (ZJUGiveLab/UNet-Version).
    deep_supervision: logits of all levels interpolated to the image's size, the finest first.
    guided: a classifier on the coarsest level decides whether the image holds the class at all; where not, its logits
        are -10. The decision is the larger of two scores as in the paper; its gradient is that of their softmax, so
        that it learns from the segmentation loss alone. For binary tasks.
    Serves 2D and 3D. Edges are multiples of 2**depth. Raises Unfit for a guided network of more than one class.
    """
    if guided and task.kind != "binary":
        raise Unfit(f"unet_3plus: guided decides on one class, the task has {task.outputs}; leave it off")
    widths, style = doubled_widths(width, depth), Style(normalisation)
    strides = [(2,) * task.rank] * depth
    image = image_input(task)
    encoded = encode(require_divisible(image, strides), widths, strides, style, block=double_conv, down=pooled)
    decoded = [encoded[-1]]
    for level in reversed(range(depth)):
        decoded.insert(0, _full_scale(encoded[: level + 1], decoded, width, style))
    heads = [conv(x, task.outputs) for x in (decoded if deep_supervision else decoded[:1])]
    heads = [_enlarged(head, level) for level, head in enumerate(heads)]
    if guided:
        gate = _Presence(name="presence")(conv(keras.layers.Dropout(0.5)(encoded[-1]), 2, 1))
        heads = [_Guided()([head, gate]) for head in heads]
    if not deep_supervision:
        return keras.Model(image, logits(heads[0]))
    return keras.Model(image, [logits(head, f"logits_{k}") for k, head in enumerate(heads, 1)])


def _full_scale(finer: Sequence[Any], coarser: Sequence[Any], width: int, style: Style):
    """The decoder's features at the level of the last of `finer`, which are the encoder's; `coarser` are decoded."""
    shrunk = [_shrunk(x, len(finer) - 1 - level) for level, x in enumerate(finer)]
    raised = [_enlarged(x, steps) for steps, x in enumerate(coarser, 1)]
    parts = [conv_unit(x, width, style) for x in shrunk + raised]
    return conv_unit(concatenate(*parts), width * len(parts), style)


def _shrunk(x, steps: int):
    return max_pool(x, 2**steps) if steps else x


def _enlarged(x, steps: int):
    return LinearUpsampling((2**steps,) * (len(x.shape) - 2))(x) if steps else x


@keras.saving.register_keras_serializable(package="unetbench")
class _Presence(keras.layers.Layer):
    """Class scores `(n, *space, 2)` to `(n, 1…, 1)`: 1 if the second's maximum over space is the larger, else 0."""

    window_size = math.inf

    def call(self, scores):
        peak = ops.max(at_least_float32(scores), tuple(range(1, len(scores.shape) - 1)), keepdims=True)
        soft = ops.softmax(peak, -1)[..., 1:]
        hard = ops.cast(soft > 0.5, soft.dtype)
        return soft + ops.stop_gradient(hard - soft)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(1,) * (len(input_shape) - 1))


@keras.saving.register_keras_serializable(package="unetbench")
class _Guided(keras.layers.Layer):
    """Logits where the class is present, ABSENT where not."""

    window_size = 1

    def call(self, inputs):
        head, gate = inputs
        return gate * at_least_float32(head) + (1 - gate) * ABSENT

    def compute_output_shape(self, input_shape):
        return input_shape[0]
