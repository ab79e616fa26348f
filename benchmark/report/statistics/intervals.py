"""Means and intervals of scores: cases clustered by group, several seeds a configuration.

Arrays of one configuration are `values (s, n)`: s seeds, n cases, NaN where undefined; `groups (n,)` says which
cases belong together (patient, plate, slide).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, stdtrit

from .cases import by_group, mean_of, ratio

MINIMUM_GROUPS = 6
"""Fewest groups from which an interval is given: with five, no two-sided sign-flip test can reach 5 %."""


@dataclass(frozen=True)
class Estimate:
    """Mean over cases, then over seeds; spread: standard deviation over seeds (n - 1), NaN for one seed.

    low, high: ends of the 95 % interval, NaN where too few groups allow none. by_seed: the mean of each seed.
    With an infinite score the mean is infinite, without spread and interval.
    """

    mean: float
    spread: float
    low: float
    high: float
    by_seed: tuple[float, ...]


def estimate(
    values: np.ndarray,
    groups: np.ndarray,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Mean, spread and interval of one configuration.

    bounds: the range of the score, NaN where it has no end; the interval is cut there, or at the scores outside it.
    """
    means = mean_of(values, axis=1)
    means = means[~np.isnan(means)]
    spread = float(means.std(ddof=1)) if len(means) > 1 and np.isfinite(means).all() else float("nan")
    low, high = cut(interval(values, groups, draws=draws, seed=seed), values, bounds)
    return Estimate(float(mean_of(means, axis=0)), spread, low, high, tuple(map(float, means)))


def cut(ends: tuple[float, float], values: np.ndarray, bounds: tuple[float, float]) -> tuple[float, float]:
    """The ends of an interval cut at the range of a score, NaN where it has none, or at the scores outside it."""
    low, high = ends
    if not math.isnan(low):
        low = max(low, min(bounds[0], float(np.nanmin(values)))) if not math.isnan(bounds[0]) else low
        high = min(high, max(bounds[1], float(np.nanmax(values)))) if not math.isnan(bounds[1]) else high
    return low, high


def interval(
    values: np.ndarray, groups: np.ndarray, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Interval of the mean from a bootstrap of whole groups, widened for few of them, and Student's t over seeds.

    Each draw takes as many groups as there are, with replacement; its value is the mean over the cases drawn, then over
    seeds (clusters as units: Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x). With Q its quantile function,
    Φ the normal and t_k Student's distribution function, groups and seeds are added as independent:

        Q(Φ(sqrt(m / (m - 1)) t_{m-1}^{-1}(U))) + sqrt(v / s) t_{s-1}^{-1}(V),   U, V uniform,

    and the interval holds the middle `level` of this. The first term's ends are the expanded percentiles of Hesterberg
    2015 (doi:10.1080/00031305.2015.1089789), without which few groups cover too little; m = (Σ c)² / Σ c² is how many
    groups of one size would weigh as much as these, of c cases each (Kish 1965). v is the variance over the s seeds of
    the mean, as in `compare`. With one seed the second term is missing and the interval covers the cases only.
    NaN for fewer than `MINIMUM_GROUPS` groups with a defined case, or m < 2: one group outweighs the others; and where
    a score is infinite, as distances of empty masks are under some policies.
    docs/numbers.md has the measured coverage.
    """
    if np.isinf(values).any():
        return float("nan"), float("nan")
    sums, counts = by_group(values, groups)
    some = counts.any(axis=0)
    sums, counts = sums[:, some], counts[:, some]
    many = effective(counts.sum(axis=0))
    if sums.shape[1] < MINIMUM_GROUPS or many < 2:
        return float("nan"), float("nan")
    of_groups = group_draws(sums.shape[1], draws, seed)
    if (counts == counts[0]).all():  # the mean over seeds of quotients with one divisor
        drawn = ratio(of_groups @ sums.mean(axis=0), of_groups @ counts[0])
    else:
        drawn = mean_of(ratio(of_groups @ sums.T, of_groups @ counts.T), axis=1)
    drawn = drawn[~np.isnan(drawn)]
    means = ratio(sums.sum(axis=1), counts.sum(axis=1))
    means = means[~np.isnan(means)]
    return widened(drawn, means, many, many - 1, level=level, draws=draws, seed=seed)


def widened(
    drawn: np.ndarray,
    means: np.ndarray,
    many: float,
    freedom: float,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """The ends of an interval from a bootstrap of groups and the means of seeds, as `interval` has them.

    drawn (d,): what was drawn, means (s,): one a seed, both without NaN. many: groups that a draw resamples together.
    freedom: degrees of freedom behind them, which is many - 1 unless several strata are resampled apart.
    """
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    outwards = math.sqrt(many / (many - 1))
    if len(means) < 2:
        low, high = np.quantile(drawn, ndtr(outwards * stdtrit(freedom, ends)))
        return float(low), float(high)
    return with_seeds(_quantiles(drawn, ndtr(outwards * _student(freedom, draws))), means, level=level, seed=seed)


def with_seeds(of_cases: np.ndarray, means: np.ndarray, *, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """The ends of an interval from quantiles at equal steps (d,) and the means of seeds (s,), added as independent."""
    ends = np.array([(1 - level) / 2, (1 + level) / 2])
    if len(means) < 2:
        low, high = np.quantile(of_cases, ends)
        return float(low), float(high)
    of_seeds = math.sqrt(means.var(ddof=1) / len(means)) * _student(len(means) - 1, len(of_cases))
    order = np.random.default_rng(seed + 1).permutation(len(of_cases))
    low, high = np.quantile(of_cases + of_seeds[order], ends)
    return float(low), float(high)


def _quantiles(sample: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Quantiles between the order statistics, as `np.quantile` has them, which takes twenty times as long for 2,000."""
    return np.interp(shares * (len(sample) - 1), np.arange(len(sample)), np.sort(sample))


def effective(weights: np.ndarray) -> float:
    """How many groups of one size weigh as much as these, to a tenth, so that similar rows share quantiles."""
    return round(float(weights.sum() ** 2 / max((weights**2).sum(), 1)), 1)


@lru_cache(maxsize=256)
def _student(freedom: float, count: int) -> np.ndarray:
    """The quantiles of Student's distribution in the middles of `count` equal steps; kept, as they take long."""
    found = stdtrit(freedom, (np.arange(count) + 0.5) / count)
    found.flags.writeable = False
    return found


@lru_cache(maxsize=32)
def group_draws(count: int, draws: int, seed: int) -> np.ndarray:
    """How often each of `count` units is taken, (draws, count); kept, as all rows of a table use the same draws."""
    taken = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws).astype(float)
    taken.flags.writeable = False
    return taken
