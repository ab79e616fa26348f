"""Losses on the distance to the boundary; they need maps of the truth, see `auxiliary_targets`."""

from typing import Any

import keras

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .auxiliary_targets import auxiliary_targets, on_host, requires_targets
from .distance import REACH, edges, signed
from .planes import Tensor, class_mean, counted, pixel_ce, scored, space_mean, valid_mean

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


@LOSSES.add
@requires_targets("signed_distance")
def boundary(
    truth: Tensor, logits: Tensor, task: Task, *, background: bool = False, weights: tuple[float, ...] = ()
) -> Tensor:
    """Boundary loss: mean of phi (p - g) over pixels, phi the signed distance to the truth (Kervadec 2019).

    phi is in pixels, negative inside. The paper drops the constant phi g, so its value is ours plus the mean of phi g,
    which can be negative; the gradient is the same. Our boundary runs between pixels (-1/2, 1/2); the paper's code and
    MONAI put it on the outermost pixels inside (0, 1), where an error is free. A class absent from the truth, or
    everywhere, has no boundary and costs 0 whatever is predicted: use it with a region loss (`dice_boundary`, with the
    paper's schedule). background, weights as in `dice`. Truth `(n, *space, t)` with or without the channels of
    `signed_distance`, logits `(n, *space, k)`, value `(n,)`, in pixels. arXiv:1812.07032
    """
    (away,) = auxiliary_targets(truth, task, "signed_distance")
    g, p, valid = scored(truth, logits, task, background)
    return class_mean(space_mean(counted(away, task, background) * (p - g), valid), weights)


@LOSSES.add
@requires_targets("signed_distance")
def hausdorff(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    alpha: float = 2.0,
    one_sided: bool = False,
    logarithm: bool = False,
    background: bool = False,
    weights: tuple[float, ...] = (),
) -> Tensor:
    """Hausdorff distance-transform loss: mean of (p - g)² (d_g^alpha + d_p^alpha) (Karimi 2019, arXiv:1904.10030).

    d_g, d_p: distance in pixels to the boundary of the truth and of p > 1/2, 1 at the pixels beside it, as in MONAI; 0
    everywhere when there is no boundary, so an empty truth without a prediction costs nothing: use it with a region
    loss. d_p is transformed anew at every step, on the host, and has no gradient; one_sided leaves it out (the paper's
    DT-OS), which costs no transform. logarithm: log(1 + loss), of a scale like Dice's. background, weights as in
    `dice`. Truth `(n, *space, t)` with or without the channels of `signed_distance`, logits `(n, *space, k)`, value
    `(n,)`, in pixels^alpha.
    """
    (away,) = auxiliary_targets(truth, task, "signed_distance")
    g, p, valid = scored(truth, logits, task, background)
    field = _unsigned(counted(away, task, background)) ** alpha
    if not one_sided:
        mask = ops.stop_gradient(p)
        found = on_host(lambda m, v: signed(m > 0.5, v > 0, edges(task)), mask.shape[-1], mask, valid)
        field = field + _unsigned(found) ** alpha
    values = class_mean(space_mean(ops.square(p - g) * field, valid), weights)
    return ops.log1p(values) if logarithm else values


@LOSSES.add
@requires_targets("gap")
def border_weighted_ce(truth: Tensor, logits: Tensor, task: Task, *, w0: float = 10.0, sigma: float = 5.0) -> Tensor:
    """U-Net's weighted cross-entropy: mean of (1 + w0 exp(-(d1 + d2)² / 2 sigma²)) c (Ronneberger 2015).

    c is the pixel's cross-entropy as in `ce`; d1, d2 the distances in pixels to the nearest and second nearest object,
    for background pixels: the narrow gaps between objects weigh up to 1 + w0. Objects are connected components of the
    truth (by faces), so touching instances of one mask are one object. The paper's class weight w_c is 1 here, and the
    mean is over pixels, not over weights. Distances are looked for within 30 pixels, so sigma is at most 7.5. Truth
    `(n, *space, t)` with or without the channels of `gap`, logits `(n, *space, k)`, value `(n,)`. A case all ignored
    costs 0. Raises SpecError for another sigma. arXiv:1505.04597
    """
    if not 0 < sigma <= REACH / 4:
        raise SpecError(f"border_weighted_ce: sigma is {sigma}; above 0 and at most {REACH / 4} pixels")
    (between,) = auxiliary_targets(truth, task, "gap")
    values, valid, _ = pixel_ce(truth, logits, task)
    return valid_mean(values * (1 + w0 * ops.exp(-ops.square(between) / (2 * sigma**2))), valid)


def _unsigned(distance: Tensor) -> Tensor:
    """Distance to the nearest pixel of the other side."""
    return ops.where(distance == 0, 0.0, ops.abs(distance) + 0.5)
