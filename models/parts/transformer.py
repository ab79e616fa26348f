"""Layers of transformers on images, `(n, *space, c)` in and out, so that no model need know its tokens.

Positions are a grid that is interpolated when the image is not of the size the grid was made for.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras

from ...core.errors import Unfit
from .biased import Conv2D, Conv3D, Dense, add_bias
from .layers import add, rank

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

SPREAD: Any = keras.initializers.TruncatedNormal(stddev=0.02)


def transformer_block(x, attention, *, epsilon: float = 1e-5, dropout: float = 0.0, depth_dropout: float = 0.0):
    """Sum of x and an attention, then of that and a perceptron of four times the width, each on normalised values.

    attention: a layer from `(n, *space, c)` to the same. dropout: share of the perceptron's values, depth_dropout: of
    the cases for which training leaves out a summand (stochastic depth, Huang et al. 2016, arXiv:1603.09382).
    """
    x = add(x, _left_out(attention(layer_norm(x, epsilon)), depth_dropout))
    wide = keras.layers.Activation("gelu")(dense(layer_norm(x, epsilon), 4 * x.shape[-1]))
    return add(x, _left_out(drop(dense(drop(wide, dropout), x.shape[-1]), dropout), depth_dropout))


def embed(x, filters: int, patch: int):
    """One vector of each patch: `(n, *space, c)` to `(n, *space / patch, filters)`."""
    return {2: Conv2D, 3: Conv3D}[rank(x)](filters, patch, patch)(x)


def dense(x, filters: int, *, bias: bool = True):
    """Matrix product of every pixel's channels, `(n, *space, c)` to `(n, *space, filters)`."""
    return Dense(filters, use_bias=bias, kernel_initializer=SPREAD)(x)


def layer_norm(x, epsilon: float = 1e-5):
    """Each pixel normalised over its channels (Ba et al. 2016, arXiv:1607.06450)."""
    return keras.layers.LayerNormalization(epsilon=epsilon)(x)


def drop(x, share: float):
    """Set that share of the values to zero in training."""
    return keras.layers.Dropout(share)(x) if share else x


def _left_out(x, share: float):
    # A factor a case, the same for all its values.
    return keras.layers.Dropout(share, noise_shape=(None, *[1] * (len(x.shape) - 1)))(x) if share else x


@keras.saving.register_keras_serializable(package="unetbench")
class Attention(keras.layers.Layer):
    """Multi-head self-attention among all pixels (Vaswani et al. 2017, arXiv:1706.03762).

    softmax(Q Kᵀ / sqrt(c / heads)) V, then a projection with bias; `(n, *space, c)` to the same shape. Raises Unfit
    when the heads do not divide the channels.

    heads: number of heads. bias: whether queries, keys and values have one.
    """

    window_size = math.inf

    def __init__(self, heads: int, *, bias: bool = True, **options) -> None:
        super().__init__(**options)
        self.heads, self.bias = heads, bias

    def build(self, input_shape):
        """Make the two projections, `(c, 3 c)` for queries, keys and values and `(c, c)`."""
        channels = input_shape[-1]
        if channels % self.heads:
            raise Unfit(f"attention: {channels} channels do not divide into {self.heads} heads; change the width")
        self.triple = self.add_weight(shape=(channels, 3 * channels), initializer=SPREAD, name="triple")
        shape = (3 * channels,)
        self.triple_bias = self.add_weight(shape=shape, initializer="zeros", name="triple_bias") if self.bias else None
        self.out = self.add_weight(shape=(channels, channels), initializer=SPREAD, name="out")
        self.out_bias = self.add_weight(shape=(channels,), initializer="zeros", name="out_bias")

    def call(self, x, training=None):
        """Return what every pixel gathers from all."""
        shape = ops.shape(x)
        tokens = ops.reshape(x, (shape[0], -1, shape[-1]))
        gathered = attend(ops.matmul(tokens, self.triple), self.triple_bias, self.heads, training=training)
        return ops.reshape(add_bias(ops.matmul(gathered, self.out), self.out_bias, training), shape)

    def compute_output_shape(self, input_shape):
        """Same as the input."""
        return input_shape

    def macs(self, input_shape) -> int:
        """Multiply-accumulates of one image: four projections and two products of all tokens with all."""
        tokens, channels = math.prod(input_shape[1:-1]), input_shape[-1]
        return 4 * tokens * channels**2 + 2 * tokens**2 * channels

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "heads": self.heads, "bias": self.bias}


def attend(triple, bias, heads: int, scores=None, *, training: bool | None = None):
    """Attention of `(n, tokens, 3 c)` to `(n, tokens, c)`; scores is added to the products before the softmax."""
    triple = triple if bias is None else add_bias(triple, bias, training)
    shape = ops.shape(triple)
    width = triple.shape[-1] // 3 // heads
    parts = ops.moveaxis(ops.reshape(triple, (*shape[:-1], 3, heads, width)), (-3, -2), (0, -3))
    query, key, value = parts[0], parts[1], parts[2]
    products = ops.matmul(query * width**-0.5, ops.swapaxes(key, -1, -2))
    weights = ops.softmax(products if scores is None else products + ops.cast(scores, products.dtype), axis=-1)
    gathered = ops.swapaxes(ops.matmul(weights, value), -2, -3)
    return ops.reshape(gathered, (*shape[:-1], heads * width))


@keras.saving.register_keras_serializable(package="unetbench")
class Positions(keras.layers.Layer):
    """Add one learned vector a place of the grid, linearly interpolated for an image of another size.

    grid: number of places along each axis.
    """

    window_size = 1

    def __init__(self, grid: Sequence[int], **options) -> None:
        super().__init__(**options)
        self.grid = tuple(grid)

    def build(self, input_shape):
        """Make the grid's vectors `(*grid, c)`."""
        shape = (*self.grid, input_shape[-1])
        self.positions = self.add_weight(shape=shape, initializer=SPREAD, name="positions")

    def call(self, x):
        """Return x plus the positions."""
        positions = self.positions
        space = ops.shape(x)[1:-1]
        # An edge that a graph does not know yet is a tensor, and compares with nothing.
        if not all(isinstance(here, int) and here == edge for here, edge in zip(space, self.grid, strict=True)):
            for axis, (edge, here) in enumerate(zip(self.grid, space, strict=True)):
                positions = _resized(positions, axis, edge, here)
        return x + ops.cast(positions, x.dtype)

    def compute_output_shape(self, input_shape):
        """Same as the input."""
        return input_shape

    def macs(self, input_shape) -> int:
        """None: a sum."""
        return 0

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "grid": self.grid}


def _resized(grid, axis: int, edge: int, here):
    places = (ops.cast(ops.arange(here), "float32") + 0.5) * (edge / ops.cast(here, "float32")) - 0.5
    places = ops.clip(places, 0.0, edge - 1.0)
    # A product and no gathering, whose gradient would be sparse.
    distance = ops.abs(ops.expand_dims(places, 1) - ops.cast(ops.arange(edge), "float32"))
    shares = ops.cast(ops.relu(1.0 - distance), grid.dtype)
    return ops.moveaxis(ops.tensordot(shares, grid, axes=(1, axis)), 0, axis)
