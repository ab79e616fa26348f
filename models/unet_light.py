"""The light U-Nets of separable convolutions, at three widths."""

import keras

from ..core.task import Task
from . import MODELS
from .parts.blocks import separable_conv
from .parts.layers import lazy_concatenate
from .parts.resampling import upsampling as way_up
from .parts.skeleton import assemble, doubled_widths
from .parts.style import Style


@MODELS.add
def unet_light(
    task: Task,
    *,
    width: int = 64,
    depth: int = 4,
    normalisation: str = "none",
    upsampling: str = "transposed",
    dropout: float = 0.0,
    groups: int = 8,
) -> keras.Model:
    """U-Net of depthwise-separable convolutions with 2×2 up-convolutions (Howard et al. 2017, arXiv:1704.04861).

    5,982,364 parameters from 3 channels to 1 output at width 64, 1,510,492 at width 32: a fifth of the plain U-Net's.
    """
    style = Style(normalisation, bias=normalisation == "none", dropout=dropout, groups=groups)
    return assemble(
        task, doubled_widths(width, depth), style, block=separable_conv, up=way_up(upsampling), join=lazy_concatenate
    )


@MODELS.add
def unet_light_half(task: Task, *, depth: int = 4, normalisation: str = "none", dropout: float = 0.0) -> keras.Model:
    """Light U-Net of 32 to 512 filters, depthwise-separable (Howard et al. 2017, arXiv:1704.04861).

    1,510,492 parameters from 3 channels to 1 output.
    """
    return unet_light(task, width=32, depth=depth, normalisation=normalisation, dropout=dropout)


@MODELS.add
def unet_light_quarter(task: Task, *, depth: int = 4, normalisation: str = "none", dropout: float = 0.0) -> keras.Model:
    """Light U-Net of 16 to 256 filters, depthwise-separable (Howard et al. 2017, arXiv:1704.04861).

    385,084 parameters from 3 channels to 1 output.
    """
    return unet_light(task, width=16, depth=depth, normalisation=normalisation, dropout=dropout)
