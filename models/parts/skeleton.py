"""The skeleton of encoder, decoder and head on which the U-Net variants are built.

A variant gives `assemble` its own functions for some slots. Each slot is a plain function on `(n, *space, c)`:

    block(x, filters, style)                what a level computes
    down(x, filters, stride, style)         the way to the next coarser level
    up(x, filters, stride, style)           the way to the next finer level
    skip(features, gating, style)           what the encoder's features become before they join the decoder
    join(features, raised)                  both as the block takes them: `concatenate`, or `lazy_concatenate` where
                                            the block's first layer is one of `conv` or `depthwise_conv`
    head(levels, outputs, style)            logits from the decoder's features, finest first; a list of logits is a
                                            deeply supervised model
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras

from ...core.errors import Unfit
from ...core.task import Task
from .blocks import double_conv
from .fit import Divisible
from .layers import concatenate, conv
from .resampling import pooled, transposed
from .style import Style

Slot = Callable[..., Any]


def doubled_widths(width: int, depth: int) -> tuple[int, ...]:
    """Widths of depth + 1 levels, each twice the one before. Raises Unfit when there is no such network."""
    if not isinstance(width, int) or width < 1:
        raise Unfit(f"width is {width!r}; it is the number of filters of the first level, a whole number from 1 on")
    if not isinstance(depth, int) or not 1 <= depth <= 10:
        raise Unfit(f"depth is {depth!r}; it is the number of poolings, a whole number from 1 to 10")
    return tuple(width * 2**level for level in range(depth + 1))


def plain_skip(features, gating, style: Style):
    """Return the encoder's features as they are."""
    return features


def finest_head(levels, outputs: int, style: Style):
    """1×1 convolution on the finest features."""
    return logits(conv(levels[0], outputs, 1))


def logits(x, name: str = "logits"):
    """State that x is an output of the model: float32 whatever the precision of the network."""
    return keras.layers.Activation("linear", dtype="float32", name=name)(x)


def image_input(task: Task):
    """The image as it comes, `(n, *space, task.channels)` of any size."""
    return keras.Input((None,) * task.rank + (task.channels,), name="image")


def assemble(
    task: Task,
    widths: Sequence[int],
    style: Style | None = None,
    *,
    block: Slot = double_conv,
    decoder_block: Slot | None = None,
    down: Slot = pooled,
    up: Slot = transposed,
    skip: Slot = plain_skip,
    join: Slot = concatenate,
    head: Callable[..., keras.KerasTensor | list[keras.KerasTensor]] = finest_head,
    strides: Sequence[tuple[int, ...]] | None = None,
) -> keras.Model:
    """Build a U-Net: `(n, *space, task.channels)` to float32 logits `(n, *space, task.outputs)`.

    widths: filters of each level from fine to coarse; a network of depth d has d + 1.
    decoder_block: block of the decoder when it differs from the encoder's.
    strides: one tuple for each step down; by default every axis halves.
    """
    style = style or Style()
    strides = tuple(strides or [(2,) * task.rank] * (len(widths) - 1))
    image = image_input(task)
    levels = encode(require_divisible(image, strides), widths, strides, style, block=block, down=down)
    levels = decode(levels, widths, strides, style, block=decoder_block or block, up=up, skip=skip, join=join)
    return keras.Model(image, head(levels, task.outputs, style))


def require_divisible(image, strides: Sequence[tuple[int, ...]]):
    """Raise Unfit for images whose edges are not multiples of the total stride; pass others on."""
    return Divisible(tuple(math.prod(axis) for axis in zip(*strides, strict=True)))(image)


def encode(x, widths: Sequence[int], strides, style: Style, *, block: Slot, down: Slot) -> list[keras.KerasTensor]:
    """Features of every level, finest first."""
    levels = [block(x, widths[0], style)]
    for filters, stride in zip(widths[1:], strides, strict=True):
        levels.append(block(down(levels[-1], filters, stride, style), filters, style))
    return levels


def decode(
    levels: Sequence[keras.KerasTensor],
    widths: Sequence[int],
    strides,
    style: Style,
    *,
    block: Slot,
    up: Slot,
    skip: Slot,
    join: Slot = concatenate,
) -> list[keras.KerasTensor]:
    """Features of every level on the way up, finest first; the coarsest are the encoder's."""
    decoded = [levels[-1]]
    for features, filters, stride in reversed(list(zip(levels[:-1], widths[:-1], strides, strict=True))):
        raised = up(decoded[0], filters, stride, style)
        joined = join(skip(features, raised, style), raised)
        decoded.insert(0, block(joined, filters, style))
    return decoded
