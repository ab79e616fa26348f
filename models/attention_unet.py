"""U-Nets whose skips pass an attention gate."""

import keras

from ..core.task import Task
from . import MODELS
from .parts.gates import additive_gate
from .parts.layers import lazy_concatenate
from .parts.resampling import repeated_unit
from .parts.skeleton import assemble, doubled_widths
from .parts.style import Style


@MODELS.add
def attention_unet(
    task: Task, *, width: int = 64, depth: int = 4, normalisation: str = "batch", dropout: float = 0.0
) -> keras.Model:
    """U-Net whose skips pass an additive attention gate (Oktay et al. 2018, arXiv:1804.03999).

    34,878,573 trainable parameters from 3 channels to 1 output (LeeJunHyun/Image_Segmentation), where the gating signal
    is the up-sampled one, of the skip's own size. Serves 2D and 3D. Edges are multiples of 2**depth.
    """
    style = Style(normalisation, dropout=dropout)
    return assemble(
        task, doubled_widths(width, depth), style, up=repeated_unit, skip=additive_gate, join=lazy_concatenate
    )
