"""How much scores usually deviate from case to case, where a table does not say."""

import math

SHARE = 0.25
"""Of the largest standard deviation that a mean allows, sqrt(m (1 - m))."""

DEVIATIONS = ("dice", "f1", "iou")
"""Quantities that the share was measured for."""


def typical_deviation(mean: float) -> float:
    """The usual standard deviation over cases of a Dice or IoU of that mean: 0.25 sqrt(m (1 - m))."""
    return SHARE * math.sqrt(mean * (1 - mean))
