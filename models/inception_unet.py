"""U-Net of inception modules."""

import keras

from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit
from .parts.layers import concatenate, conv, max_pool, nearest
from .parts.norm import normalise
from .parts.skeleton import assemble, doubled_widths, logits
from .parts.style import Style


@MODELS.add
def inception_unet(task: Task, *, width: int = 32, depth: int = 4, normalisation: str = "batch") -> keras.Model:
    """U-Net of inception modules, four towers side by side (Cahall et al. 2019, doi:10.3389/fncom.2019.00044).

    The towers are a 1×1 convolution, a 1×1 and a 3×3, a 1×1 and two 3×3, a pooling and a 1×1, each of the level's
    filters. A skip joins after the module of its decoder level, so that the next finer one is the first to see it.
    18,065,091 trainable parameters from 1 channel to 1 output, 18,082,757 with running statistics
    (danielenricocahall/Keras-UNet). width: filters of a tower on the first level. Serves 2D and 3D. Edges are
    multiples of 2**depth.
    """

    def up(x, filters: int, stride: tuple[int, ...], style: Style):
        return _inception(nearest(x, stride), filters, style)

    def joined(x, filters: int, style: Style):
        return x

    def head(levels, outputs: int, style: Style):
        return logits(normalise(conv(levels[0], outputs, 1), style))

    options = {"block": _inception, "decoder_block": joined, "up": up, "head": head}
    return assemble(task, doubled_widths(width, depth), Style(normalisation), **options)


def _inception(x, filters: int, style: Style):
    middle = conv_unit(conv_unit(x, filters, style, kernel=1), filters, style)
    wide = conv_unit(conv(conv_unit(x, filters, style, kernel=1), filters), filters, style)
    pooled = conv_unit(max_pool(x, 1, window=3), filters, style, kernel=1)
    return concatenate(conv_unit(x, filters, style, kernel=1), middle, wide, pooled)
