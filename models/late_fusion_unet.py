"""U-Net with an encoder for each modality."""

from itertools import accumulate
from typing import Any

import keras

from ..core.errors import Unfit, unknown
from ..core.task import Task
from . import MODELS
from .parts.blocks import double_conv
from .parts.layers import concatenate, conv, lazy_concatenate
from .parts.resampling import pooled
from .parts.resampling import upsampling as way_up
from .parts.skeleton import decode, doubled_widths, encode, finest_head, image_input, plain_skip, require_divisible
from .parts.style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

FUSIONS = {
    "concatenate": lambda features: conv(concatenate(*features), features[0].shape[-1], 1),
    "mean": lambda features: keras.layers.Average()(features),
    "max": lambda features: keras.layers.Maximum()(features),
}


@MODELS.add
def late_fusion_unet(
    task: Task,
    *,
    width: int = 64,
    depth: int = 4,
    fusion: str = "concatenate",
    normalisation: str = "none",
    activation: str = "relu",
    upsampling: str = "transposed",
    dropout: float = 0.0,
    groups: int = 8,
) -> keras.Model:
    """U-Net with an encoder a modality, fused at every level as in U-HeMIS (Dorent et al. 2019, arXiv:1907.11150).

    52,668,097 parameters from two modalities of 1 channel to 1 output, by arithmetic: the U-Net of Ronneberger et al.,
    a second encoder, and five fusions. With a task of one modality it is that U-Net, `unet` with the same options.
    fusion: `concatenate` and a 1×1 convolution to the width of the level; `mean` (of HeMIS without its variance, Havaei
    et al. 2016, arXiv:1607.05194) or `max` of the encoders' features, which add no parameters. The encoder of a
    modality that is missing sees zeros and takes part. Edges are multiples of 2**depth. Raises Unfit for an unknown
    fusion.
    """
    if fusion not in FUSIONS:
        raise Unfit(unknown("late_fusion_unet: fusion", str(fusion), FUSIONS))
    widths, strides = doubled_widths(width, depth), [(2,) * task.rank] * depth
    style = Style(normalisation, activation, bias=normalisation == "none", dropout=dropout, groups=groups)
    image = image_input(task)
    seen = require_divisible(image, strides)
    stops = list(accumulate(task.parts))[:-1]
    modalities = ops.split(seen, stops, axis=-1) if stops else [seen]
    encoded = [encode(one, widths, strides, style, block=double_conv, down=pooled) for one in modalities]
    levels = [FUSIONS[fusion](list(level)) if stops else level[0] for level in zip(*encoded, strict=True)]
    way = {"block": double_conv, "up": way_up(upsampling), "skip": plain_skip, "join": lazy_concatenate}
    return keras.Model(image, finest_head(decode(levels, widths, strides, style, **way), task.outputs, style))
