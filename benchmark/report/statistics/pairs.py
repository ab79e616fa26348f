"""What stands beside the p of each paired comparison: effect, equivalence, correlation, and how sure the order is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from .cases import mean_of, ratio
from .compare import ALPHA, Comparison
from .intervals import MINIMUM_GROUPS, effective

DIGITS = 9
"""To which differences are rounded before they are ranked, so that rounding of sums makes no order."""

MARGIN = 0.01
"""Half the width of the region of practical equivalence: differences of a mean score below this do not matter."""

BLOCK = 2_000_000
"""Numbers that are held at once."""


@dataclass(frozen=True)
class Beside:
    """Arrays `(m,)`, one entry a pair of a comparison; NaN where too few groups or cases allow none.

    low, high: 95 % interval of the mean difference. effect: Cohen's d_z, the mean over the standard deviation of the
    differences of a case. improvement: share of cases on which the first is better, ties by half. equivalent: p of
    the two one-sided tests against `MARGIN` (Schuirmann 1987, doi:10.1007/BF01068419). correlation: of the case scores.
    not_worse: probability that the second's mean is not below the first's. within_seeds: whether the difference is
    smaller than the larger of both standard deviations over seeds.
    """

    low: np.ndarray
    high: np.ndarray
    effect: np.ndarray
    improvement: np.ndarray
    equivalent: np.ndarray
    correlation: np.ndarray
    not_worse: np.ndarray
    within_seeds: np.ndarray

    def verdict(self, comparison: Comparison, pair: int) -> str:
        """`differs`, `equivalent`, both of these as `differs, within the margin`, or `open`."""
        told = comparison.adjusted[pair] < ALPHA
        same = self.equivalent[pair] < ALPHA
        if told:
            return "differs, within the margin" if same else "differs"
        return "equivalent" if same else "open"


def beside(values: Sequence[np.ndarray], groups: np.ndarray, comparison: Comparison) -> Beside:
    """What stands beside each pair, from the case scores averaged over seeds; all pairs at once, in blocks.

    The difference's interval and the equivalence tests use its standard error and degrees of freedom as `compare` has
    them. With means m, standard deviations s and correlation r of the common case scores, and n the number of groups
    of one size that weigh as much as theirs,

        not worse = T_{n-1}((m_2 - m_1) / sqrt((s_1² + s_2² - 2 r s_1 s_2) / n)),

    the posterior probability under a flat prior, which a reader of published tables can get too where r is published
    (the reasoning of arXiv:2505.04720). It knows of cases, not of seeds.
    """
    averages = np.stack([mean_of(entry, axis=0) for entry in values])
    pairs = np.array(comparison.pairs, dtype=int).reshape(-1, 2)
    many = _many(averages, groups, pairs)
    moments = np.empty((4, len(pairs)))
    rows = max(1, BLOCK // averages.shape[1])
    for start in range(0, len(pairs), rows):
        part = slice(start, start + rows)
        moments[:, part] = _moments(averages[pairs[part, 0]], averages[pairs[part, 1]])
    deviation, improvement, correlation, mean = moments
    tested = (comparison.groups >= MINIMUM_GROUPS) & (many >= 2)
    error = np.where(tested, comparison.error, np.nan)
    half = error * stdtrit(comparison.freedom, 1 - ALPHA / 2)
    spread = _spreads(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        surer = stdtr(np.maximum(many - 1, 1), -mean / (deviation / np.sqrt(many)))
        off = (np.abs(mean) - MARGIN) / error
        effect = np.where(deviation > 0, mean / deviation, np.where(mean == 0, 0.0, np.nan))
        equivalent = np.where(error > 0, stdtr(comparison.freedom, off), np.where(np.abs(mean) < MARGIN, 0.0, 1.0))
    surer = np.where(deviation > 0, surer, np.where(mean == 0, 0.5, (mean < 0).astype(float)))
    return Beside(
        low=comparison.difference - half,
        high=comparison.difference + half,
        effect=np.where(np.isnan(mean), np.nan, effect),
        improvement=improvement,
        equivalent=np.where(np.isnan(error), np.nan, equivalent),
        correlation=correlation,
        not_worse=np.where(tested & ~np.isnan(mean), surer, np.nan),
        within_seeds=np.abs(comparison.difference) < np.maximum(spread[pairs[:, 0]], spread[pairs[:, 1]]),
    )


def _moments(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Deviation of the differences, share of improvement, correlation and mean difference of the common cases."""
    gaps = np.round(first - second, DIGITS)
    common = ~np.isnan(gaps)
    count = common.sum(axis=1)
    first, second = (np.where(common, scores, 0.0) for scores in (first, second))
    centred = [np.where(common, x - ratio(x.sum(1), count)[:, None], 0.0) for x in (first, second)]
    squares = [(x**2).sum(axis=1) for x in centred]
    product = (centred[0] * centred[1]).sum(axis=1)
    varied = (count > 1) & (squares[0] > 1e-18) & (squares[1] > 1e-18)
    correlation = np.divide(product, np.sqrt(squares[0] * squares[1]), out=np.full(len(count), np.nan), where=varied)
    better = ratio(((gaps > 0) + 0.5 * (gaps == 0)).sum(axis=1), count)
    mean = ratio(np.where(common, gaps, 0.0).sum(axis=1), count)
    of_gaps = (np.where(common, gaps - mean[:, None], 0.0) ** 2).sum(axis=1)
    deviation = np.sqrt(np.where(of_gaps > 1e-18, of_gaps, 0) / np.maximum(count - 1, 1))
    return np.stack([np.where(count > 1, deviation, np.nan), better, np.clip(correlation, -1, 1), mean])


def _many(averages: np.ndarray, groups: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Groups of one size that weigh as much as those of the common cases (Kish 1965)."""
    codes = np.unique(groups, return_inverse=True)[1]
    member = (codes[:, None] == np.arange(codes.max(initial=0) + 1)).astype(float)
    defined = ~np.isnan(averages)
    if defined.all():
        return np.full(len(pairs), effective(member.sum(axis=0)))
    counts = (defined[pairs[:, 0]] & defined[pairs[:, 1]]) @ member
    return counts.sum(axis=1) ** 2 / np.maximum((counts**2).sum(axis=1), 1)


def _spreads(values: Sequence[np.ndarray]) -> np.ndarray:
    """Standard deviation over seeds of each configuration's mean; 0 for one seed."""
    means = [mean[~np.isnan(mean)] for mean in (mean_of(entry, axis=1) for entry in values)]
    return np.array([mean.std(ddof=1) if len(mean) > 1 else 0.0 for mean in means])
