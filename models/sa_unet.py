"""SA-UNet: structured dropout and spatial attention on the coarsest level."""

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.dropblock import DropBlock
from .parts.gates import spatial_gate
from .parts.layers import activate, conv, transposed_conv
from .parts.norm import normalise
from .parts.skeleton import assemble, doubled_widths
from .parts.style import Style


@MODELS.add
def sa_unet(
    task: Task, *, width: int = 16, depth: int = 3, dropblock: float = 0.1, normalisation: str = "batch"
) -> keras.Model:
    """SA-UNet: a small U-Net with DropBlock and spatial attention at the bottom (Guo et al. 2021, arXiv:2004.03696).

    537,299 trainable parameters from 3 channels to 1 output, 538,707 with running statistics (clguo/SA-UNet, Keras).
    dropblock: share of the pixels that training sets to zero in blocks of 7 after each convolution.
    Serves 2D and 3D. Edges are multiples of 2**depth.
    """
    if not 0 <= dropblock < 1:
        raise Unfit(f"dropblock is {dropblock}; it is a share from 0 to less than 1")
    widths = doubled_widths(width, depth)

    def unit(x, filters: int, style: Style):
        x = conv(x, filters)
        return activate(normalise(DropBlock(dropblock)(x) if dropblock else x, style), style.activation)

    def block(x, filters: int, style: Style):
        x = unit(x, filters, style)
        return unit(spatial_gate(x) if filters == widths[-1] else x, filters, style)

    def up(x, filters: int, stride: tuple[int, ...], style: Style):
        return transposed_conv(x, filters, stride, kernel=3)

    return assemble(task, widths, Style(normalisation), block=block, up=up)
