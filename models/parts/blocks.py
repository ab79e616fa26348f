"""Blocks of one level of a U-Net: `(x, filters, style) -> x` at the same spatial size."""

import keras

from .layers import activate, conv, depthwise_conv
from .norm import normalise
from .style import Style


def conv_unit(x, filters: int, style: Style, kernel: int = 3):
    """Convolution, normalisation, activation."""
    return activate(normalise(conv(x, filters, kernel, bias=style.bias), style), style.activation)


def double_conv(x, filters: int, style: Style):
    """Two 3×3 units (Ronneberger et al. 2015)."""
    return dropped(conv_unit(conv_unit(x, filters, style), filters, style), style)


def widening_conv(x, filters: int, style: Style):
    """Two 3×3 units, the first of half the width (Çiçek et al. 2016)."""
    return dropped(conv_unit(conv_unit(x, filters // 2, style), filters, style), style)


def separable_conv(x, filters: int, style: Style):
    """Two units of a depthwise 3×3 and a 1×1 convolution; bias and normalisation after the 1×1 only."""
    for _ in range(2):
        x = conv_unit(depthwise_conv(x), filters, style, kernel=1)
    return dropped(x, style)


def dropped(x, style: Style):
    """Dropout at the style's share, after a block."""
    return keras.layers.Dropout(style.dropout)(x) if style.dropout else x
