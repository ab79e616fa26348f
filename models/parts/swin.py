"""Layers of Swin transformers: attention within windows, and pixels laid into channels and back, in 2D and 3D."""

import math
from itertools import chain
from typing import Any

import keras

from ...core.errors import Unfit
from .biased import add_bias
from .saved import saved_as
from .transformer import SPREAD, Attention, attend

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

FAR = -1e4
"""Added to the product of two pixels that must not see each other; within the range of float16."""


@keras.saving.register_keras_serializable(package="unetbench")
class WindowAttention(Attention):
    """Self-attention within windows, with a learned bias a distance (Liu et al. 2021, arXiv:2103.14030).

    softmax(Q Kᵀ / sqrt(c / heads) + B) V in every window of `window` pixels an axis, B[i, j] the entry for i - j of a
    table of 2 window - 1 distances an axis; `(n, *space, c)` to the same shape. The image may have any size: along an
    axis of no whole number of windows it is filled up with pixels that nobody sees. Raises Unfit when the heads do not
    divide the channels or the window is smaller than 2.

    window: edge of a window. shifted: whether the grid of windows lies half a window further, the image continued
    cyclically and pixels seen only by neighbours of theirs; not along an axis that one window covers.
    """

    def __init__(self, heads: int, window: int, *, shifted: bool = False, **options) -> None:
        super().__init__(heads, **options)
        if window < 2:
            raise Unfit(f"window attention: a window of {window} pixels is none; give at least 2")
        self.window, self.shifted = window, shifted
        # A window crosses the border between two of the grid before it.
        self.window_size = window + shifted

    def build(self, input_shape):
        """Make the projections and the table `(2 window - 1, …, heads)`."""
        super().build(input_shape)
        shape = (*[2 * self.window - 1] * (len(input_shape) - 2), self.heads)
        self.table = self.add_weight(shape=shape, initializer=SPREAD, name="table")

    def call(self, x, training=None):
        """Return what every pixel gathers from its window."""
        edges = ops.shape(x)[1:-1]
        counts = [-(-edge // self.window) for edge in edges]
        fills = [count * self.window - edge for count, edge in zip(counts, edges, strict=True)]
        shifts = [self._shift(edge) for edge in edges]
        for axis, (fill, shift) in enumerate(zip(fills, shifts, strict=True), 1):
            x = _laid_out(x, axis, fill, shift)
        scores = self._bias(len(edges))
        if not _are_zero(*fills, *shifts):
            mask = ops.cast(self._mask(edges, counts, shifts), scores.dtype)
            scores = scores + ops.expand_dims(mask, 1)
        windows = ops.matmul(self._cut(x, counts), self.triple)
        gathered = attend(windows, self.triple_bias, self.heads, scores, training=training)
        x = self._joined(add_bias(ops.matmul(gathered, self.out), self.out_bias, training), counts)
        for axis, (edge, fill, shift) in enumerate(zip(edges, fills, shifts, strict=True), 1):
            x = _laid_back(x, axis, edge, fill, shift)
        return x

    def macs(self, input_shape) -> int:
        """Multiply-accumulates of one image: four projections and two products of all pixels in each window."""
        *space, channels = input_shape[1:]
        pixels = math.prod(-(-edge // self.window) * self.window for edge in space)
        return 4 * pixels * channels**2 + 2 * pixels * self.window ** len(space) * channels

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "window": self.window, "shifted": self.shifted}

    def _shift(self, edge):
        shift = self.window // 2 if self.shifted else 0
        if isinstance(edge, int):
            return shift if edge > self.window else 0
        return ops.where(edge > self.window, shift, 0) if shift else 0

    def _bias(self, rank: int):
        places = ops.arange(self.window)
        apart = ops.reshape(ops.expand_dims(places, 1) - places + self.window - 1, (-1,))
        # Products and no gathering, whose gradient would be sparse.
        chosen, bias = ops.one_hot(apart, 2 * self.window - 1, dtype=self.compute_dtype), self.table
        for _ in range(rank):
            bias = ops.tensordot(chosen, bias, axes=(1, rank - 1))
        bias = ops.reshape(bias, (*[self.window] * 2 * rank, self.heads))
        axes = (2 * rank, *range(0, 2 * rank, 2), *range(1, 2 * rank, 2))
        return ops.reshape(ops.transpose(bias, axes), (self.heads, *[self.window**rank] * 2))

    def _mask(self, edges, counts, shifts):
        regions = ops.zeros((1, 1), "int32")
        for edge, count, shift in zip(edges, counts, shifts, strict=True):
            places = ops.arange(count * self.window)
            # 0 the image, 1 what fills it up, 2 what the shift brought from its other side.
            kinds = ops.cast(places >= edge - shift, "int32") + ops.cast(places >= count * self.window - shift, "int32")
            kinds = ops.reshape(kinds, (1, count, 1, self.window))
            regions = 3 * ops.expand_dims(regions, (1, 3)) + kinds
            regions = ops.reshape(regions, (-1, math.prod(regions.shape[2:])))
        alike = ops.equal(ops.expand_dims(regions, 2), ops.expand_dims(regions, 1))
        return ops.where(alike, 0.0, FAR)

    def _cut(self, x, counts):
        rank, shape = len(counts), ops.shape(x)
        x = ops.reshape(x, (shape[0], *chain(*((count, self.window) for count in counts)), shape[-1]))
        axes = (0, *range(1, 2 * rank, 2), *range(2, 2 * rank + 1, 2), 2 * rank + 1)
        return ops.reshape(ops.transpose(x, axes), (shape[0], math.prod(counts), self.window**rank, shape[-1]))

    def _joined(self, x, counts):
        rank, shape = len(counts), ops.shape(x)
        x = ops.reshape(x, (shape[0], *counts, *[self.window] * rank, shape[-1]))
        axes = (0, *chain(*((axis, axis + rank) for axis in range(1, rank + 1))), 2 * rank + 1)
        edges = [count * self.window for count in counts]
        return ops.reshape(ops.transpose(x, axes), (shape[0], *edges, shape[-1]))


def _are_zero(*numbers) -> bool:
    return all(isinstance(number, int) and not number for number in numbers)


def _laid_out(x, axis: int, fill, shift):
    """Fill the axis up with zeros, then move its first pixels to its end."""
    if _are_zero(fill, shift):
        return x
    shape = list(ops.shape(x))
    shape[axis] = fill
    zeros = ops.zeros(shape, x.dtype)
    return ops.concatenate([_part(x, axis, shift, None), zeros, _part(x, axis, 0, shift)], axis)


def _laid_back(x, axis: int, edge, fill, shift):
    if _are_zero(fill, shift):
        return x
    return ops.concatenate([_part(x, axis, edge + fill - shift, None), _part(x, axis, 0, edge - shift)], axis)


def _part(x, axis: int, start, stop):
    return x[(slice(None),) * axis + (slice(start, stop),)]


@saved_as("Fold")
class SpaceToDepth(keras.layers.Layer):
    """Space-to-depth: the pixels of every block of `stride` an axis become channels, the first axis varying fastest.

    `(n, *space, c)` to `(n, *space / stride, stride^rank c)`; the edges are multiples of the stride.
    """

    def __init__(self, stride: int = 2, **options) -> None:
        super().__init__(**options)
        self.stride = self.window_size = stride

    def call(self, x):
        """Return the coarser image."""
        shape, rank = ops.shape(x), len(x.shape) - 2
        split = chain(*((edge // self.stride, self.stride) for edge in shape[1:-1]))
        x = ops.reshape(x, (shape[0], *split, shape[-1]))
        axes = (0, *range(1, 2 * rank, 2), *range(2 * rank, 0, -2), 2 * rank + 1)
        edges = [edge // self.stride for edge in shape[1:-1]]
        return ops.reshape(ops.transpose(x, axes), (shape[0], *edges, self.stride**rank * shape[-1]))

    def compute_output_shape(self, input_shape):
        """Edges by the stride; unknown ones stay unknown."""
        count, *space, channels = input_shape
        return (count, *(edge and edge // self.stride for edge in space), self.stride ** len(space) * channels)

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "stride": self.stride}


@saved_as("Unfold")
class DepthToSpace(keras.layers.Layer):
    """Depth-to-space (pixel shuffle): channels become blocks of `upscale_factor` f pixels an axis, last axis fastest.

    `(n, *space, f^rank c)` to `(n, *space f, c)` (Shi et al. 2016, arXiv:1609.05158).
    """

    def __init__(self, upscale_factor: int = 2, **options) -> None:
        super().__init__(**options)
        self.upscale_factor = upscale_factor

    def call(self, x):
        """Return the finer image."""
        shape, rank = ops.shape(x), len(x.shape) - 2
        x = ops.reshape(x, (*shape[:-1], *[self.upscale_factor] * rank, x.shape[-1] // self.upscale_factor**rank))
        axes = (0, *chain(*((axis, axis + rank) for axis in range(1, rank + 1))), 2 * rank + 1)
        edges = [edge * self.upscale_factor for edge in shape[1:-1]]
        return ops.reshape(ops.transpose(x, axes), (shape[0], *edges, x.shape[-1]))

    def compute_output_shape(self, input_shape):
        """Edges times the factor; unknown ones stay unknown."""
        count, *space, channels = input_shape
        return (
            count,
            *(edge and edge * self.upscale_factor for edge in space),
            channels // self.upscale_factor ** len(space),
        )

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "upscale_factor": self.upscale_factor}

    @classmethod
    def from_config(cls, config):
        """The layer of a configuration, also of one whose factor has the name it was first saved under."""
        config = dict(config)
        if "growth" in config:
            config["upscale_factor"] = config.pop("growth")
        return cls(**config)
