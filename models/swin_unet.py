"""Swin-Unet, a U-Net all of whose levels are Swin transformers."""

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.layers import concatenate, conv, rank
from .parts.skeleton import doubled_widths, image_input, logits, require_divisible
from .parts.style import Style
from .parts.swin import DepthToSpace, SpaceToDepth, WindowAttention
from .parts.transformer import dense, drop, embed, layer_norm, transformer_block

PATCH = 4
"""Edge in pixels of a token."""


@MODELS.add
def swin_unet(
    task: Task,
    *,
    width: int = 96,
    blocks: tuple[int, ...] = (2, 2, 2, 2),
    heads: int = 3,
    window: int = 7,
    dropout: float = 0.0,
    depth_dropout: float = 0.2,
) -> keras.Model:
    """Swin-Unet: a U-Net of window attention alone, tokens of 4² pixels (Cao et al. 2021, arXiv:2105.05537).

    27,168,132 parameters from 3 channels to 1 output, 27,168,900 to the 9 of the paper (HuCaoFighting/Swin-Unet).
    width: of the first level, doubled with the heads at every level; blocks: of each level, in encoder and decoder
    alike, every second with shifted windows. depth_dropout: share of the cases for which training leaves out a summand
    of the last block, less in those before. Skips take what comes into a level. Trained from scratch. Serves 2D and 3D.
    Edges are multiples of 32 with four levels; those of 32 windows (224, 256 with window=8) need no filling up.
    Raises Unfit for less than two levels, an empty one, or a width that does not divide into the heads.
    """
    if len(blocks) < 2 or min(blocks) < 1 or heads < 1 or width % heads:
        shape = f"blocks {list(blocks)}, width {width}, heads {heads}"
        raise Unfit(f"swin_unet: {shape}: two levels of at least 1 block, and heads that divide the width")
    widths, dropout, most = (
        doubled_widths(width, len(blocks) - 1),
        Style(dropout=dropout).dropout,
        Style(dropout=depth_dropout),
    )

    def stage(x, level: int):
        before, last = sum(blocks[:level]), max(1, sum(blocks) - 1)
        for number in range(blocks[level]):
            attention = WindowAttention(heads * 2**level, window, shifted=number % 2 == 1)
            share = most.dropout * (before + number) / last
            x = transformer_block(x, attention, dropout=dropout, depth_dropout=share)
        return x

    image = image_input(task)
    x = require_divisible(image, [(PATCH,) * task.rank, *[(2,) * task.rank] * (len(blocks) - 1)])
    x = drop(layer_norm(embed(x, width, PATCH)), dropout)
    skips = []
    for level, filters in enumerate(widths[1:]):
        skips.append(x)
        x = dense(layer_norm(SpaceToDepth(2)(stage(x, level))), filters, bias=False)
    x = layer_norm(stage(x, len(blocks) - 1))
    for level in reversed(range(len(skips))):
        x = stage(dense(concatenate(_raised(x, 2, widths[level]), skips[level]), widths[level]), level)
    x = _raised(layer_norm(x), PATCH, width)
    return keras.Model(image, logits(conv(x, task.outputs, 1, bias=False)))


def _raised(x, growth: int, filters: int):
    return layer_norm(DepthToSpace(growth)(dense(x, growth ** rank(x) * filters, bias=False)))
