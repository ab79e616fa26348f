"""Ways down and up between levels: `down(x, filters, stride, style)` and `up(x, filters, stride, style)`.

filters is the width of the level that is reached; stride is a tuple with one number an axis.
"""

from typing import Any

import keras

from ...core.errors import Unfit, unknown
from .blocks import conv_unit
from .layers import conv, max_pool, nearest, transposed_conv
from .style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


def pooled(x, filters: int, stride: tuple[int, ...], style: Style):
    """Max pooling; the width changes in the block that follows."""
    return max_pool(x, stride)


def strided(x, filters: int, stride: tuple[int, ...], style: Style):
    """3×3 convolution with that stride."""
    return conv(x, filters, stride=stride, bias=style.bias)


def transposed(x, filters: int, stride: tuple[int, ...], style: Style):
    """Up-convolution whose kernel equals its stride, with bias (Ronneberger et al. 2015)."""
    return transposed_conv(x, filters, stride)


def repeated(x, filters: int, stride: tuple[int, ...], style: Style):
    """Nearest neighbour, then a 3×3 convolution to the level's width; no checkerboard (Odena et al. 2016)."""
    return conv(nearest(x, stride), filters)


def repeated_unit(x, filters: int, stride: tuple[int, ...], style: Style):
    """Nearest neighbour, then a 3×3 convolution with normalisation and activation."""
    return conv_unit(nearest(x, stride), filters, style)


def interpolated(x, filters: int, stride: tuple[int, ...], style: Style):
    """Linear interpolation, then a 3×3 convolution to the level's width."""
    return conv(LinearUpsampling(stride)(x), filters)


UPSAMPLINGS = {"transposed": transposed, "nearest": repeated, "linear": interpolated}


def upsampling(name: str):
    """Return the way up of that name. Raises Unfit when there is none."""
    if name not in UPSAMPLINGS:
        raise Unfit(unknown("upsampling", name, UPSAMPLINGS))
    return UPSAMPLINGS[name]


@keras.saving.register_keras_serializable(package="unetbench")
class LinearUpsampling(keras.layers.Layer):
    """Linear interpolation by whole factors, pixel centres kept (half-pixel convention), edges repeated.

    Two image resizes, one in the plane and one along z, which is far faster than shifted sums (4×64×64×64 to twice the
    size, forward and backward: 8 against 104 ms on two cores). Works in 2D and 3D, at sizes unknown until the call.

    stride: the factor of each axis.
    """

    channelwise = True

    def __init__(self, stride: tuple[int, ...], **options) -> None:
        super().__init__(**options)
        self.stride = tuple(stride)

    def call(self, x):
        """Return `(n, *space, c)` at `stride` times the size."""
        shape = ops.shape(x)
        *depth, height, width = (edge * factor for edge, factor in zip(shape[1:-1], self.stride, strict=True))
        x = resize(ops.reshape(x, (-1, *shape[-3:])), height, width)
        if not depth:
            return x
        # Rows and columns laid in one axis stay as they are while z grows.
        x = resize(ops.reshape(x, (-1, shape[1], height * width, shape[-1])), depth[0], height * width)
        return ops.reshape(x, (-1, depth[0], height, width, shape[-1]))

    def compute_output_shape(self, input_shape):
        """Sizes times stride; unknown ones stay unknown."""
        space = (s and s * f for s, f in zip(input_shape[1:-1], self.stride, strict=True))
        return (input_shape[0], *space, input_shape[-1])

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "stride": self.stride}


def resize(x, height, width):
    """Images `(n, h, w, c)` brought to a size by linear interpolation (half-pixel convention), in the type they have.

    The size may be unknown until the call: there Keras 3.15 asks whether it is positive, which a traced TensorFlow
    function cannot answer, so TensorFlow's own operation is called, the one that Keras calls too.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        resized = tensorflow.image.resize(x, (height, width))
    else:
        resized = ops.image.resize(x, (height, width), data_format="channels_last")
    return ops.cast(resized, x.dtype)
