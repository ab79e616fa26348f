"""The 3D U-Net."""

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit, dropped, widening_conv
from .parts.joined_conv import JoinedConv
from .parts.layers import activate
from .parts.norm import normalise
from .parts.resampling import pooled
from .parts.skeleton import doubled_widths, encode, finest_head, image_input, require_divisible
from .parts.style import Style


@MODELS.add
def unet_3d(
    task: Task, *, width: int = 64, depth: int = 3, normalisation: str = "batch", dropout: float = 0.0, groups: int = 8
) -> keras.Model:
    """3D U-Net that widens before it pools and keeps its width going up (Çiçek et al. 2016, arXiv:1606.06650).

    19,069,955 parameters from 3 channels to 3 outputs, normalisation not counted. Edges are multiples of 2**depth.
    Raises Unfit in 2D and for an odd width.
    """
    if task.rank != 3:
        raise Unfit(f"unet_3d needs rank 3, the task has rank {task.rank}; unet serves both")
    widths = doubled_widths(width, depth)
    if width % 2:
        raise Unfit(f"unet_3d needs an even width, for its first convolution has half of it; came {width}")
    style = Style(normalisation, dropout=dropout, groups=groups)
    image, stride = image_input(task), (2, 2, 2)
    steps = [stride] * depth
    levels = encode(require_divisible(image, steps), widths, steps, style, block=widening_conv, down=pooled)
    x = levels[-1]
    for features, filters in zip(levels[-2::-1], widths[-2::-1], strict=True):
        x = JoinedConv(filters, stride, use_bias=style.bias)([features, x])
        x = activate(normalise(x, style), style.activation)
        x = dropped(conv_unit(x, filters, style), style)
    return keras.Model(image, finest_head([x], task.outputs, style))
