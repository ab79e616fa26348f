"""Gates: factors between 0 and 1 by which features are weighed, over channels or over space."""

from typing import Any

import keras

from .layers import activate, add, conv, global_mean, multiply
from .norm import normalise
from .style import Style

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


def additive_gate(features, gating, style: Style):
    """Features x times sigmoid(psi(relu(W x + V g))), one factor a pixel; W, V halve the width, psi leaves one channel.

    A normalisation follows each of the three 1×1 convolutions.
    """
    inner = max(1, features.shape[-1] // 2)
    mixed = add(*(normalise(conv(x, inner, 1), style) for x in (gating, features)))
    factor = normalise(conv(activate(mixed, "relu"), 1, 1), style)
    return multiply(features, activate(factor, "sigmoid"))


def squeeze_excite(x, ratio: int, *, bias: bool = False):
    """Scale each channel by a sigmoid of the channel means, through a layer of a share 1 / ratio (Hu et al. 2018)."""
    channels = x.shape[-1]
    means = activate(conv(global_mean(x), max(1, channels // ratio), 1, bias=bias), "relu")
    return multiply(x, activate(conv(means, channels, 1, bias=bias), "sigmoid"))


def spatial_excite(x):
    """Scale each pixel by a sigmoid of a 1×1 convolution of its channels (Roy et al. 2018, arXiv:1803.02579)."""
    return multiply(x, activate(conv(x, 1, 1), "sigmoid"))


def concurrent_excite(x, ratio: int):
    """The larger of x excited over channels and over space (Roy et al. 2019, doi:10.1109/TMI.2018.2867261)."""
    return keras.layers.Maximum()([squeeze_excite(x, ratio, bias=True), spatial_excite(x)])


def spatial_gate(x):
    """Scale each pixel by a sigmoid of a 7×7 convolution of its channels' mean and maximum (Woo et al. 2018)."""
    return multiply(x, activate(conv(ChannelSummary()(x), 1, 7, bias=False), "sigmoid"))


@keras.saving.register_keras_serializable(package="unetbench")
class ChannelSummary(keras.layers.Layer):
    """Mean and maximum over channels: `(n, *space, c)` to `(n, *space, 2)`."""

    window_size = 1

    def call(self, x):
        """Return both, in the compute dtype."""
        return ops.concatenate([ops.mean(x, -1, keepdims=True), ops.max(x, -1, keepdims=True)], -1)

    def compute_output_shape(self, input_shape):
        """Two channels."""
        return (*input_shape[:-1], 2)
