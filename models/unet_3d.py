"""The 3D U-Net."""

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .blocks import double_conv, widening_conv
from .layers import transposed_conv
from .skeleton import assemble, doubling
from .style import Style


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
    widths = doubling(width, depth)
    if width % 2:
        raise Unfit(f"unet_3d needs an even width, for its first convolution has half of it; came {width}")
    style = Style(normalisation, dropout=dropout, groups=groups)
    return assemble(task, widths, style, block=widening_conv, decoder_block=double_conv, up=_keeping)


def _keeping(x, filters: int, stride: tuple[int, ...], style: Style):
    return transposed_conv(x, x.shape[-1], stride, bias=False)
