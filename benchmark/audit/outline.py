"""How far the outline of a mask lies from where models are sure to see it."""

from dataclasses import dataclass

import edt
import numpy as np
from scipy import ndimage

from .confident import Usual, suggested
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

    Over the pixels for which models suggest a class that the mask has within `REACH`, with u how sure they are of it
    (`Usual.sureness`) and n the pixels of the outlines: offset = sum of u^2 / n, growth = (sum of u^2 where they
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
    found, sure = suggested(plane, usual.thresholds), np.zeros(plane.labels.shape)
    for k in (int(k) for k in np.unique(plane.labels) if k >= 0):
        here = (found == k) & (edt.edt(plane.labels != k) <= REACH)
        sure[here] = usual.sureness(k, mean[..., k][here]) ** 2
    over, under = float(sure[found == 0].sum()), float(sure[plane.labels == 0].sum())
    return Outline(float(sure.sum()) / length, (over - under) / length, soft / length)
