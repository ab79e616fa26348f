"""Median and interquartile mean of a configuration's case scores, with intervals that keep groups together.

Arrays are those of `intervals`: `values (s, n)`, NaN where undefined, and `groups (n,)`.
"""

import math

import numpy as np
from scipy.special import stdtrit

from .cases import mean_of
from .intervals import MINIMUM_GROUPS, Estimate, cut, effective, group_draws, widened, with_seeds

FEW_CASES = 50
"""Cases below which an interval is printed with a warning: what its method promises holds for many."""


def median_estimate(
    values: np.ndarray,
    groups: np.ndarray,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Median of the case scores, each averaged over seeds, with the interval of Woodruff (1952).

    The share of cases below the median has the standard error se of a mean of indicators that are summed by group; the
    interval's ends are the quantiles of the scores at 1/2 ± t se (doi:10.1080/01621459.1952.10483443), t Student's with
    one degree of freedom less than groups of one size would weigh as much. A bootstrap of a median has few different
    values, so there is none here. Seeds, as the median of each, are added as in `interval`. No interval below
    `MINIMUM_GROUPS` groups or with an infinite score. bounds: the range of the score, where the interval is cut.
    """
    scores, codes = _defined(values, groups)
    by_seed = [float(np.median(line[~np.isnan(line)])) for line in values if not np.isnan(line).all()]
    middle = float(np.median(scores)) if len(scores) else math.nan
    many = _many(scores, codes)
    if math.isnan(many):
        return _estimate(middle, by_seed, (math.nan, math.nan))
    below = (scores < middle) + 0.5 * (scores == middle) - 0.5
    off = np.bincount(codes, below)
    error = math.sqrt(len(off) / (len(off) - 1) * (off**2).sum()) / len(scores)
    steps = stdtrit(many - 1, (np.arange(draws) + 0.5) / draws)
    of_cases = np.quantile(scores, np.clip(0.5 + error * steps, 0, 1), method="weibull")
    return _estimate(middle, by_seed, cut(with_seeds(of_cases, np.array(by_seed), seed=seed), values, bounds))


def trimmed_estimate(
    values: np.ndarray,
    groups: np.ndarray,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Interquartile mean: of the middle half of the case scores, each averaged over seeds (Agarwal et al. 2021).

    A quarter of the weight is left out at either end, a case in part where the quarter ends in it
    (arXiv:2108.13264). The interval is that of `interval`: a bootstrap of whole groups, widened for few, and Student's
    t over seeds. bounds: the range of the score, where the interval is cut.
    """
    scores, codes = _defined(values, groups)
    by_seed = [float(_trimmed(line[~np.isnan(line)])) for line in values if not np.isnan(line).all()]
    many = _many(scores, codes)
    if math.isnan(many):
        return _estimate(float(_trimmed(scores)) if len(scores) else math.nan, by_seed, (math.nan, math.nan))
    order = np.argsort(scores, kind="stable")
    taken = group_draws(int(codes.max()) + 1, draws, seed)[:, codes[order]]
    drawn = _trimmed(scores[order], taken)
    middle = float(_trimmed(scores))
    ends = widened(drawn, np.array(by_seed), many, many - 1, draws=draws, seed=seed)
    return _estimate(middle, by_seed, cut(ends, values, bounds))


def _trimmed(scores: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Mean of the middle half of the weight; weights (…, n) belong to scores in rising order."""
    if weights is None:
        scores, weights = np.sort(scores), np.ones(len(scores))
    upto = np.cumsum(weights, axis=-1)
    total = upto[..., -1:]
    inside = np.clip(upto, total / 4, 3 * total / 4)
    kept = np.diff(inside, axis=-1, prepend=total / 4)
    scores = np.where(
        kept.reshape(-1, len(scores)).any(axis=0), scores, 0.0
    )  # nothing of what is infinite but left out
    return (kept @ scores) / (total[..., 0] / 2)


def _defined(values: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The case scores that are defined, and the number of each one's group among those that have any."""
    scores = mean_of(values, axis=0)
    some = ~np.isnan(scores)
    return scores[some], np.unique(groups[some], return_inverse=True)[1]


def _many(scores: np.ndarray, codes: np.ndarray) -> float:
    """How many groups of one size weigh as much; NaN where they allow no interval."""
    sizes = np.bincount(codes) if len(codes) else np.zeros(1)
    many = effective(sizes)
    return many if len(sizes) >= MINIMUM_GROUPS and many >= 2 and np.isfinite(scores).all() else math.nan


def _estimate(middle: float, by_seed: list[float], ends: tuple[float, float]) -> Estimate:
    finite = len(by_seed) > 1 and bool(np.isfinite(by_seed).all())
    return Estimate(middle, float(np.std(by_seed, ddof=1)) if finite else math.nan, *ends, tuple(by_seed))
