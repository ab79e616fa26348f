"""Means, intervals, comparisons and ranks of scores: cases clustered by group, several seeds a configuration.

Arrays of one configuration are `values (s, n)`: s seeds, n cases, NaN where undefined; `groups (n,)` says which
cases belong together (patient, plate, slide).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtr, stdtrit

MINIMUM_GROUPS = 6
"""Fewest groups from which an interval is given: with five, no two-sided sign-flip test can reach 5 %."""

ALPHA = 0.05


@dataclass(frozen=True)
class Estimate:
    """Mean over cases, then over seeds; spread: standard deviation over seeds (n - 1), NaN for one seed.

    low, high: ends of the 95 % interval, NaN where too few groups allow none. by_seed: the mean of each seed.
    """

    mean: float
    spread: float
    low: float
    high: float
    by_seed: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """Every pair (i, j), i < j, of k configurations on the cases that both have.

    difference (m,): mean of i minus mean of j. p (m,), adjusted (m,): before and after Holm's correction.
    cases (m,), groups (m,): how many are common. smallest: the smallest p that so few groups can give.
    """

    pairs: tuple[tuple[int, int], ...]
    difference: np.ndarray
    p: np.ndarray
    adjusted: np.ndarray
    cases: np.ndarray
    groups: np.ndarray
    smallest: float


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
    means = _mean(values, axis=1)
    means = means[~np.isnan(means)]
    spread = float(means.std(ddof=1)) if len(means) > 1 else float("nan")
    low, high = interval(values, groups, draws=draws, seed=seed)
    if not math.isnan(low):
        low = max(low, min(bounds[0], float(np.nanmin(values)))) if not math.isnan(bounds[0]) else low
        high = min(high, max(bounds[1], float(np.nanmax(values)))) if not math.isnan(bounds[1]) else high
    return Estimate(float(_mean(means, axis=0)), spread, low, high, tuple(map(float, means)))


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
    NaN for fewer than `MINIMUM_GROUPS` groups with a defined case, or m < 2: one group outweighs the others.
    docs/numbers.md has the measured coverage.
    """
    sums, counts = _by_group(values, groups)
    some = counts.any(axis=0)
    sums, counts = sums[:, some], counts[:, some]
    many = effective(counts.sum(axis=0))
    if sums.shape[1] < MINIMUM_GROUPS or many < 2:
        return float("nan"), float("nan")
    of_groups = _draws(sums.shape[1], draws, seed)
    drawn = _mean(_ratio(of_groups @ sums.T, of_groups @ counts.T), axis=1)
    drawn = drawn[~np.isnan(drawn)]
    means = _ratio(sums.sum(axis=1), counts.sum(axis=1))
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
    of_cases = np.quantile(drawn, ndtr(outwards * _student(freedom, draws)))
    of_seeds = math.sqrt(means.var(ddof=1) / len(means)) * _student(len(means) - 1, draws)
    order = np.random.default_rng(seed + 1).permutation(draws)
    low, high = np.quantile(of_cases + of_seeds[order], ends)
    return float(low), float(high)


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
    draws: by default a hundred a pair, 20,000 at least, so that p stays finer than the correction.

    Sources: Demšar 2006 (JMLR 7:1-30) on comparisons of several methods, Winkler et al. 2015
    (doi:10.1016/j.neuroimage.2015.05.092) on flipping exchangeable blocks, Bouthillier et al. 2021 (arXiv:2103.03098)
    on seeds as a source of variance that a comparison must contain.
    """
    first, second = np.triu_indices(len(values), 1)
    averages = np.stack([_mean(entry, axis=0) for entry in values])
    gaps = averages[first] - averages[second]
    sums, counts = _by_group(gaps, groups)
    cases, present = counts.sum(axis=1), (counts > 0).sum(axis=1)
    difference = _ratio(sums.sum(axis=1), cases)
    variance, freedom = _seed_variance(values, list(stable) or [True] * len(values))
    noise = np.sqrt(variance[first] + variance[second])
    kinds, kind = np.unique(np.minimum(freedom[first], freedom[second]), return_inverse=True)
    draws = draws or max(20000, 100 * len(first))
    exact = 2.0 ** sums.shape[1] <= draws
    reached, total = np.zeros(len(first)), 0
    generator = np.random.default_rng(seed)
    for signs in _signs(sums.shape[1], draws, generator):
        null = _ratio(signs @ sums.T, cases) + noise * generator.standard_t(kinds, (len(signs), len(kinds)))[:, kind]
        reached += (np.abs(null) >= np.abs(difference) - 1e-12).sum(axis=0)
        total += len(signs)
    extra = 0 if exact else 1
    p = np.maximum((reached + extra) / (total + extra), 2.0 ** (1 - np.maximum(present, 1)))
    smallest = max(2.0 ** (1 - int(present.max(initial=0))), 1 / (draws + 1))
    pairs = tuple(zip(map(int, first), map(int, second), strict=True))
    return Comparison(pairs, difference, p, holm(p), cases, present, smallest)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction (1979): sorted p times m, m - 1, …, 1, made monotone and cut at 1."""
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def ranks(comparison: Comparison, count: int, *, higher: bool = True) -> list[tuple[int, int]] | None:
    """Rank of each of `count` configurations as a range: those not shown to differ always share a rank.

    i is better than j when the adjusted p is below 0.05 and the mean difference points that way, or when it is better
    than one that is better than j. The range of i is

        1 + (number better than i)  …  count - (number that i is better than),

    a confidence set for the true rank (Mogstad et al. 2024, doi:10.1093/restud/rdad006), where significance-based rank
    schemes (Demšar 2006, JMLR 7; Maier-Hein et al. 2018, doi:10.1038/s41467-018-07619-7) print one number although
    the order within the range is not known. None when fewer than two are compared, or when the groups are so few that
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
    return [(1 + int(better[:, i].sum()), count - int(better[i].sum())) for i in range(count)]


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=axis), defined.sum(axis=axis))


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    shape = np.broadcast_shapes(np.shape(above), np.shape(below))
    return np.divide(above, below, out=np.full(shape, np.nan), where=np.broadcast_to(below, shape) > 0)


def _by_group(values: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the defined values of each row in each group, (rows, groups)."""
    names, codes = np.unique(groups, return_inverse=True)
    member = (codes[:, None] == np.arange(len(names))).astype(float)
    defined = ~np.isnan(values)
    return np.where(defined, values, 0.0) @ member, defined @ member


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
def _draws(count: int, draws: int, seed: int) -> np.ndarray:
    """How often each of `count` units is taken, (draws, count); kept, as all rows of a table use the same draws."""
    taken = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=draws).astype(float)
    taken.flags.writeable = False
    return taken


def _seed_variance(values: Sequence[np.ndarray], stable: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Variance of each configuration's mean over its seeds, and the degrees of freedom behind it."""
    means = [mean[~np.isnan(mean)] for mean in (_mean(entry, axis=1) for entry in values)]
    rest = np.array([max(len(mean) - 1, 0) for mean in means])
    own = np.array([mean.var(ddof=1) if len(mean) > 1 else 0.0 for mean in means])
    pool = rest * np.asarray(stable)
    pooled = (pool * own).sum() / max(pool.sum(), 1)
    alone = ~np.asarray(stable) & (rest > 0)
    variance = np.where(alone, own, np.maximum(own, pooled)) / [max(len(mean), 1) for mean in means]
    return variance, np.maximum(np.where(alone, rest, pool.sum()), 1.0)


def _signs(groups: int, draws: int, generator: np.random.Generator, chunk: int = 2000) -> Iterator[np.ndarray]:
    """Rows of ±1: every combination, repeated up to `draws` rows, when there are few enough; else random ones."""
    if 2.0**groups <= draws:
        every = 1.0 - 2.0 * ((np.arange(2**groups)[:, None] >> np.arange(groups)) & 1)
        for _ in range(draws // len(every)):
            yield every
    else:
        for start in range(0, draws, chunk):
            yield generator.choice((-1.0, 1.0), (min(chunk, draws - start), groups))
