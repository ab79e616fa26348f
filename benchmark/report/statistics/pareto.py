"""The Pareto front: what no other beats. One rule for tables, plots and recommendations."""

import numpy as np

DIGITS = 4
"""Decimals of Dice that count: further ones are the rounding of float32."""


def counted_dice(dice: float) -> float:
    """Dice as it counts where files or networks are compared: to four decimals. NaN stays."""
    return round(float(dice), DIGITS)


def pareto(dice: np.ndarray, *costs: np.ndarray) -> list[int]:
    """Indices of the points that no other beats: better in one of Dice and costs, at least as good in all the others.

    dice: (n,), as `counted_dice` has it, the higher the better. costs: (n,) each, such as seconds or bytes, the lower
    the better. Points that are equal in everything are all there or none is. Nothing beats NaN and NaN beats nothing.
    """
    goals = np.array([[-counted_dice(value) for value in dice], *costs], float)
    others, own = goals[:, :, None], goals[:, None, :]
    beaten = (others <= own).all(axis=0) & (others < own).any(axis=0)
    return [int(index) for index in np.flatnonzero(~beaten.any(axis=0))]
