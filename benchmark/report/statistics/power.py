"""How likely a paired test tells two configurations apart.

The test is that of `compare`: sign flips of whole groups and Student's t for the seeds. Its power is computed for
normal scores, for which the flips have the power of a t test over groups.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import chdtri, nctdtr, ndtr, ndtri, stdtr, stdtrit

from .components import Components, Nested

NODES = 512
"""Points at which the variances that a test estimates are averaged over."""

SHARES = np.linspace(0.0, 1.0, 17)
"""Of the standard deviation of the seeds in the whole, for which quantiles are computed; others lie between."""

STEPS = 200
"""Of the search for a difference that is just significant, which nears it by half and more each."""


@dataclass(frozen=True)
class Question:
    """What a test is to find: true `difference`, with probability `power`, at level `alpha`, on one side or on two.

    comparisons: tests that alpha is shared by (Bonferroni, the first and hardest step of Holm's correction).
    """

    difference: float = 0.01
    power: float = 0.8
    alpha: float = 0.05
    two_sided: bool = True
    comparisons: int = 1

    @property
    def tail(self) -> float:
        """Share of one tail beyond which a statistic is significant."""
        return self.alpha / self.comparisons / (2 if self.two_sided else 1)

    @property
    def fewest_groups(self) -> int:
        """Groups below which not even the clearest difference is significant, for p is 2^-groups a side at least."""
        return max(2, math.ceil(-math.log2(self.tail) - 1e-9))


@dataclass(frozen=True)
class Design:
    """A comparison that could be made.

    many: effective groups. of_cases: variance of the mean difference from the draw of groups and cases, by all that
    differs between them. of_seeds: from the draw of seeds, by what shifts all cases at once. seen: variance of each
    configuration's mean over its seeds, over their number: what a test measures of it, with what is left of the cases.
    others: of each further configuration of the table, likewise. seeds: of every configuration. configurations: how
    many the test pools seeds over. With one seed the test sees no seeds, and `of_seeds` does not count.
    """

    many: float
    of_cases: float
    of_seeds: float
    seen: tuple[float, float]
    others: float
    seeds: tuple[int, int]
    configurations: int = 2

    @property
    def trained_only(self) -> bool:
        """Whether the trained networks are compared and not the methods."""
        return max(self.seeds) < 2


def design(
    found: Components, *, groups: float | None = None, seeds: int | None = None, configurations: int = 2
) -> Design:
    """The design of so many groups, of the present sizes, and seeds a configuration; by default the present ones."""
    share = 1.0 if groups is None else groups / found.groups
    many, cases = found.many * share, found.cases * share
    ones = (found.first, found.second)
    counts = tuple(one.seeds if seeds is None else seeds for one in ones)
    rests = [one.residual.times(1 / count) for one, count in zip(ones, counts, strict=True)]
    shifts = [one.shift / count for one, count in zip(ones, counts, strict=True)]
    gap: Nested = found.gap + rests[0] + rests[1]
    seen = [shift + rest.of_mean(many, cases) for shift, rest in zip(shifts, rests, strict=True)]
    return Design(
        many=many,
        of_cases=gap.of_mean(many, cases),
        of_seeds=sum(shifts),
        seen=(seen[0], seen[1]),
        others=min(seen),  # what is pooled is no more than the larger of the two
        seeds=(counts[0], counts[1]),
        configurations=configurations,
    )


def power(made: Design, question: Question) -> float:
    """Probability that the test finds the difference, in its direction or, two-sided, in either.

    Flips of the signs of m groups spread by the variance A = (s² (m - 1) / m + x²) / m, of which x, the mean difference
    itself, is part; B is what the seeds are taken to add, with ν = Σ (seeds - 1) degrees of freedom over the
    configurations. s² and B are estimates, over which the power is averaged. x is significant beyond

        q sqrt(A + B),   q the quantile of sqrt(A / (A + B)) Z + sqrt(B / (A + B)) T_ν,

    Z the flips, whose quantile is z² = m t² / (m - 1 + t²), t that of Student's distribution with m - 1 degrees of
    freedom: with it, the power without seeds is that of the paired t test, 1 - F(t; m - 1, d sqrt(m) / s), F the
    noncentral t distribution. 0 for fewer groups than a test of sign flips can find anything with.
    """
    if made.many < question.fewest_groups * (1 - 1e-9):
        return 0.0
    freedom = made.many - 1
    beyond = float(stdtrit(freedom, 1 - question.tail))
    if made.of_cases == 0 and (made.trained_only or not any(made.seen)):
        return 1.0 if question.difference else 0.0
    if made.trained_only:
        shift = question.difference / math.sqrt(made.of_cases)
        found = 1 - _noncentral(freedom, shift, beyond)
        return found + (_noncentral(freedom, shift, -beyond) if question.two_sided else 0.0)
    critical = _critical(made, beyond, question)
    spread = math.sqrt(made.of_cases + made.of_seeds)
    found = ndtr((question.difference - critical) / spread)
    if question.two_sided:
        found = found + ndtr((-question.difference - critical) / spread)
    return float(found.mean())


def _critical(made: Design, beyond: float, question: Question) -> np.ndarray:
    """The mean difference from which on it is significant, at each node of what the test estimates."""
    many, freedom = made.many, made.many - 1
    normal = float(ndtri(1 - question.tail))
    lighter = math.sqrt(many * beyond**2 / (freedom + beyond**2)) - normal
    own = made.of_cases * _estimates(freedom, 0) * freedom / many  # s² (m - 1) / m², and s² = V m
    seeds, of_seeds = _seeds_estimated(made)
    quantiles = _quantiles(of_seeds, question.tail)
    found = np.zeros(NODES)
    for _ in range(STEPS):
        cases = own + found**2 / many
        share = seeds / (cases + seeds)
        reach = np.interp(np.sqrt(share), SHARES, quantiles) + (1 - share) * lighter
        further = reach * np.sqrt(cases + seeds)
        near = (np.abs(further - found) <= 1e-6 * further).all()
        found = further
        if near:
            break
    return found


@lru_cache(maxsize=256)
def _quantiles(freedom: float, tail: float, points: int = 100) -> np.ndarray:
    """Quantiles of sqrt(1 - w²) Z + w T for each w of `SHARES`: Z normal, T Student's, by bisection."""
    normal = float(ndtri(1 - tail))
    share, drawn = SHARES[1:, None], ndtri((np.arange(points) + 0.5) / points) * np.sqrt(1 - SHARES[1:, None] ** 2)
    low, high = np.zeros(len(share)), np.full(len(share), normal + float(stdtrit(freedom, 1 - tail)))
    for _ in range(32):
        middle = (low + high) / 2
        more = stdtr(freedom, (drawn - middle[:, None]) / share).mean(axis=1) > tail
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return np.array([normal, *low])


def _noncentral(freedom: float, shift: float, value: float) -> float:
    """Distribution function of the noncentral t; far out in the tail, where the series ends in NaN, it is 0 or 1."""
    found = float(nctdtr(freedom, shift, value))
    return found if not math.isnan(found) else float(value > shift)


def _seeds_estimated(made: Design) -> tuple[np.ndarray, float]:
    """What the test takes the variance of the seeds for, at each node, and the degrees of freedom behind it.

    As in `compare`: of each configuration its own variance, but at least that pooled over all of the table.
    """
    own = [count - 1 for count in made.seeds]
    rest = round((made.configurations - 2) * (sum(own) / 2))
    shares: list[np.ndarray] = []
    for place, (count, variance) in enumerate(zip(own, made.seen, strict=True), start=1):
        shares.append(variance * _estimates(count, place) if count else np.zeros(NODES))
    others = made.others * _estimates(rest, 3) if rest else np.zeros(NODES)
    freedom = own[0] + own[1] + rest
    mean = (own[0] * shares[0] + own[1] * shares[1] + rest * others) / freedom
    return np.maximum(shares[0], mean) + np.maximum(shares[1], mean), float(freedom)


@lru_cache(maxsize=256)
def _estimates(freedom: float, place: int) -> np.ndarray:
    """At each node, an estimate of a variance with so many degrees of freedom as a share of its true value."""
    found = chdtri(freedom, _nodes()[:, place]) / freedom
    found.flags.writeable = False
    return found


@lru_cache(maxsize=1)
def _nodes() -> np.ndarray:
    """Points that fill the unit cube evenly, (nodes, 4): a Kronecker sequence of a generalised golden ratio."""
    root = 1.1673039782614187  # of x^5 = x + 1
    found = (0.5 + np.arange(1, NODES + 1)[:, None] * root ** -np.arange(1, 5)) % 1
    found.flags.writeable = False
    return found
