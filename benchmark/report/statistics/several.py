"""Comparisons of k configurations over N data sets, each data set one observation (Demšar 2006, JMLR 7:1-30).

Arrays are `scores (N, k)`: a mean score a data set and configuration, higher better, without NaN.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, rankdata, studentized_range, wilcoxon

from .compare import ALPHA, holm
from .pairs import DIGITS

EXACT = 50
"""Differences up to which a signed-rank test goes through all signs."""

FEWEST = 6
"""Data sets from which a signed-rank test can reach 5 %: its smallest p is 2^(1 - N)."""


@dataclass(frozen=True)
class Several:
    """mean_ranks (k,). statistic, p: Friedman's chi-square with the correction for ties, NaN where all is tied.

    pairs: every (i, j), i < j. wilcoxon, adjusted (m,): p of signed-rank tests, before and after Holm's correction.
    nemenyi (m,): beside them, deciding nothing, as it ignores ties. critical: difference of mean ranks from which
    Nemenyi's p is below 5 %.
    """

    mean_ranks: np.ndarray
    statistic: float
    p: float
    pairs: tuple[tuple[int, int], ...]
    wilcoxon: np.ndarray
    adjusted: np.ndarray
    nemenyi: np.ndarray
    critical: float


def several(scores: np.ndarray) -> Several:
    """Friedman's test, and each pair by Wilcoxon's signed-rank test (exact for up to 50 data sets, with ties too).

    Differences are rounded to nine digits before they are ranked, zeros are left out (Wilcoxon's own rule), and a pair
    that is equal on all data sets has p = 1. Nemenyi: with q the studentised range,

        p = P(q >= |R_i - R_j| / sqrt(k (k + 1) / (12 N)))

    Raises ValueError for NaN and for fewer than two rows or columns.
    """
    count, width = scores.shape
    if count < 2 or width < 2 or np.isnan(scores).any():
        raise ValueError(f"scores of shape {scores.shape}: two data sets and two configurations without NaN are needed")
    scores = np.round(scores, DIGITS)
    ranks = rankdata(-scores, axis=1)
    means = ranks.mean(axis=0)
    pairs = tuple((i, j) for i in range(width) for j in range(i + 1, width))
    first, second = np.array(pairs).T
    p = np.array([signed_rank(gaps) for gaps in (scores[:, first] - scores[:, second]).T])
    unit = math.sqrt(width * (width + 1) / (12 * count))
    nemenyi = studentized_range.sf(np.abs(means[first] - means[second]) / unit, width, np.inf)
    critical = float(studentized_range.ppf(1 - ALPHA, width, np.inf)) * unit
    statistic, chance = friedman(ranks)
    return Several(means, statistic, chance, pairs, p, holm(p), np.clip(nemenyi, 0, 1), critical)


def friedman(ranks: np.ndarray) -> tuple[float, float]:
    """Friedman's chi-square of `ranks (N, k)` over N and k with the correction for ties, and its p.

    (12 Σ (Σ_i r_ij)² / (N k (k + 1)) - 3 N (k + 1)) / (1 - Σ (t³ - t) / (N k (k² - 1))), t: sizes of the ties of a row.
    """
    count, width = ranks.shape
    sizes = [np.unique(row, return_counts=True)[1] for row in ranks]
    tied = 1 - sum(float((size**3 - size).sum()) for size in sizes) / (count * width * (width**2 - 1))
    if tied <= 0:
        return math.nan, math.nan
    plain = 12 * (ranks.sum(axis=0) ** 2).sum() / (count * width * (width + 1)) - 3 * count * (width + 1)
    return float(plain / tied), float(chi2.sf(plain / tied, width - 1))


def signed_rank(gaps: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test of differences; 1 where all are 0.

    Up to `EXACT` differences from the distribution of the rank sum over all 2^n signs, ranks of ties being their mean:
    each rank r makes the distribution P(w) of those before it (P(w) + P(w - r)) / 2. It is what scipy finds by going
    through all signs, in a thousandth of the time. Beyond, scipy's normal approximation with the correction for ties.
    """
    gaps = gaps[np.round(gaps, DIGITS) != 0]
    if not len(gaps):
        return 1.0
    if len(gaps) > EXACT:
        return float(wilcoxon(gaps, method="asymptotic")[1])  # pyright: ignore[reportArgumentType]
    doubled = np.round(2 * rankdata(np.abs(np.round(gaps, DIGITS)))).astype(int)  # the mean of tied ranks may end in .5
    chances = np.ones(1)
    for rank in doubled:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    positive = int(doubled[gaps > 0].sum())
    return min(1.0, 2 * float(min(chances[: positive + 1].sum(), chances[positive:].sum())))
