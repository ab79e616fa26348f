"""How far the outline of a mask lies from where models are sure to see it."""

from dataclasses import dataclass

import edt
import numpy as np
from scipy import ndimage

from .confident import Usual
from .planes import Plane

REACH = 4.0
"""Pixels by which an outline is off at most; what lies further from the suggested class is an object, no outline."""


@dataclass(frozen=True)
class Outline:
    """Of one case. offset: mean distance in pixels; growth: with its sign, above 0 where the mask is too large.

    uncertainty: mean of 4 p (1 - p) on the outline, of its own class: 1 where models do not know. NaN of no outline.
    """

    offset: float
    growth: float
    uncertainty: float


def outline(plane: Plane, usual: Usual) -> Outline:
    """Measure all classes but the background together.

    Over the pixels of which models suggest another answer that the mask has within `REACH`, with u how sure they are
    of it (`Side.sureness`) and n the pixels of the outlines: offset = sum of u^2 / n, growth = (sum of u^2 where they
    suggest background - sum of u^2 where the mask has background) / n. Ignored pixels do not count.
    """
    mean, known = plane.mean, plane.labels >= 0
    edge, soft = np.zeros(plane.labels.shape, bool), 0.0
    for k in range(1, len(plane.classes)):
        mask = plane.labels == k
        own = mask & ndimage.binary_dilation(~mask & known)
        soft += float((4 * mean[..., k] * (1 - mean[..., k]))[own].sum())
        edge |= own
    length = int(edge.sum())
    if not length:
        return Outline(float("nan"), float("nan"), float("nan"))
    offset = growth = 0.0
    for side in usual.sides(plane):
        if side.there.any():
            near = side.here & (edt.edt(~side.there) <= REACH)
            sure = side.sureness**2
            offset += float(sure[near].sum())
            growth += float(sure[near].sum()) if 0 in side.classes else -float(sure[near & (plane.labels == 0)].sum())
    return Outline(offset / length, growth / length, soft / length)
