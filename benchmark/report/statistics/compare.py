"""Paired comparisons and ranks of configurations: cases clustered by group, several seeds each.

Arrays of one configuration are `values (s, n)`: s seeds, n cases, NaN where undefined; `groups (n,)` says which
cases belong together (patient, plate, slide).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ....core.errors import DataError
from .cases import by_group, mean_of, ratio
from .sign_flips import ENOUGH, counted, rare

ALPHA = 0.05

DRAWS, DRAWS_A_PAIR = 20_000, 100
"""Random flips of a comparison, and how many of them a pair needs for a p that is finer than the correction."""


@dataclass(frozen=True)
class Comparison:
    """Every pair (i, j), i < j, of k configurations on the cases that both have.

    difference (m,): mean of i minus mean of j. p (m,), adjusted (m,): before and after Holm's correction.
    cases (m,), groups (m,): how many are common. smallest: the smallest p that so few groups can give. error (m,),
    freedom (m,): standard error of the difference, from groups of cases and seeds, and its degrees of freedom.
    """

    pairs: tuple[tuple[int, int], ...]
    difference: np.ndarray
    p: np.ndarray
    adjusted: np.ndarray
    cases: np.ndarray
    groups: np.ndarray
    smallest: float
    error: np.ndarray
    freedom: np.ndarray


def compare(
    values: Sequence[np.ndarray], groups: np.ndarray, *, stable: Sequence[bool] = (), draws: int = 0, seed: int = 0
) -> Comparison:
    """Paired test of every two configurations on the same cases: sign flips of whole groups, seeds as noise.

    Scores are averaged over seeds case by case; the statistic is the mean difference over the common cases. Its
    distribution without a difference flips the sign of all differences of a group together (every flip when there
    are at most `draws`, else that many at random). Flipping cannot see that other seeds would have shifted all cases
    at once, so each draw adds t · sqrt(v_i / s_i + v_j / s_j), t from Student's distribution. v is the variance over
    seeds of a configuration's mean, but at least that pooled over the `stable` configurations (all by default), as two
    or three seeds alone say little; t has their pooled degrees of freedom. A configuration that is not stable (some
    of its trials collapsed) has its own variance and degrees of freedom, and does not widen the others. Where no
    configuration has two seeds, the trained networks are compared, not the methods. Two-sided, at least 2^(1 - groups),
    which is what the clearest difference has without seeds (noise would halve it); corrected by `holm`.
    draws: by default 20,000, and of more than 200 pairs, whose correction asks for a finer p, those that fewer than
    `sign_flips.ENOUGH` of the draws reach get theirs from `sign_flips.rare`.

    A pair without a common case is no test: its p is NaN. Raises DataError for an infinite score, which makes every
    flip infinite.

    Sources: Demšar 2006 (JMLR 7:1-30) on comparisons of several methods, Winkler et al. 2015
    (doi:10.1016/j.neuroimage.2015.05.092) on flipping exchangeable blocks, Bouthillier et al. 2021 (arXiv:2103.03098)
    on seeds as a source of variance that a comparison must contain.
    """
    _refuse_infinite(values)
    first, second = np.triu_indices(len(values), 1)
    averages = np.stack([mean_of(entry, axis=0) for entry in values])
    sums, counts = by_group(averages[first] - averages[second], groups)
    cases, present = counts.sum(axis=1), (counts > 0).sum(axis=1)
    difference = ratio(sums.sum(axis=1), cases)
    variance, freedom = _seed_variance(values, list(stable) or [True] * len(values))
    noise, freedom = np.sqrt(variance[first] + variance[second]), np.minimum(freedom[first], freedom[second])
    fine = not draws and len(first) * DRAWS_A_PAIR > DRAWS
    draws = draws or DRAWS
    generator = np.random.default_rng(seed)
    shares = sums / np.maximum(cases, 1)[:, None]
    reached, total = counted(shares, noise, freedom, draws, generator)
    exact = 2.0 ** sums.shape[1] <= draws
    extra = 0 if exact else 1
    p = (reached + extra) / (total + extra)
    if fine:
        few = (reached < ENOUGH) & ((noise > 0) | (not exact))
        p[few] = np.minimum(rare(shares[few], noise[few], freedom[few], generator), 1.0)
    p = np.where(cases > 0, np.maximum(p, 2.0 ** (1 - np.maximum(present, 1))), np.nan)
    smallest = max(2.0 ** (1 - int(present.max(initial=0))), 0.0 if fine else 1 / (draws + 1))
    pairs = tuple(zip(map(int, first), map(int, second), strict=True))
    error = _error(shares, counts, difference, noise, freedom)
    return Comparison(pairs, difference, p, holm(p), cases, present, smallest, *error)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction (1979): sorted p times m, m - 1, …, 1, made monotone and cut at 1.

    NaN is no test: it stays NaN and is not among the m.
    """
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return adjusted


def ranks(
    comparison: Comparison, count: int, *, higher: bool = True, ranked: Sequence[bool] = ()
) -> list[tuple[int, int] | None] | None:
    """Rank of each of `count` configurations as a range: those not shown to differ always share a rank.

    i is better than j when the adjusted p is below 0.05 and the mean difference points that way, or when it is better
    than one that is better than j. The range of i is

        1 + (number better than i)  …  count - (number that i is better than),

    a confidence set for the true rank (Mogstad et al. 2024, doi:10.1093/restud/rdad006), where significance-based rank
    schemes (Demšar 2006, JMLR 7; Maier-Hein et al. 2018, doi:10.1038/s41467-018-07619-7) print one number although
    the order within the range is not known. Only those that are `ranked` (all by default) are counted and have a rank,
    so that one without all cases has none. None when fewer than two are compared, or when the groups are so few that
    not even the clearest difference could pass the correction.
    """
    if count < 2 or comparison.smallest > ALPHA / len(comparison.pairs):
        return None
    better = np.zeros((count, count), dtype=bool)
    for (i, j), gap, p in zip(comparison.pairs, comparison.difference, comparison.adjusted, strict=True):
        if p < ALPHA:
            better[(i, j) if (gap > 0) == higher else (j, i)] = True
    for middle in range(count):
        better |= np.outer(better[:, middle], better[middle])
    kept = np.asarray(list(ranked) or [True] * count)
    best, worst = 1 + better[kept].sum(axis=0), kept.sum() - better[:, kept].sum(axis=1)
    return [(int(best[i]), int(worst[i])) if kept[i] else None for i in range(count)]


def _error(
    shares: np.ndarray, counts: np.ndarray, difference: np.ndarray, noise: np.ndarray, freedom: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of the differences and degrees of freedom, of cases and seeds together (Satterthwaite 1946).

    Of cases it is that of a ratio of sums by group, which are as many as have a common case; NaN for one of them.
    """
    off = shares - ratio(counts, counts.sum(axis=1)[:, None]) * difference[:, None]
    many = (counts > 0).sum(axis=1)
    of_cases = ratio(many * (off**2).sum(axis=1), many - 1)
    parts = of_cases**2 / np.maximum(many - 1, 1) + noise**4 / freedom
    total = of_cases + noise**2
    return np.sqrt(total), np.divide(total**2, parts, out=np.maximum(many - 1.0, 1.0), where=parts > 0)


def _refuse_infinite(values: Sequence[np.ndarray]) -> None:
    for place, entry in enumerate(values):
        if np.isinf(entry).any():
            seed, case = map(int, np.argwhere(np.isinf(entry))[0])
            raise DataError(
                f"configuration {place} of {len(values)}: its score of case {case} at seed {seed} is "
                f"{entry[seed, case]}; a paired comparison takes finite scores, or NaN where there is none"
            )


def _seed_variance(values: Sequence[np.ndarray], stable: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Variance of each configuration's mean over its seeds, and the degrees of freedom behind it."""
    means = [mean[~np.isnan(mean)] for mean in (mean_of(entry, axis=1) for entry in values)]
    rest = np.array([max(len(mean) - 1, 0) for mean in means])
    own = np.array([mean.var(ddof=1) if len(mean) > 1 else 0.0 for mean in means])
    pool = rest * np.asarray(stable)
    pooled = (pool * own).sum() / max(pool.sum(), 1)
    alone = ~np.asarray(stable) & (rest > 0)
    variance = np.where(alone, own, np.maximum(own, pooled)) / [max(len(mean), 1) for mean in means]
    return variance, np.maximum(np.where(alone, rest, pool.sum()), 1.0)
