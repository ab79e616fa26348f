"""V-Net."""

import math

import keras

from ..core.task import Task
from . import MODELS
from .parts.layers import activate, add, concatenate, conv, rank, transposed_conv
from .parts.norm import normalise
from .parts.skeleton import doubled_widths, image_input, logits, require_divisible
from .parts.style import Style

CONVOLUTIONS_DOWN, CONVOLUTIONS_UP = (1, 2, 3, 2), (1, 1, 2, 2)
"""5×5×5 units of each level below the finest, fine to coarse, and of each level of the decoder."""


@MODELS.add
def vnet(task: Task, *, width: int = 16, dropout: float = 0.5, bias: bool = True) -> keras.Model:
    """V-Net, 5×5×5 convolutions with a residual around every level (Milletari et al. 2016, arXiv:1606.04797).

    45,600,316 trainable parameters from 1 channel to 2 outputs in 3D, as in black0017/MedicalZooPytorch; without `bias`
    the network of MONAI. Batch normalisation and ELU; whole channels are dropped on the skips and in the two coarsest
    levels. Serves 2D and 3D. Edges are multiples of 16.
    """
    style = Style("batch", "elu", bias=bias, dropout=dropout)
    widths = doubled_widths(width, len(CONVOLUTIONS_DOWN))
    image = image_input(task)
    x = require_divisible(image, [(2,) * task.rank] * len(CONVOLUTIONS_DOWN))
    levels = [activate(add(_unit(x, width, style), _repeated(x, width)), "elu")]
    for level, (filters, count) in enumerate(zip(widths[1:], CONVOLUTIONS_DOWN, strict=True)):
        levels.append(_down(levels[-1], filters, count, style, drop=level >= 2))
    x = levels[-1]
    for level in reversed(range(len(CONVOLUTIONS_UP))):
        x = _up(x, levels[level], 2 * widths[level], CONVOLUTIONS_UP[level], style, drop=level >= 2)
    x = activate(_unit(x, task.outputs, style), "elu")
    return keras.Model(image, logits(conv(x, task.outputs, 1)))


def _unit(x, filters: int, style: Style):
    return normalise(conv(x, filters, 5, bias=style.bias), style)


def _units(x, count: int, style: Style):
    start = x
    for _ in range(count):
        x = activate(_unit(x, x.shape[-1], style), style.activation)
    return activate(add(x, start), style.activation)


def _repeated(x, filters: int):
    copies = [x] * math.ceil(filters / x.shape[-1])
    return concatenate(*copies)[..., :filters] if len(copies) > 1 else x[..., :filters]


def _down(x, filters: int, count: int, style: Style, *, drop: bool):
    reduced = conv(x, filters, 2, stride=2, bias=style.bias)
    start = activate(normalise(reduced, style), style.activation)
    x = _drop(start, style) if drop else start
    for _ in range(count):
        x = activate(_unit(x, filters, style), style.activation)
    return activate(add(x, start), style.activation)


def _up(x, features, filters: int, count: int, style: Style, *, drop: bool):
    x = _drop(x, style) if drop else x
    raised = activate(normalise(transposed_conv(x, filters // 2), style), style.activation)
    return _units(concatenate(raised, _drop(features, style)), count, style)


def _drop(x, style: Style):
    layer = {2: keras.layers.SpatialDropout2D, 3: keras.layers.SpatialDropout3D}[rank(x)]
    return layer(style.dropout)(x) if style.dropout else x
