"""U-Lite: axial depthwise convolutions."""

import keras

from ..core.task import Task
from . import MODELS
from .parts.fit import require_rank
from .parts.layers import activate, add, concatenate, conv, flat_depthwise_conv, max_pool, nearest
from .parts.norm import normalise
from .parts.skeleton import doubled_widths, image_input, logits, require_divisible
from .parts.style import Style

REACH = 7
"""Taps of the axial convolutions of encoder and decoder."""


@MODELS.add
def u_lite(task: Task, *, width: int = 16, depth: int = 5, normalisation: str = "batch") -> keras.Model:
    """U-Lite: a U-Net of axial depthwise 7×1 and 1×7 and pointwise convolutions (Dinh et al. 2023, arXiv:2306.16103).

    878,417 trainable parameters from 3 channels to 1 output (duong-db/U-Lite). The skips are taken before the pointwise
    convolution widens them. Rank 2. Edges are multiples of 2**depth.
    """
    require_rank(task, 2, "u_lite")
    widths, style = doubled_widths(width, depth), Style(normalisation, "gelu")
    image = image_input(task)
    x = conv(require_divisible(image, [(2, 2)] * depth), width, REACH)
    skips = []
    for filters in widths[1:]:
        skips.append(normalise(_axial(x, REACH), style))
        x = activate(max_pool(conv(skips[-1], filters, 1)), style.activation)
    x = _bottom(x, style)
    for filters in reversed(widths[:-1]):
        x = normalise(conv(concatenate(nearest(x), skips.pop()), filters, 1), style)
        x = activate(conv(_axial(x, REACH), filters, 1), style.activation)
    return keras.Model(image, logits(conv(x, task.outputs, 1)))


def _bottom(x, style: Style):
    """Axial convolutions of three dilations side by side, on a quarter of the channels."""
    channels = x.shape[-1]
    narrow = conv(x, max(1, channels // 4), 1)
    joined = concatenate(narrow, *(_axial(narrow, 3, dilation) for dilation in (1, 2, 3)))
    return activate(conv(normalise(joined, style), channels, 1), style.activation)


def _axial(x, taps: int, dilation: int = 1):
    """Sum of x and a depthwise convolution along each axis."""
    sides = (flat_depthwise_conv(x, kernel, bias=True, dilation=dilation) for kernel in ((taps, 1), (1, taps)))
    return add(x, *sides)
