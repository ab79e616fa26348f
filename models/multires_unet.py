"""MultiResUNet and DC-UNet: chains of 3×3 convolutions in place of an inception block, residual paths as skips."""

from functools import partial

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.layers import activate, add, concatenate, conv
from .parts.norm import normalise
from .parts.skeleton import assemble, doubled_widths, logits
from .parts.style import Style

SHARES = (0.167, 0.333, 0.5)
"""Shares of a block's width that its three convolutions of growing reach have."""


@MODELS.add
def multires_unet(
    task: Task, *, width: int = 32, depth: int = 4, alpha: float = 1.67, normalisation: str = "batch"
) -> keras.Model:
    """MultiResUNet: blocks of three chained 3×3 convolutions, residual skips (Ibtehaz & Rahman 2020, arXiv:1902.04049).

    From 3 channels to 1 output in 2D 7,238,228 trainable parameters and 7,262,750 with running statistics, from 4
    channels in 3D 18,633,167 and 18,657,689 (nibtehaz/MultiResUNet, Keras). alpha: a block's filters are
    alpha times those of the U-Net of that width. Serves 2D and 3D. Edges are multiples of 2**depth. Raises Unfit when a
    convolution would have no filter.
    """
    return _multires(task, width, depth, normalisation, partial(_multires_block, alpha=alpha), alpha)


@MODELS.add
def dc_unet(
    task: Task, *, width: int = 32, depth: int = 4, alpha: float = 1.67, normalisation: str = "batch"
) -> keras.Model:
    """DC-UNet: MultiResUNet's chain twice side by side in place of the shortcut (Lou et al. 2021, arXiv:2006.00414).

    From 3 channels to 1 output in 2D 10,040,524 trainable parameters and 10,069,928 with running statistics
    (AngeLouCN/DC-UNet, Keras). alpha: a block's filters are alpha times those of the U-Net of that width.
    Serves 2D and 3D. Edges are multiples of 2**depth. Raises Unfit when a convolution would have no filter.
    """
    return _multires(task, width, depth, normalisation, partial(_dual_block, alpha=alpha), alpha)


def _multires(task: Task, width: int, depth: int, normalisation: str, block, alpha: float) -> keras.Model:
    widths, style = doubled_widths(width, depth), Style(normalisation, bias=normalisation == "none")
    if min(_filters(width, alpha)) < 1:
        raise Unfit(f"width {width} times alpha {alpha} leaves a convolution without filters; 4 × 1.67 is enough")

    def residual_path(features, gating, style: Style):
        filters = gating.shape[-1]
        for _ in range(depth - widths.index(filters)):
            sides = _unit(features, filters, style, 1, activation=None), _unit(features, filters, style)
            features = normalise(activate(add(*sides), style.activation), style)
        return features

    def head(levels, outputs: int, style: Style):
        return logits(_unit(levels[0], outputs, style, 1, activation=None))

    return assemble(task, widths, style, block=block, skip=residual_path, head=head)


def _multires_block(x, filters: int, style: Style, *, alpha: float):
    shortcut = _unit(x, sum(_filters(filters, alpha)), style, 1, activation=None)
    return _joined(shortcut, _chain(x, filters, style, alpha), style)


def _dual_block(x, filters: int, style: Style, *, alpha: float):
    return _joined(_chain(x, filters, style, alpha), _chain(x, filters, style, alpha), style)


def _chain(x, filters: int, style: Style, alpha: float):
    parts = []
    for share in _filters(filters, alpha):
        x = _unit(x, share, style)
        parts.append(x)
    return normalise(concatenate(*parts), style)


def _joined(left, right, style: Style):
    return normalise(activate(add(left, right), style.activation), style)


def _unit(x, filters: int, style: Style, kernel: int = 3, *, activation: str | None = "relu"):
    # The factor of a normalisation is redundant before ReLU and a convolution, and the authors leave it out everywhere.
    x = normalise(conv(x, filters, kernel, bias=style.bias), style, scale=False)
    return x if activation is None else activate(x, activation)


def _filters(width: int, alpha: float) -> tuple[int, ...]:
    return tuple(int(alpha * width * share) for share in SHARES)
