"""Mean ranks of methods over data sets, and whether they differ (Friedman), from one number a method and data set."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata, studentized_range

LEAST_BLOCKS, LEAST_METHODS = 3, 2


@dataclass(frozen=True)
class MeanRanks:
    """ranks (k,): the mean over data sets, 1 is best. statistic: Friedman's χ²; p: by permutation.

    difference: how far apart two mean ranks must lie to differ at 5 % (Nemenyi).
    """

    ranks: np.ndarray
    statistic: float
    p: float
    difference: float


def mean_ranks(values: np.ndarray, *, higher: bool, draws: int = 20_000, seed: int = 0) -> MeanRanks | None:
    """Ranks of k methods on n data sets; None for fewer than three data sets or two methods, or where all are tied.

    values (n, k): one number each, finite. Within a data set ties share their mean rank. Friedman's statistic, ties
    corrected, is

        χ² = (k - 1) Σ_j (R_j - n (k + 1) / 2)² / Σ_ij (r_ij - (k + 1) / 2)²,   R_j = Σ_i r_ij,

    and p the share of `draws` permutations of the ranks within each data set, and of what was found, that reach it, as
    the χ² distribution is wrong for so few. Two differ where their mean ranks are q sqrt(k (k + 1) / (6 n)) apart, q
    the 95 % quantile of the studentized range over √2 (Demšar 2006, JMLR 7:1-30).
    """
    n, k = values.shape
    if n < LEAST_BLOCKS or k < LEAST_METHODS:
        return None
    ranks = rankdata(-values if higher else values, axis=1)
    spread = float(((ranks - (k + 1) / 2) ** 2).sum())
    if spread == 0:
        return None

    def statistic(sums: np.ndarray) -> np.ndarray:
        return (k - 1) * ((sums - n * (k + 1) / 2) ** 2).sum(axis=-1) / spread

    found = float(statistic(ranks.sum(axis=0)))
    generator = np.random.default_rng(seed)
    drawn = np.zeros((draws, k))
    for block in ranks:
        drawn += generator.permuted(np.tile(block, (draws, 1)), axis=1)
    reached = int((statistic(drawn) >= found - 1e-9).sum())
    quantile = float(studentized_range.ppf(0.95, k, np.inf)) / math.sqrt(2)
    return MeanRanks(
        ranks.mean(axis=0), found, (reached + 1) / (draws + 1), quantile * math.sqrt(k * (k + 1) / (6 * n))
    )
