"""Recurrent residual U-Nets."""

from functools import partial

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.gates import additive_gate
from .parts.layers import activate, add, conv, conv_layer, rank
from .parts.norm import norm_layer
from .parts.resampling import repeated_unit
from .parts.skeleton import assemble, doubled_widths, plain_skip
from .parts.style import Style


@MODELS.add
def r2_unet(
    task: Task, *, width: int = 64, depth: int = 4, recurrences: int = 2, normalisation: str = "batch"
) -> keras.Model:
    """R2U-Net: blocks call a convolution again and again and add a residual (Alom et al. 2018, arXiv:1802.06955).

    39,091,393 trainable parameters from 3 channels to 1 output (LeeJunHyun/Image_Segmentation, t = 2).
    recurrences: times that a convolution is called again on its output plus its first input; no more weights.
    Serves 2D and 3D. Edges are multiples of 2**depth.
    """
    return _r2(task, width, depth, recurrences, normalisation, plain_skip)


@MODELS.add
def r2_attention_unet(
    task: Task, *, width: int = 64, depth: int = 4, recurrences: int = 2, normalisation: str = "batch"
) -> keras.Model:
    """R2U-Net (Alom et al. 2018) whose skips pass the attention gate of Oktay et al. 2018 (LeeJunHyun, GitHub 2018).

    39,442,925 trainable parameters from 3 channels to 1 output (LeeJunHyun/Image_Segmentation, t = 2).
    Serves 2D and 3D. Edges are multiples of 2**depth.
    """
    return _r2(task, width, depth, recurrences, normalisation, additive_gate)


def _r2(task: Task, width: int, depth: int, recurrences: int, normalisation: str, skip) -> keras.Model:
    if not isinstance(recurrences, int) or recurrences < 1:
        raise Unfit(f"recurrences is {recurrences!r}; it is a number of calls, at least 1")
    block = partial(_recurrent_residual, recurrences=recurrences)
    style = Style(normalisation)
    return assemble(task, doubled_widths(width, depth), style, block=block, up=repeated_unit, skip=skip)


def _recurrent_residual(x, filters: int, style: Style, *, recurrences: int):
    x = conv(x, filters, 1)
    return add(x, _recurrent(_recurrent(x, filters, style, recurrences), filters, style, recurrences))


def _recurrent(x, filters: int, style: Style, recurrences: int):
    shared, norm = conv_layer(rank(x), filters), norm_layer(filters, style)
    state = activate(norm(shared(x)), style.activation)
    for _ in range(recurrences):
        state = activate(norm(shared(add(x, state))), style.activation)
    return state
