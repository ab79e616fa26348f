"""ResUNet-a: residual blocks of parallel atrous convolutions, pyramid pooling, conditioned inference."""

import math
from typing import Any

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit
from .parts.centred import centred_conv
from .parts.layers import activate, add, concatenate, conv, nearest
from .parts.norm import normalise
from .parts.skeleton import decode, doubled_widths, encode, image_input, logits, plain_skip, require_divisible
from .parts.style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

RATES = ((1, 3, 15, 31), (1, 3, 15, 31), (1, 3, 15), (1, 3, 5))
"""Dilations of the branches of a level, finest first; coarser levels have one branch, of dilation 1."""

CELLS = (1, 2, 4, 8)
"""Cells along an axis of the four poolings of a pyramid."""


@MODELS.add
def resunet_a(task: Task, *, width: int = 32, depth: int = 5, normalisation: str = "batch") -> keras.Model:
    """ResUNet-a d6: residual blocks of parallel atrous branches, pooled pyramids (Diakogiannis 2020, arXiv:1904.00592).

    58,032,707 trainable parameters from 3 channels to 1 output, 58,065,379 with running statistics (feevos/resuneta,
    without the 195 of the colour that the authors also predict). The logits are conditioned on maps of distance and
    boundary as there, but these are learned through the logits alone. A decoder level has the branches of the next
    finer encoder level. Serves 2D and 3D. Edges are multiples of 2**depth; where those of the coarsest level are no
    multiples of 8, the last cells of its pyramid are smaller. Raises Unfit for a width below 4.
    """
    widths, style = doubled_widths(width, depth), Style(normalisation, bias=normalisation == "none")
    if width < len(CELLS):
        raise Unfit(f"width is {width}; the pyramid of resunet_a shares it among {len(CELLS)} poolings, 4 is enough")
    strides = [(2,) * task.rank] * depth

    def block(x, filters: int, style: Style):
        return _atrous(x, widths.index(filters), style)

    def down(x, filters: int, stride: tuple[int, ...], style: Style):
        return centred_conv(x, filters, stride, bias=style.bias)

    def up(x, filters: int, stride: tuple[int, ...], style: Style):
        return conv_unit(nearest(x, stride), filters // 2, style, kernel=1)

    def decoder_block(x, filters: int, style: Style):
        mixed = normalise(conv(x, filters, 1, bias=style.bias), style)
        return _atrous(mixed, max(0, widths.index(filters) - 1), style)

    image = image_input(task)
    stem = conv_unit(require_divisible(image, strides), width, style, kernel=1)
    *levels, bottom = encode(stem, widths, strides, style, block=block, down=down)
    levels.append(_pyramid(bottom, widths[-1], style))
    finest = decode(levels, widths, strides, style, block=decoder_block, up=up, skip=plain_skip)[0]
    return keras.Model(image, _conditioned(concatenate(stem, finest), task, width, style))


def _atrous(x, level: int, style: Style):
    """The sum of x and its branches, each of two pre-activated convolutions of one dilation."""
    rates = RATES[level] if level < len(RATES) else (1,)
    return add(x, *(_branch(x, rate, style) for rate in rates))


def _branch(x, rate: int, style: Style):
    filters = x.shape[-1]
    inner = conv(activate(normalise(x, style), style.activation), filters, bias=style.bias, dilation=rate)
    return conv(activate(normalise(inner, style), style.activation), filters, dilation=rate)


def _pyramid(x, filters: int, style: Style):
    """Features and their maxima over 1 to 8 cells an axis, mixed by a 1×1 convolution (Zhao et al. 2017)."""

    def share(cells: int):
        return normalise(conv(CellMax(cells)(x), filters // len(CELLS), 1, bias=style.bias), style)

    return conv_unit(concatenate(x, *map(share, CELLS)), filters, style, kernel=1)


def _conditioned(features, task: Task, width: int, style: Style):
    """Logits from the pooled features, a map of distances, and a map of boundaries made from both."""
    probability = "softmax" if task.kind == "exclusive" else "sigmoid"
    pooled = _pyramid(features, width, style)
    distance = conv(conv_unit(conv_unit(features, width, style), width, style), task.outputs, 1)
    distance = activate(distance, probability)
    boundary = conv(conv_unit(concatenate(pooled, distance), width, style), task.outputs, 1)
    x = concatenate(pooled, activate(boundary, "sigmoid"), distance)
    return logits(conv(conv_unit(conv_unit(x, width, style), width, style), task.outputs, 1))


@keras.saving.register_keras_serializable(package="unetbench")
class CellMax(keras.layers.Layer):
    """Each pixel becomes the maximum over its cell: `(n, *space, c)` to the same shape.

    cells: number of cells along each axis, ceil(edge / cells) pixels each; where that does not fill the edge exactly,
    the last ones are smaller or absent.
    """

    window_size = math.inf
    channelwise = True

    def __init__(self, cells: int, **options) -> None:
        super().__init__(**options)
        self.cells = cells

    def call(self, x):
        """Return the maxima, in the compute dtype."""
        edges = ops.shape(x)[1:-1]
        for axis, edge in enumerate(edges, start=1):
            x = self._reduce(x, axis, edge)
        for axis, edge in enumerate(edges, start=1):
            x = ops.repeat(x, self._pixels(edge), axis=axis)[(slice(None),) * axis + (slice(edge),)]
        return x

    def _reduce(self, x, axis: int, edge):
        pixels = self._pixels(edge)
        spare = [(0, self.cells * pixels - edge) if at == axis else (0, 0) for at in range(len(x.shape))]
        whole = ops.pad(x, spare, constant_values=-math.inf)
        shape = ops.shape(x)
        return ops.max(ops.reshape(whole, (*shape[:axis], self.cells, pixels, *shape[axis + 1 :])), axis + 1)

    def _pixels(self, edge):
        return (edge + self.cells - 1) // self.cells

    def compute_output_shape(self, input_shape):
        """Same as the input."""
        return input_shape

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "cells": self.cells}
