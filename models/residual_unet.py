"""The U-Net of residual units and strided convolutions."""

from typing import Any

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.centred import centred_conv, centred_transposed_conv
from .parts.layers import add, concatenate, conv, rank
from .parts.norm import normalise
from .parts.skeleton import doubled_widths, image_input, logits, require_divisible
from .parts.style import Style


@MODELS.add
def residual_unet(
    task: Task, *, width: int = 16, depth: int = 4, units: int = 2, normalisation: str = "batch", groups: int = 8
) -> keras.Model:
    """U-Net of residual units with PReLU and strided convolutions (Kerfoot et al. 2019, STACOM).

    doi:10.1007/978-3-030-12029-0_40. 4,808,917 trainable parameters from 1 channel to 2 outputs in 3D, as MONAI's UNet.
    The image is halved at once, so that no level has its full size. units: convolutions of a residual unit on the way
    down. Serves 2D and 3D. Edges are multiples of 2**depth. Raises Unfit without a unit.
    """
    if not isinstance(units, int) or units < 1:
        raise Unfit(f"residual_unet: units is {units!r}; a residual unit has at least 1 convolution")
    style, widths = Style(normalisation, groups=groups), doubled_widths(width, depth)
    image = image_input(task)
    levels = [require_divisible(image, [(2,) * task.rank] * depth)]
    for filters in widths[:-1]:
        levels.append(_residual(levels[-1], filters, units, style, stride=2))
    x = _residual(levels[-1], widths[-1], units, style)
    for features, filters in zip(reversed(levels[1:]), (*reversed(widths[:-2]), task.outputs), strict=True):
        last = filters == task.outputs and features is levels[1]
        x = _active(centred_transposed_conv(concatenate(features, x), filters), style)
        x = add(conv(x, filters), x) if last else _residual(x, filters, 1, style)
    return keras.Model(image, logits(x))


def prelu(x):
    """max(0, x) + a min(0, x) with one learned number a, which starts at 0.25 (He et al. 2015)."""
    start: Any = keras.initializers.Constant(0.25)
    return keras.layers.PReLU(start, shared_axes=tuple(range(1, rank(x) + 2)))(x)


def _active(x, style: Style):
    return prelu(normalise(x, style))


def _residual(x, filters: int, units: int, style: Style, *, stride: int = 1):
    shortcut = x
    if stride > 1:
        shortcut = centred_conv(x, filters, stride)
    elif x.shape[-1] != filters:
        shortcut = conv(x, filters, 1)
    for unit in range(units):
        x = _active(centred_conv(x, filters, 1 if unit else stride), style)
    return add(x, shortcut)
