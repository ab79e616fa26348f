"""What a comparison needs: the difference that it can find, and the cases and seeds with which it finds one."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scipy.optimize import brentq
from scipy.special import stdtrit

from .components import NOTHING, Components, Nested, Trainings
from .power import Design, Question, design, power

MOST_GROUPS, MOST_SEEDS = 10**6, 1000
"""Where the search for a number ends; what needs more is out of reach."""

UNLIMITED = 1e12
"""Groups that stand for any number of them."""


def detectable(made: Design, question: Question) -> float:
    """The smallest true difference that is found with the power asked for; NaN where none is, for want of groups."""
    scale = math.sqrt(made.of_cases + made.of_seeds)
    if made.many < question.fewest_groups * (1 - 1e-9):
        return math.nan
    if scale == 0:
        return 0.0

    def short(difference: float) -> float:
        return power(made, replace(question, difference=difference)) - question.power

    high = 4.0 * scale
    while short(high) < 0:
        high *= 2
        if high > 1e6 * scale:
            return math.nan
    if short(0.0) >= 0:
        return 0.0
    root: Any = brentq(short, 0.0, high, xtol=1e-6 * scale)
    return float(root)


def needed_groups(found: Components, question: Question, *, seeds: int | None = None, configurations: int = 2) -> float:
    """The fewest groups of the present sizes with which the difference is found with the power asked for, or inf."""

    def enough(groups: int) -> bool:
        made = design(found, groups=groups, seeds=seeds, configurations=configurations)
        return power(made, question) >= question.power

    # Groups of unequal sizes weigh as fewer, and the effective number is what has to suffice.
    return _first(enough, math.floor(question.fewest_groups * found.groups / found.many), MOST_GROUPS)


def needed_seeds(
    found: Components, question: Question, *, groups: float | None = None, configurations: int = 2
) -> float:
    """The fewest seeds of each configuration, from two on, with so many groups (by default the present), or inf."""

    def enough(seeds: int) -> bool:
        made = design(found, groups=groups, seeds=seeds, configurations=configurations)
        return power(made, question) >= question.power

    return _first(enough, 2, MOST_SEEDS)


def independent(deviation: float, correlation: float) -> Components:
    """The components of one training each of two configurations on cases that are all independent.

    Variance of a difference: 2 deviation² (1 - correlation).
    """
    once = Trainings(1, 0.0, NOTHING)
    gap = Nested(2 * deviation**2 * (1 - correlation), 0.0)
    return Components(2, 2, 2.0, 0.0, gap, once, once, (deviation, deviation), correlation)


def significant_cases(deviation: float, correlation: float, question: Question) -> float:
    """The fewest independent cases with which an *observed* difference is just significant.

    The smallest n with t_{n-1} s sqrt(2 (1 - r) / n) <= d, t the quantile of Student's distribution: the probability of
    a false claim of Christodoulou et al. 2025 (arXiv:2505.04720), F_{n-1}(-sqrt(n) d / sqrt(s² + s² - 2 s² r)), is at
    most alpha from there on. A true difference of that size is found by about every second such test.
    """
    spread = deviation * math.sqrt(2 * (1 - correlation))

    def enough(cases: int) -> bool:
        return float(stdtrit(cases - 1, 1 - question.tail)) * spread <= question.difference * math.sqrt(cases)

    return _first(enough, 2, MOST_GROUPS)


def _first(enough: Callable[[int], bool], least: int, most: int) -> float:
    """The smallest number from `least` on that is enough, inf where not even `most` is; more is never worse."""
    if enough(least):
        return float(least)
    if not enough(most):
        return math.inf
    low, high = least, 2 * least
    while not enough(high):
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)
