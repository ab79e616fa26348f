"""Normalisations by name, for 2D and 3D."""

from collections.abc import Callable
from typing import Any

import keras

from ...core.errors import Unfit
from .batch_norm import BatchNorm
from .group_norm import GroupNorm
from .style import Style

MOMENTUM = 0.9
"""Share of the old running mean that one step keeps. Keras' own 0.99 needs some 500 steps to forget its start."""

EPSILON = 1e-5

RENORM_CLIPPING = {"rmin": 1 / 3, "rmax": 3.0, "dmax": 5.0}
"""Bounds of the correction of batch renormalisation (Ioffe 2017, section 4: r_max 3, d_max 5)."""


def normalise(x, style: Style, *, scale: bool = True):
    """Normalise `(n, *space, c)` as the style says; `none` returns x.

    scale: whether a learned factor follows. Raises Unfit when groups do not divide c.
    """
    return norm_layer(x.shape[-1], style, scale=scale)(x)


def norm_layer(channels: int, style: Style, *, scale: bool = True) -> Callable[[Any], Any]:
    """The layer of `normalise`, for one that is called more than once with the same weights."""
    if style.normalisation == "none":
        return lambda x: x
    if style.normalisation == "renorm":
        return renorm_layer(scale)
    if style.normalisation == "batch":
        return BatchNorm(momentum=MOMENTUM, epsilon=EPSILON, scale=scale)
    groups = channels if style.normalisation == "instance" else style.groups
    if channels % groups:
        raise Unfit(f"group normalisation: {channels} channels do not divide into {groups} groups; change the width")
    return GroupNorm(groups, epsilon=EPSILON, scale=scale)


def renorm_layer(scale: bool) -> Callable[[Any], Any]:
    """Batch renormalisation (Ioffe 2017, arXiv:1702.03275): y = gamma ((x - mean) / sd · r + d) + beta in training.

    r = sd / running sd and d = (mean - running mean) / running sd, of which no gradient is taken, make training see
    what prediction will: the running statistics, which do not depend on the window. Both are cut to `RENORM_CLIPPING`,
    the paper's final bounds. Raises Unfit where Keras is older than 3.15, which brought it.
    """
    try:
        return keras.layers.BatchNormalization(
            momentum=MOMENTUM,
            epsilon=EPSILON,
            scale=scale,
            renorm=True,
            renorm_clipping=RENORM_CLIPPING,
            renorm_momentum=MOMENTUM,
        )
    except (TypeError, ValueError):
        raise Unfit(f"normalisation: renorm needs Keras 3.15 or later, this is {keras.__version__}") from None


def standardise(x):
    """Instance normalisation of `(n, *space, c)` without learned factor and offset."""
    return GroupNorm(x.shape[-1], epsilon=EPSILON, center=False, scale=False)(x)
