"""Ways to rank k configurations by their case scores, how sure each rank is, and how far two rankings agree.

Arrays are those of `intervals`, one a configuration; a higher score is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, rankdata

from .cases import by_group, mean_of, ratio
from .intervals import MINIMUM_GROUPS, group_draws
from .pairs import DIGITS

DRAWS = 1000


@dataclass(frozen=True)
class Ranking:
    """Ranks of k configurations `(k,)`, 1 the best, ties shared; NaN for one that has not all cases.

    of_means: aggregate, then rank. of_cases: rank in each case, then average, over `cases` that all have; `left_out`:
    cases that some have no defined score in, which are in no rank of cases. low, high: 95 % of the ranks of means when
    groups of cases are drawn anew; NaN with fewer than `MINIMUM_GROUPS` groups. tau: Kendall's between both schemes.
    stability: mean tau between the ranking and those of the draws.
    """

    of_means: np.ndarray
    of_cases: np.ndarray
    cases: int
    left_out: int
    low: np.ndarray
    high: np.ndarray
    tau: float
    stability: float


def ranking(
    values: Sequence[np.ndarray], groups: np.ndarray, covered: Sequence[bool], *, draws: int = DRAWS, seed: int = 0
) -> Ranking:
    """Rank the configurations that are `covered`, which means that none of the table's cases is missing.

    Draws take groups with replacement, the same for all configurations; each case's score is its mean over seeds.
    Means are rounded to nine digits, so that the order of a sum makes no rank.
    """
    chosen = [index for index, whole in enumerate(covered) if whole]
    found = np.full((4, len(values)), np.nan)
    nothing = Ranking(found[0], found[1], 0, 0, found[2], found[3], np.nan, np.nan)
    if len(chosen) < 2:
        return nothing
    averages = np.stack([mean_of(values[index], axis=0) for index in chosen])
    shared = ~np.isnan(averages).any(axis=0)
    if not shared.any():
        return nothing
    means = np.round(np.array([mean_of(mean_of(values[index], axis=1), axis=0) for index in chosen]), DIGITS)
    found[0, chosen] = places(means)
    found[1, chosen] = mean_ranks(averages[:, shared].T)
    sums, counts = by_group(averages, groups)
    stability = np.nan
    if sums.shape[1] >= MINIMUM_GROUPS:
        taken = group_draws(sums.shape[1], draws, seed)
        drawn = np.round(ratio(taken @ sums.T, taken @ counts.T), DIGITS)
        drawn = drawn[~np.isnan(drawn).any(axis=1)]
        ranks = rankdata(-drawn, axis=1)
        found[2:, chosen] = np.quantile(ranks, (0.025, 0.975), axis=0, method="inverted_cdf")
        stability = float(np.mean([agreement(-ranks[index], means) for index in range(min(len(ranks), 200))]))
    tau = agreement(-found[0, chosen], -found[1, chosen])
    left_out = int((~shared & ~np.isnan(averages).all(axis=0)).sum())
    return Ranking(found[0], found[1], int(shared.sum()), left_out, found[2], found[3], tau, stability)


def places(scores: np.ndarray) -> np.ndarray:
    """Rank of each score, 1 the highest; equal ones share the mean of their places."""
    return rankdata(-scores)


def mean_ranks(scores: np.ndarray) -> np.ndarray:
    """Mean over rows of the ranks within each row of `scores (rows, k)`, which are rounded to nine digits first."""
    return rankdata(-np.round(scores, DIGITS), axis=1).mean(axis=0)


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Kendall's tau-b of two scores, by scipy; NaN where fewer than two are known or either is constant."""
    known = ~(np.isnan(first) | np.isnan(second))
    if known.sum() < 2 or len(set(first[known])) < 2 or len(set(second[known])) < 2:
        return float("nan")
    return float(kendalltau(first[known], second[known])[0])  # pyright: ignore[reportArgumentType]
