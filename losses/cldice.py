"""Centreline Dice, for tubes: overlap of each skeleton with the other mask."""

from typing import Any

import keras

from ..core.task import Task
from . import LOSSES
from .planes import Tensor, class_mean, scored, space_sum

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

_LARGE = 1e4


@LOSSES.add
def cldice(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    iterations: int = 3,
    smooth: float = 1.0,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Soft clDice: 1 - 2 P S / (P + S) of a case and class (Shit 2021, arXiv:2003.07311).

    P = (sum(skel(p) g) + s) / (sum(skel(p)) + s), topology precision; S = (sum(skel(g) p) + s) / (sum(skel(g)) + s),
    topology sensitivity. skel is the paper's soft skeleton: `iterations` erosions by a cross, what each opening takes
    away being kept; as many as the largest radius in pixels are needed, and each costs time. s is `smooth` in pixels,
    positive. MONAI pools the classes of a case and adds 1e-4 to P + S. Blind to width: use it with a region loss
    (`dice_cldice`). background, weights as in `dice`. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`, 2D
    and 3D. A class absent from truth and prediction costs 0.
    """
    g, p, valid = scored(truth, logits, task, background)
    thin_p, thin_g = soft_skeleton(p, valid, iterations), ops.stop_gradient(soft_skeleton(g, valid, iterations))
    precision = (space_sum(thin_p * g) + smooth) / (space_sum(thin_p) + smooth)
    sensitivity = (space_sum(thin_g * p) + smooth) / (space_sum(thin_g) + smooth)
    return class_mean(1 - 2 * precision * sensitivity / (precision + sensitivity), weights)


def soft_skeleton(x: Tensor, valid: Tensor, iterations: int) -> Tensor:
    """Soft skeleton `(n, *space, k)` of planes from 0 to 1; invalid pixels and the image's outside take no part."""
    outside = _LARGE * (1 - valid)
    skeleton = ops.zeros_like(x)
    for step in range(iterations + 1):
        eroded = _erode(x, outside) * valid
        left = _positive(x - _dilate(eroded, outside)) * valid
        skeleton = skeleton + ops.relu(left - skeleton * left) if step else left
        x = eroded
    return skeleton


def _positive(x: Tensor) -> Tensor:
    """Rectified x, 0 up to rounding: most pixels equal their opening, and XLA may compute the two differently."""
    return ops.where(x > 1e-6, x, 0.0)


def _erode(x: Tensor, outside: Tensor) -> Tensor:
    negative = -x - outside
    found = _line_maximum(negative, 1)
    for axis in range(2, len(x.shape) - 1):
        found = ops.maximum(found, _line_maximum(negative, axis))
    return -found


def _dilate(x: Tensor, outside: Tensor) -> Tensor:
    found = x - outside
    for axis in range(1, len(x.shape) - 1):
        found = _line_maximum(found, axis)
    return found


def _line_maximum(x: Tensor, axis: int) -> Tensor:
    """Maximum of each pixel and its two neighbours along an axis."""
    widths = [(0, 0)] * len(x.shape)
    widths[axis] = (1, 1)
    padded = ops.pad(x, widths, constant_values=-2 * _LARGE)
    before, after = ([slice(None)] * len(x.shape) for _ in range(2))
    before[axis], after[axis] = slice(None, -2), slice(2, None)
    return ops.maximum(x, ops.maximum(padded[tuple(before)], padded[tuple(after)]))
