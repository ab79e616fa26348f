"""2D convolution whose weight gradient is taken tile by tile, for CPUs with AVX2 and without AVX-512.

There oneDNN's weight gradient of an image larger than the caches takes two to four times as long as that of its tiles,
and the sum over the tiles is the sum over the image. With AVX-512 cutting costs what it gains.
"""

from functools import cache
from typing import Any

import keras
import numpy as np

from .cpu import limited_to_avx2, on_cpu

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

TILE = 16
"""Edge of a tile. Of 8×16, 16×32 and 32×32 each was slower for some layer, by up to a tenth."""
LEAST_VALUES, LEAST_FILTERS = 2**20, 32
"""Values of an image before and after the convolution, and filters: with fewer, cutting gained nothing."""


def tiles_pay(x, kernel) -> bool:
    """Whether training with `tiled_conv2d` of `(n, y, x, c)` and `(k, l, c, filters)` is possible here and faster."""
    if len(x.shape) != 4 or None in x.shape[1:] or x.dtype != "float32" or not on_cpu():
        return False
    *taps, channels, filters = kernel.shape
    large = x.shape[1] * x.shape[2] * (channels + filters) >= LEAST_VALUES and filters >= LEAST_FILTERS
    return large and max(taps) > 1 and all(tap % 2 for tap in taps) and limited_to_avx2()


def tiled_conv2d(x, kernel):
    """Convolve `(n, y, x, c)` with odd `(k, l, c, filters)`, zero-padded, at stride 1: `(n, y, x, filters)`.

    Only n may be unknown. TensorFlow only.
    """
    import tensorflow as tf

    # Outside a traced function Keras hands the variable itself over, which a custom gradient refuses to meet.
    return _with_gradient()(x, tf.convert_to_tensor(ops.convert_to_tensor(kernel)))


@cache
def _with_gradient():
    import tensorflow as tf

    options: dict[str, Any] = {"strides": [1] * 4, "padding": "SAME"}

    @tf.custom_gradient
    def convolved(x, kernel):
        def gradient(upstream):
            sizes = {"input_sizes": tf.shape(x), "filter": kernel}
            of_x = tf.raw_ops.Conv2DBackpropInput(**sizes, out_backprop=upstream, **options)
            return of_x, _tiled_gradient(x, upstream, tuple(kernel.shape[:2]))

        return tf.nn.conv2d(x, kernel, **options), gradient

    return convolved


def _tiled_gradient(x, upstream, taps: tuple[int, ...]):
    """Gradient of the kernel. Each tile of x reaches into the next by the taps; what lies outside the image is zero."""
    import tensorflow as tf

    _, height, width, channels = ops.shape(x)
    filters, edges = upstream.shape[-1], [TILE + tap - 1 for tap in taps]
    rows, columns = (-(-edge // TILE) for edge in (height, width))
    rest = [[0, rows * TILE - height], [0, columns * TILE - width]]
    around = [[tap // 2, tap // 2 + more] for tap, (_, more) in zip(taps, rest, strict=True)]
    _, rows_padded, columns_padded, _ = ops.shape(image := tf.pad(x, [[0, 0], *around, [0, 0]]))
    pixels = tf.reshape(image, (-1, rows_padded * columns_padded, channels))
    tiles = tf.gather(pixels, _places((rows, columns), edges, columns_padded), axis=1)
    if rest != [[0, 0], [0, 0]]:
        upstream = tf.pad(upstream, [[0, 0], *rest, [0, 0]])
    cut = tf.transpose(tf.reshape(upstream, (-1, rows, TILE, columns, TILE, filters)), (0, 1, 3, 2, 4, 5))
    return tf.raw_ops.Conv2DBackpropFilter(
        input=tf.reshape(tiles, (-1, *edges, channels)),
        filter_sizes=[*taps, channels, filters],
        out_backprop=tf.reshape(cut, (-1, TILE, TILE, filters)),
        strides=[1] * 4,
        padding="VALID",
    )


def _places(tiles: tuple[int, ...], edges: list[int], width: int) -> np.ndarray:
    """Where the pixels of all tiles stand in a flattened image of that width."""
    rows, columns = (
        np.arange(count)[:, None] * TILE + np.arange(edge) for count, edge in zip(tiles, edges, strict=True)
    )
    return (rows[:, None, :, None] * width + columns[None, :, None, :]).reshape(-1).astype("int32")
