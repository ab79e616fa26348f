"""U²-Net: a U-Net whose blocks are U-Nets."""

from collections.abc import Sequence

import keras

from ..core.errors import Unfit
from ..core.task import Task
from . import MODELS
from .parts.layers import activate, add, concatenate, conv, max_pool
from .parts.norm import normalise
from .parts.resampling import LinearUpsampling
from .parts.skeleton import image_input, logits, require_divisible
from .parts.style import Style

DEPTHS = (5, 4, 3, 2, 0, 0)
"""Poolings inside the block of each stage; none means dilated convolutions in their place."""

POOLINGS = 5
"""Between the stages, and as many at most from the image to the inside of a block."""


@MODELS.add
def u2_net(task: Task, *, width: int = 64, deep_supervision: bool = False, normalisation: str = "batch") -> keras.Model:
    """U²-Net: six stages of residual U-blocks, all side outputs fused (Qin et al. 2020, arXiv:2005.09007).

    44,009,869 trainable parameters from 3 channels to 1 output (xuebinqin/U-2-Net). width: filters that the first
    stage gives, an even number of at least 4.
    deep_supervision: the fused logits, then those of the six sides, interpolated to the image's size, finest first.
    Serves 2D and 3D. Edges are multiples of 32. Raises Unfit for another width.
    """
    if not isinstance(width, int) or width < 4 or width % 4:
        raise Unfit(
            f"u2_net: width is {width!r}; it is a multiple of 4, from which the blocks take a half and a quarter"
        )
    inner = tuple(width * share // 2 for share in (1, 1, 2, 4, 8, 8))
    outer = tuple(width * share for share in (1, 2, 4, 8, 8, 8))
    inner_up = tuple(width * share // 4 for share in (1, 2, 4, 8, 16))
    outer_up = tuple(width * share for share in (1, 1, 2, 4, 8))
    return _nested(task, inner, outer, inner_up, outer_up, deep_supervision, Style(normalisation))


@MODELS.add
def u2_net_p(
    task: Task, *, width: int = 64, deep_supervision: bool = False, normalisation: str = "batch"
) -> keras.Model:
    """U²-Net of one width everywhere, the small one (Qin et al. 2020, arXiv:2005.09007).

    1,131,181 trainable parameters from 3 channels to 1 output (xuebinqin/U-2-Net). width: filters that every stage
    gives, a multiple of 4; inside there is a quarter of them. The rest is as in `u2_net`.
    """
    if not isinstance(width, int) or width < 4 or width % 4:
        raise Unfit(f"u2_net_p: width is {width!r}; it is a multiple of 4, for the blocks have a quarter inside")
    outer, inner = (width,) * 6, (width // 4,) * 6
    return _nested(task, inner, outer, inner[:5], outer[:5], deep_supervision, Style(normalisation))


def _nested(
    task: Task,
    inner: Sequence[int],
    outer: Sequence[int],
    inner_up: Sequence[int],
    outer_up: Sequence[int],
    deep_supervision: bool,
    style: Style,
) -> keras.Model:
    image = image_input(task)
    x = require_divisible(image, [(2,) * task.rank] * POOLINGS)
    encoded = []
    for stage, depth in enumerate(DEPTHS):
        x = _block(max_pool(x) if stage else x, inner[stage], outer[stage], depth, style)
        encoded.append(x)
    decoded = [x]
    for stage in reversed(range(POOLINGS)):
        joined = concatenate(_enlarged(decoded[0], 1), encoded[stage])
        decoded.insert(0, _block(joined, inner_up[stage], outer_up[stage], DEPTHS[stage], style))
    sides = [_enlarged(conv(x, task.outputs), level) for level, x in enumerate(decoded)]
    fused = conv(concatenate(*sides), task.outputs, 1)
    if not deep_supervision:
        return keras.Model(image, logits(fused))
    return keras.Model(image, [logits(head, f"logits_{k}") for k, head in enumerate([fused, *sides], 1)])


def _block(x, inner: int, outer: int, depth: int, style: Style):
    """Residual U-block: a U-Net of one width inside, whose output joins its input; dilated where nothing is pooled."""
    pooling = depth > 0
    rates = (1,) * (depth + 1) if pooling else (1, 2, 4)
    entry = x = _unit(x, outer, style)
    levels = []
    for level, rate in enumerate(rates):
        x = _unit(max_pool(x) if level and pooling else x, inner, style, rate)
        levels.append(x)
    x = _unit(x, inner, style, 2 if pooling else 8)
    for level, rate in reversed(list(enumerate(rates))):
        x = _unit(concatenate(x, levels[level]), inner if level else outer, style, rate)
        x = _enlarged(x, 1) if level and pooling else x
    return add(x, entry)


def _unit(x, filters: int, style: Style, dilation: int = 1):
    return activate(normalise(conv(x, filters, dilation=dilation), style), style.activation)


def _enlarged(x, steps: int):
    return LinearUpsampling((2**steps,) * (len(x.shape) - 2))(x) if steps else x
