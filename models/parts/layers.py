"""Layers that serve 2D and 3D alike: the rank is read from the tensor, `(n, *space, c)`."""

import math

import keras

from ...core.errors import Unfit
from .biased import Conv2D, Conv2DTranspose, Conv3D, Conv3DTranspose, DepthwiseConv2D
from .depthwise import DEPTHWISE_KERNEL, DepthwiseConv3D
from .global_mean import GlobalMean
from .joined_channels import LazyConcatenate, SplitInputConv, SplitInputDepthwiseConv2D

KERNEL = "he_normal"
"""Initialiser of the convolutions (He et al. 2015, arXiv:1502.01852), which keeps the variance through ReLU."""


def rank(x: keras.KerasTensor) -> int:
    """Number of spatial axes."""
    return len(x.shape) - 2


def conv(x, filters: int, kernel: int = 3, *, stride: int | tuple[int, ...] = 1, bias: bool = True, dilation: int = 1):
    """Convolution with zero padding: `(n, *space, c)` to `(n, *ceil(space / stride), filters)`.

    x: an image, or what `lazy_concatenate` returns.
    """
    if isinstance(x, list):
        if stride == dilation == 1:
            return SplitInputConv(filters, kernel, use_bias=bias, kernel_initializer=KERNEL)(x)
        x = concatenate(*x)
    if kernel == 1 and stride != 1:
        x, stride = subsample(x, stride), 1
    return conv_layer(rank(x), filters, kernel, stride=stride, bias=bias, dilation=dilation)(x)


def conv_layer(
    rank: int,
    filters: int,
    kernel: int = 3,
    *,
    stride: int | tuple[int, ...] = 1,
    bias: bool = True,
    dilation: int = 1,
):
    """The layer of `conv`, for a convolution that is called more than once with the same weights."""
    layer = {2: Conv2D, 3: Conv3D}[rank]
    options = {"strides": stride, "padding": "same", "use_bias": bias, "dilation_rate": dilation}
    return layer(filters, kernel, kernel_initializer=KERNEL, **options)


def transposed_conv(
    x,
    filters: int,
    stride: int | tuple[int, ...] = 2,
    *,
    kernel: int | tuple[int, ...] | None = None,
    bias: bool = True,
):
    """Transposed convolution to `stride` times the size.

    kernel: by default the stride, so that every output pixel comes from one input pixel.
    """
    layer = {2: Conv2DTranspose, 3: Conv3DTranspose}[rank(x)]
    weights = up_kernel(stride if isinstance(stride, tuple) else (stride,) * rank(x))
    options = {"strides": stride, "padding": "same", "use_bias": bias}
    return layer(filters, kernel or stride, kernel_initializer=weights, **options)(x)


def up_kernel(stride: tuple[int, ...]) -> keras.initializers.Initializer:
    """Initialiser of a transposed convolution, which keeps the variance."""
    # A share 1 / taps of the kernel reaches an output pixel; Keras' fans count all of it.
    return keras.initializers.VarianceScaling(scale=math.prod(stride), mode="fan_out")


def depthwise_conv(x, kernel: int = 3, *, bias: bool = False):
    """Each channel convolved on its own, zero-padded, at stride 1; of what `lazy_concatenate` returns, as such."""
    if isinstance(x, list):
        if rank(x[0]) == 2 and not bias:
            return SplitInputDepthwiseConv2D(kernel)(x)
        x = concatenate(*x)
    return DepthwiseConv3D(kernel, use_bias=bias)(x) if rank(x) == 3 else flat_depthwise_conv(x, kernel, bias=bias)


def flat_depthwise_conv(x, kernel: int | tuple[int, int] = 3, *, bias: bool = False, dilation: int = 1):
    """Each channel of a 2D image convolved on its own; the kernel may be oblong or dilated."""
    options = {"padding": "same", "use_bias": bias, "depthwise_initializer": DEPTHWISE_KERNEL}
    return DepthwiseConv2D(kernel, dilation_rate=dilation, **options)(x)


def max_pool(x, stride: int | tuple[int, ...] = 2, *, window: int | None = None):
    """Largest value of each window, by default of `stride`; one of the edge `window` may reach over the border."""
    layer = {2: keras.layers.MaxPooling2D, 3: keras.layers.MaxPooling3D}[rank(x)]
    # TensorFlow pools 3D float16 on a GPU only; a maximum is the same in float32.
    half_3d = rank(x) == 3 and keras.config.dtype_policy().compute_dtype == "float16"
    options = {"strides": stride, "padding": "same" if window else "valid"}
    return layer(window or stride, **options, dtype="float32" if half_3d else None)(x)


def subsample(x, stride: int | tuple[int, ...]):
    """Every `stride`-th pixel, from the first on: what a strided 1×1 convolution looks at.

    That convolution itself is avoided: where it has fewer than 16 channels its weight gradient writes past its memory
    in oneDNN (uxlfoundation/oneDNN#6035), and TensorFlow 2.21 dies or goes on with spoilt numbers.
    """
    return max_pool(x, stride, window=1)


def nearest(x, stride: int | tuple[int, ...] = 2):
    """Each pixel repeated `stride` times along each axis."""
    layer = {2: keras.layers.UpSampling2D, 3: keras.layers.UpSampling3D}[rank(x)]
    return layer(stride)(x)


def global_mean(x):
    """Mean over space: `(n, *space, c)` to `(n, 1…, c)`."""
    return GlobalMean()(x)


def add(*tensors):
    """Sum of tensors of one shape."""
    return keras.layers.Add()(tensors)


def multiply(*tensors):
    """Product of tensors, broadcast to one shape."""
    return keras.layers.Multiply()(tensors)


def concatenate(*tensors):
    """All channels of tensors of one size, in that order."""
    return keras.layers.Concatenate()(tensors)


def lazy_concatenate(*tensors) -> list[keras.KerasTensor]:
    """Like `concatenate`, but without a copy: for `conv` and `depthwise_conv` only, faster on a few wide parts."""
    return LazyConcatenate()(list(tensors))


def activate(x, name: str):
    """Apply the activation of that Keras name. Raises Unfit when there is none."""
    try:
        return keras.layers.Activation(name)(x)
    except ValueError:
        raise Unfit(f"activation {name!r} is unknown to Keras; relu, leaky_relu, silu and gelu are") from None
