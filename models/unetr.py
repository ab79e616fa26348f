"""UNETR, a transformer read by a convolutional decoder."""

from collections.abc import Sequence

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.layers import add, concatenate, conv, transposed_conv
from .parts.norm import standardise
from .parts.skeleton import doubled_widths, image_input, logits, require_divisible
from .parts.style import Style
from .parts.transformer import Attention, Positions, embed, layer_norm, transformer_block

PATCH = 16
"""Edge in pixels of a token."""
SLOPE = 0.01
"""Of the leaky ReLU below zero."""


@MODELS.add
def unetr(
    task: Task,
    *,
    width: int = 16,
    hidden: int = 768,
    layers: int = 12,
    heads: int = 12,
    patch: tuple[int, ...] = (),
    dropout: float = 0.0,
) -> keras.Model:
    """UNETR, a transformer on 16³ patches read by a convolutional decoder (Hatamizadeh et al. 2021, arXiv:2103.10504).

    The decoder of residual blocks takes the image and the tokens one layer after a quarter, a half and three quarters
    of the layers, and after all, as in MONAI; 92,783,842 parameters from 1 channel to 2 outputs for a patch of 96³.
    patch: the training patch, for whose grid the positions are made, by default 96³ or 224²; for an image of another
    size they are interpolated. Trained from scratch. Serves 2D and 3D. Edges are multiples of 16. Raises Unfit when the
    layers do not make four quarters or the heads do not divide the hidden width.
    """
    if layers < 4 or layers % 4:
        raise Unfit(f"unetr: {layers} layers do not make four quarters")
    if hidden < 1 or heads < 1 or hidden % heads:
        raise Unfit(f"unetr: a hidden width of {hidden} does not divide into {heads} heads")
    patch = tuple(patch) or ((96,) * 3 if task.rank == 3 else (224,) * 2)
    if len(patch) != task.rank or not all(
        isinstance(edge, int) and edge >= PATCH and not edge % PATCH for edge in patch
    ):
        raise Unfit(f"unetr: patch {list(patch)} is not one multiple of {PATCH} for each of {task.rank} axes")
    widths = doubled_widths(width, 3)
    image = image_input(task)
    x = require_divisible(image, [(PATCH,) * task.rank])
    quarters = _transformer(x, hidden, layers, heads, patch, Style(dropout=dropout).dropout)
    levels = [_residual(x, width)]
    for level, tokens in enumerate(quarters[:3], 1):
        levels.append(transposed_conv(tokens, widths[level], bias=False))
        for _ in range(3 - level):
            levels[level] = _residual(transposed_conv(levels[level], widths[level], bias=False), widths[level])
    y = quarters[3]
    for filters, features in zip(reversed(widths), reversed(levels), strict=True):
        y = _residual(concatenate(transposed_conv(y, filters, bias=False), features), filters)
    return keras.Model(image, logits(conv(y, task.outputs, 1)))


def _transformer(x, hidden: int, layers: int, heads: int, patch: Sequence[int], dropout: float) -> list:
    x = Positions([edge // PATCH for edge in patch])(embed(x, hidden, PATCH))
    quarters = []
    for number in range(1, layers + 1):
        x = transformer_block(x, Attention(heads, bias=False), dropout=dropout)
        if number in (quarter * layers // 4 + 1 for quarter in (1, 2, 3)):
            quarters.append(x)
    return [*quarters, layer_norm(x)]


def _residual(x, filters: int):
    start = x
    x = keras.layers.LeakyReLU(SLOPE)(standardise(conv(x, filters, bias=False)))
    x = standardise(conv(x, filters, bias=False))
    if start.shape[-1] != filters:
        start = standardise(conv(start, filters, 1, bias=False))
    return keras.layers.LeakyReLU(SLOPE)(add(x, start))
