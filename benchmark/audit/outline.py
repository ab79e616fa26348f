"""How far the outline of a mask lies from where models see it."""

from dataclasses import dataclass

import edt
import numpy as np
from scipy import ndimage

from .planes import Plane

BAND = 6
"""Pixels on both sides of an outline within which it may lie."""


@dataclass(frozen=True)
class Outline:
    """Of one case. offset: mean distance in pixels; growth: with its sign, above 0 where the mask is too large.

    uncertainty: mean of 4 p (1 - p) on the outline, of its own class: 1 where models do not know. NaN of no outline.
    """

    offset: float
    growth: float
    uncertainty: float


def outline(plane: Plane) -> Outline:
    """Measure all classes but the background together.

    For a class with mask L and probability p, in the band of `BAND` pixels around its outline: the area of what models
    see outside of the mask, A = sum of max(p - 1/2, 0) 2 where L = 0, and that of what they do not see in it, B; over
    the pixels n of the outline offset = (A + B) / n, growth = (B - A) / n. Ignored pixels do not count.
    """
    mean, known = plane.mean, plane.labels >= 0
    over = under = soft = length = 0.0
    for k in range(1, len(plane.classes)):
        mask = plane.labels == k
        edge = mask & ndimage.binary_dilation(~mask & known)
        if not edge.any():
            continue
        band = known & (edt.edt(~edge) <= BAND)
        p = mean[..., k]
        over += float((2 * np.maximum(p - 0.5, 0))[band & ~mask].sum())
        under += float((2 * np.maximum(0.5 - p, 0))[band & mask].sum())
        soft += float((4 * p * (1 - p))[edge].sum())
        length += float(edge.sum())
    if not length:
        return Outline(float("nan"), float("nan"), float("nan"))
    return Outline((over + under) / length, (under - over) / length, soft / length)
