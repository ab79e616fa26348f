"""Strided 3×3 convolutions whose windows are centred on the pixels they keep, as PyTorch pads them.

Keras' own padding `same` puts the windows of stride 2 a pixel aside, so that weights trained elsewhere would not fit.
"""

import keras

from .biased import Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose
from .layers import KERNEL, conv, rank


def centred_conv(x, filters: int, stride: int | tuple[int, ...] = 2, *, kernel: int | tuple[int, ...] = 3, bias=True):
    """Convolution with odd kernels around every `stride`-th pixel: `(n, *space, c)` to `(n, *space / stride, filters)`.

    The edges of the image are multiples of the stride.
    """
    strides, kernels = _axes(stride, rank(x)), _axes(kernel, rank(x))
    if max(strides) == 1:
        return conv(x, filters, kernel, bias=bias)  # pyright: ignore[reportArgumentType]
    pad = {2: keras.layers.ZeroPadding2D, 3: keras.layers.ZeroPadding3D}[rank(x)]
    # A window of stride s ends within the image when s is at least the half-width of the kernel.
    around = tuple((k // 2, max(0, k // 2 + 1 - s)) for k, s in zip(kernels, strides, strict=True))
    layer = {2: Conv2D, 3: Conv3D}[rank(x)]
    x = pad(around)(x) if any(map(any, around)) else x
    return layer(filters, kernels, strides, use_bias=bias, kernel_initializer=KERNEL)(x)


def centred_transposed_conv(x, filters: int, stride: int = 2, *, bias: bool = True):
    """Transposed 3×3 convolution that spreads each pixel around its place in the image of `stride` times the size."""
    layer = {2: Conv2DTranspose, 3: Conv3DTranspose}[rank(x)]
    weights = keras.initializers.VarianceScaling(scale=stride ** rank(x), mode="fan_out")
    x = layer(filters, 3, stride, use_bias=bias, kernel_initializer=weights)(x)
    crop = {2: keras.layers.Cropping2D, 3: keras.layers.Cropping3D}[rank(x)]
    # Without padding, stride (n - 1) + 3 pixels come out, the first of which lies before the image.
    return crop(((1, 2 - stride),) * rank(x))(x)


def _axes(value: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * rank
