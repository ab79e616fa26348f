"""CMUNeXt: depthwise convolutions of large kernels and inverted bottlenecks, in three sizes."""

from collections.abc import Sequence

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.blocks import conv_unit
from .parts.layers import activate, add, concatenate, conv, depthwise_conv, max_pool
from .parts.norm import normalise
from .parts.resampling import LinearUpsampling
from .parts.skeleton import image_input, logits, require_divisible
from .parts.style import Style

EXPANSION = 4
"""Widening of the inverted bottlenecks."""


@MODELS.add
def cmunext(
    task: Task,
    *,
    widths: tuple[int, ...] = (16, 32, 128, 160, 256),
    depths: tuple[int, ...] = (1, 1, 1, 3, 1),
    kernels: tuple[int, ...] = (3, 3, 7, 7, 7),
) -> keras.Model:
    """CMUNeXt: a U-Net of large depthwise kernels and inverted bottlenecks (Tang et al. 2023, arXiv:2308.01239).

    3,149,185 trainable parameters from 3 channels to 1 output (FengheTan9/CMUNeXt).
    widths, depths, kernels: filters, blocks and edge of the depthwise kernel at each level, fine to coarse.
    Serves 2D and 3D. Edges are multiples of 2 to the number of levels less one. Raises Unfit when the three do not
    have one entry a level or a kernel is even.
    """
    entries = (*widths, *depths, *kernels)
    if not len(widths) == len(depths) == len(kernels) >= 2 or min(entries) < 1 or not all(k % 2 for k in kernels):
        shown = f"widths {list(widths)}, depths {list(depths)}, kernels {list(kernels)}"
        raise Unfit(f"cmunext: {shown} need one entry a level, at least 1, and kernels odd")
    style, stride = Style("batch"), (2,) * task.rank
    image = image_input(task)
    x = conv_unit(require_divisible(image, [stride] * (len(widths) - 1)), widths[0], style)
    levels = []
    for filters, depth, kernel in zip(widths, depths, kernels, strict=True):
        levels.append(conv_unit(_mixed(max_pool(x, stride) if levels else x, depth, kernel, style), filters, style))
        x = levels[-1]
    for features, filters in reversed(list(zip(levels[:-1], widths[:-1], strict=True))):
        raised = conv_unit(LinearUpsampling(stride)(x), filters, style)
        x = _fused(features, raised, filters, style)
    return keras.Model(image, logits(conv(x, task.outputs, 1)))


@MODELS.add
def cmunext_s(
    task: Task,
    *,
    widths: tuple[int, ...] = (8, 16, 32, 64, 128),
    depths: tuple[int, ...] = (1, 1, 1, 1, 1),
    kernels: tuple[int, ...] = (3, 3, 7, 7, 9),
) -> keras.Model:
    """CMUNeXt-S, of 8 to 128 filters (Tang et al. 2023, arXiv:2308.01239).

    417,505 trainable parameters from 3 channels to 1 output (FengheTan9/CMUNeXt).
    """
    return cmunext(task, widths=widths, depths=depths, kernels=kernels)


@MODELS.add
def cmunext_l(
    task: Task,
    *,
    widths: tuple[int, ...] = (32, 64, 128, 256, 512),
    depths: tuple[int, ...] = (1, 1, 1, 6, 3),
    kernels: tuple[int, ...] = (3, 3, 7, 7, 7),
) -> keras.Model:
    """CMUNeXt-L, of 32 to 512 filters (Tang et al. 2023, arXiv:2308.01239).

    8,286,721 trainable parameters from 3 channels to 1 output (FengheTan9/CMUNeXt).
    """
    return cmunext(task, widths=widths, depths=depths, kernels=kernels)


def _mixed(x, depth: int, kernel: int, style: Style):
    """Blocks of a depthwise convolution with residual and an inverted bottleneck; GELU comes before normalisation."""
    for _ in range(depth):
        x = add(x, _settled(depthwise_conv(x, kernel, bias=True), style))
        x = _bottleneck(x, x.shape[-1], style)
    return x


def _fused(features, raised, filters: int, style: Style):
    """Skip and decoder features, each convolved on its own, then mixed by an inverted bottleneck."""
    # The reference writes one convolution of two groups, which TensorFlow computes a hundred times slower on a CPU.
    sides: Sequence = [conv(x, x.shape[-1]) for x in (features, raised)]
    return _bottleneck(_settled(concatenate(*sides), style), filters, style)


def _bottleneck(x, filters: int, style: Style):
    x = _settled(conv(x, EXPANSION * filters, 1), style)
    return _settled(conv(x, filters, 1), style)


def _settled(x, style: Style):
    return normalise(activate(x, "gelu"), style)
