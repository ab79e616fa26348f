"""TinyU-Net: cascaded depthwise convolutions."""

from typing import Any

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit
from .parts.layers import add, concatenate, depthwise_conv
from .parts.norm import normalise
from .parts.resampling import LinearUpsampling
from .parts.skeleton import assemble, doubled_widths
from .parts.style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

STEPS = 8
"""Parts of a block's width: each is one depthwise convolution further than the one before."""


@MODELS.add
def tiny_unet(task: Task, *, width: int = 64, depth: int = 4) -> keras.Model:
    """TinyU-Net: blocks of cascaded depthwise convolutions on a sixteenth of the width (Chen et al. 2024).

    481,170 trainable parameters from 3 channels to 2 outputs (ChenJunren-Lab/TinyU-Net).
    What was pooled last meets the deepest skip without a block between. Up-sampling is linear, the reference's bicubic.
    Serves 2D and 3D. Edges are multiples of 2**depth. Raises Unfit for a width that 16 does not divide.
    """
    if not isinstance(width, int) or width % (2 * STEPS):
        raise Unfit(f"tiny_unet: width is {width!r}; it is a multiple of {2 * STEPS}, the parts of a block")
    # The coarsest level has no filters of its own: what was pooled goes up again.
    widths = (*doubled_widths(width, depth)[:-1], 0)

    def block(x, filters: int, style: Style):
        return _cascade(x, filters, style) if filters else x

    def up(x, filters: int, stride: tuple[int, ...], style: Style):
        return LinearUpsampling(stride)(x)

    return assemble(task, widths, Style("batch", "gelu", bias=False), block=block, up=up)


def _cascade(x, filters: int, style: Style):
    """Half the narrow features go through a chain of depthwise convolutions, whose every state is kept."""
    even, odd = ops.split(conv_unit(x, filters // STEPS, style, kernel=1), 2, axis=-1)
    parts = [add(even, odd)]
    for _ in range(STEPS - 1):
        odd = normalise(depthwise_conv(odd), style)
        parts.append(odd)
    return conv_unit(concatenate(*parts), filters, style, kernel=1)
