"""Attention U-Net with strided convolutions, as MONAI builds it."""

import keras

from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit, double_conv
from .parts.centred import centred_conv, centred_transposed_conv
from .parts.gates import additive_gate
from .parts.layers import activate, conv
from .parts.norm import normalise, standardise
from .parts.skeleton import decode, doubled_widths, finest_head, image_input, require_divisible
from .parts.style import Style
from .residual_unet import prelu


@MODELS.add
def attention_unet_monai(task: Task, *, width: int = 64, depth: int = 4) -> keras.Model:
    """Attention U-Net with strided convolutions down and 3×3 transposed ones up (Oktay et al. 2018, arXiv:1804.03999).

    MONAI's network: batch normalisation, one convolution with instance normalisation and PReLU after each skip;
    31,740,337 trainable parameters from 3 channels to 1 output in 2D. Serves 2D and 3D. Edges are multiples of
    2**depth.
    """
    style, widths, strides = Style("batch"), doubled_widths(width, depth), [(2,) * task.rank] * depth
    image = image_input(task)
    levels = [double_conv(require_divisible(image, strides), width, style)]
    for filters in widths[1:]:
        x = activate(normalise(centred_conv(levels[-1], filters), style), "relu")
        levels.append(conv_unit(x, filters, style))
    levels = decode(levels, widths, strides, style, block=_merge, up=_up, skip=additive_gate)
    return keras.Model(image, finest_head(levels, task.outputs, style))


def _up(x, filters: int, stride: tuple[int, ...], style: Style):
    return activate(normalise(centred_transposed_conv(x, filters), style), "relu")


def _merge(x, filters: int, style: Style):
    return prelu(standardise(conv(x, filters)))
