"""U-Nets of residual blocks with pre-activation: ResUNet and ResUNet++."""

import keras

from ..core.task import Task
from . import MODELS
from .parts.centred import centred_conv
from .parts.gates import squeeze_excite
from .parts.layers import activate, add, concatenate, conv, max_pool, multiply, nearest
from .parts.norm import normalise
from .parts.resampling import transposed
from .parts.skeleton import assemble, doubled_widths, encode, image_input, logits, require_divisible
from .parts.style import Style

RATES = (6, 12, 18, 1)
"""Dilations of the pyramid of ResUNet++."""

REDUCTION = 8
"""Channels of a squeeze-and-excitation for each of its hidden ones in ResUNet++."""


@MODELS.add
def resunet(task: Task, *, width: int = 64, depth: int = 3, normalisation: str = "batch") -> keras.Model:
    """ResUNet: pre-activated residual blocks, strided convolutions for pooling (Zhang et al. 2018, arXiv:1711.10684).

    13,043,009 trainable parameters from 3 channels to 1 output (rishikksh20/ResUnet): its shortcuts are 3×3
    convolutions with normalisation, its up-convolutions keep the width. Serves 2D and 3D. Edges are multiples of
    2**depth.
    """
    widths, style = doubled_widths(width, depth), Style(normalisation)

    def block(x, filters: int, style: Style):
        return _stem(x, filters, style, shortcut=3) if filters == width else x

    def down(x, filters: int, stride: tuple[int, ...], style: Style):
        short = normalise(centred_conv(x, filters, stride), style)
        x = centred_conv(activate(normalise(x, style), style.activation), filters, stride)
        return add(_pre_activated(x, filters, style), short)

    def decoder_block(x, filters: int, style: Style):
        return _residual(x, filters, style, shortcut=3)

    def up(x, filters: int, stride: tuple[int, ...], style: Style):
        return transposed(x, x.shape[-1], stride, style)

    return assemble(task, widths, style, block=block, decoder_block=decoder_block, down=down, up=up)


@MODELS.add
def resunet_plus_plus(task: Task, *, width: int = 16, depth: int = 3, normalisation: str = "batch") -> keras.Model:
    """ResUNet++: squeeze-and-excitation, atrous pyramids, attention in the decoder (Jha et al. 2019, arXiv:1911.07067).

    4,062,993 trainable parameters from 3 channels to 1 output, 4,070,385 with running statistics
    (DebeshJha/ResUNetPlusPlus, Keras). Serves 2D and 3D. Edges are multiples of 2**depth.
    """
    widths, style = doubled_widths(width, depth), Style(normalisation)
    strides = [(2,) * task.rank] * depth

    def block(x, filters: int, style: Style):
        return squeeze_excite(_stem(x, filters, style, norm_shortcut=True), REDUCTION) if filters == width else x

    def down(x, filters: int, stride: tuple[int, ...], style: Style):
        return squeeze_excite(_residual(x, filters, style, stride=stride), REDUCTION)

    image = image_input(task)
    encoded = encode(require_divisible(image, strides), widths, strides, style, block=block, down=down)
    x = _pyramid(encoded[-1], 2 * widths[-1], style)
    for features, filters in reversed(list(zip(encoded[:-1], widths[1:], strict=True))):
        raised = nearest(_attended(x, features, style))
        x = squeeze_excite(_residual(concatenate(raised, features), filters, style), REDUCTION)
    return keras.Model(image, logits(conv(_pyramid(x, width, style), task.outputs, 1)))


def _stem(x, filters: int, style: Style, *, shortcut: int = 1, norm_shortcut: bool = False):
    short = conv(x, filters, shortcut)
    x = activate(normalise(conv(x, filters), style), style.activation)
    return add(conv(x, filters), normalise(short, style) if norm_shortcut else short)


def _residual(x, filters: int, style: Style, *, stride: int | tuple[int, ...] = 1, shortcut: int = 1):
    short = normalise(conv(x, filters, shortcut, stride=stride), style)
    return add(_pre_activated(_pre_activated(x, filters, style, stride), filters, style), short)


def _pre_activated(x, filters: int, style: Style, stride: int | tuple[int, ...] = 1):
    return conv(activate(normalise(x, style), style.activation), filters, stride=stride)


def _pyramid(x, filters: int, style: Style):
    """Sum of 3×3 convolutions of four dilations, mixed by a 1×1 convolution (Chen et al. 2017, arXiv:1606.00915)."""
    return conv(add(*(normalise(conv(x, filters, dilation=rate), style) for rate in RATES)), filters, 1)


def _attended(x, features, style: Style):
    """Decoder features x, weighted by themselves and the encoder's of the next finer level."""
    filters = x.shape[-1]
    mixed = add(max_pool(_pre_activated(features, filters, style)), _pre_activated(x, filters, style))
    return multiply(_pre_activated(mixed, filters, style), x)
