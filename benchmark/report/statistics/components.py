"""Where the differences of two configurations on the same cases come from: groups, cases, trainings and what is left.

Arrays are as in `compare`: `values (s, n)` of s seeds and n cases, NaN where undefined; `groups (n,)`. The model of a
score of configuration k at seed s, on case c of group g, is

    mean(k) + seed(k, s) + group(k, g) + case(k, c) + group × seed(k, s, g) + case × seed(k, s, c),

all terms but the first independent with mean 0. Their variances are estimated by moments (one-way analysis of variance
with groups of unequal sizes: Searle, Casella & McCulloch 1992, Variance Components, 3.6).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .intervals import effective


@dataclass(frozen=True)
class Nested:
    """Variances between groups and between the cases of a group; within is 0 where every group has one case."""

    between: float
    within: float

    def of_mean(self, groups: float, cases: float) -> float:
        """Variance of a mean over so many effective groups and so many cases."""
        return self.between / groups + self.within / cases

    def __add__(self, other: "Nested") -> "Nested":
        return Nested(self.between + other.between, self.within + other.within)

    def times(self, factor: float) -> "Nested":
        """Both variances times a factor."""
        return Nested(self.between * factor, self.within * factor)


NOTHING = Nested(0.0, 0.0)


@dataclass(frozen=True)
class Trainings:
    """What the seeds of one configuration change.

    shift: variance of what moves all cases at once. residual: of what moves groups and cases apart, a training.
    seeds: how many there are; with one, both are unknown and 0.
    """

    seeds: int
    shift: float
    residual: Nested


@dataclass(frozen=True)
class Components:
    """The variances behind the mean difference of two configurations.

    cases, groups: that both have. difference: mean of the first less that of the second on them. many: groups of one
    size that weigh as much (see `compare.effective`). gap: variances of the difference itself between groups and cases,
    without what the trainings add; with one seed those are in it. first, second: of the trainings. deviation: standard
    deviation of the cases' scores, averaged over seeds, of either. correlation: of these scores.
    """

    cases: int
    groups: int
    many: float
    difference: float
    gap: Nested
    first: Trainings
    second: Trainings
    deviation: tuple[float, float]
    correlation: float

    @property
    def known(self) -> bool:
        """Whether anything is known of the variance between trainings."""
        return max(self.first.seeds, self.second.seeds) > 1

    @property
    def observed(self) -> Nested:
        """Variances of the differences of the cases' scores averaged over the present seeds."""
        parts = [one.residual.times(1 / one.seeds) for one in (self.first, self.second)]
        return self.gap + parts[0] + parts[1]

    @property
    def design_effect(self) -> float:
        """Variance of the mean difference over that of as many cases that are all independent (Kish 1965)."""
        found = self.observed
        total = found.between + found.within
        return self.cases * found.of_mean(self.many, self.cases) / total if total else 1.0

    def with_trainings(self, pooled: Trainings) -> "Components":
        """The same, each shift at least the pooled one, as `compare` has it."""
        return replace(self, first=_at_least(self.first, pooled), second=_at_least(self.second, pooled))


def nested(values: np.ndarray, groups: np.ndarray) -> Nested:
    """Variances between and within groups of each row of values (rows, n), averaged over the rows.

    With N cases, n_g of group g, G groups and mean squares B between and W within groups: within = W, between =
    (B - W) (G - 1) / (N - Σ n_g² / N), or 0 and the whole variance within where B < W. With one case a group all is
    between. NaN for one group or no row with two defined values.
    """
    found = [one for row in values if (one := _nested_row(row[~np.isnan(row)], groups[~np.isnan(row)])) is not None]
    if not found:
        return Nested(math.nan, math.nan)
    return Nested(float(np.mean([one.between for one in found])), float(np.mean([one.within for one in found])))


def trainings(values: np.ndarray, groups: np.ndarray) -> Trainings:
    """What the seeds of one configuration change, from its scores on the cases that all seeds have scored."""
    values = values[~np.isnan(values).all(axis=1)]
    seeds, complete = len(values), ~np.isnan(values).any(axis=0)
    if seeds < 2:
        return Trainings(1, 0.0, NOTHING)
    if len(set(groups[complete])) < 2:
        return Trainings(seeds, float(np.nanmean(values, axis=1).var(ddof=1)), NOTHING)
    whole, of = values[:, complete], groups[complete]
    residual = nested(whole - whole.mean(axis=0), of).times(seeds / (seeds - 1))
    counts = np.unique(of, return_counts=True)[1].astype(float)
    of_means = float(whole.mean(axis=1).var(ddof=1))
    return Trainings(seeds, max(0.0, of_means - residual.of_mean(effective(counts), len(of))), residual)


def pooled(found: Sequence[Trainings]) -> Trainings:
    """The mean over configurations, weighted by degrees of freedom; of one seed where none has two."""
    several = [one for one in found if one.seeds > 1]
    if not several:
        return Trainings(1, 0.0, NOTHING)
    weights = np.array([one.seeds - 1.0 for one in several])
    means = np.average(
        [(one.shift, one.residual.between, one.residual.within) for one in several], axis=0, weights=weights
    )
    shift, between, within = map(float, means)
    return Trainings(round(float(np.mean([one.seeds for one in several]))), shift, Nested(between, within))


def components(first: np.ndarray, second: np.ndarray, groups: np.ndarray) -> Components | None:
    """The variances of a pair on the cases that both have; None where those are fewer than two or of one group."""
    averages = [_mean_of_seeds(values) for values in (first, second)]
    both = ~np.isnan(averages[0] - averages[1])
    of = groups[both]
    counts = np.unique(of, return_counts=True)[1].astype(float)
    if len(counts) < 2:
        return None
    ones = [trainings(values[:, both], of) for values in (first, second)]
    observed = nested((averages[0] - averages[1])[both][None], of)
    noise = ones[0].residual.times(1 / ones[0].seeds) + ones[1].residual.times(1 / ones[1].seeds)
    gap = Nested(max(0.0, observed.between - noise.between), max(0.0, observed.within - noise.within))
    deviation = [float(one[both].std(ddof=1)) for one in averages]
    correlation = float(np.corrcoef(averages[0][both], averages[1][both])[0, 1]) if all(deviation) else math.nan
    return Components(
        cases=int(both.sum()),
        groups=len(counts),
        many=effective(counts),
        difference=float((averages[0] - averages[1])[both].mean()),
        gap=gap,
        first=ones[0],
        second=ones[1],
        deviation=(deviation[0], deviation[1]),
        correlation=correlation,
    )


def typical(found: Sequence[Components]) -> Components:
    """A pair whose every number is the median over the pairs; `found` has at least one."""

    def middle(values: Sequence[float]) -> float:
        return float(np.nanmedian(values)) if not np.isnan(values).all() else math.nan

    both = [one for pair in found for one in (pair.first, pair.second)]
    of_trainings = Trainings(
        round(middle([one.seeds for one in both])),
        middle([one.shift for one in both]),
        Nested(middle([one.residual.between for one in both]), middle([one.residual.within for one in both])),
    )
    deviation = middle([value for pair in found for value in pair.deviation])
    return Components(
        cases=round(middle([pair.cases for pair in found])),
        groups=round(middle([pair.groups for pair in found])),
        many=middle([pair.many for pair in found]),
        difference=middle([abs(pair.difference) for pair in found]),
        gap=Nested(middle([pair.gap.between for pair in found]), middle([pair.gap.within for pair in found])),
        first=of_trainings,
        second=of_trainings,
        deviation=(deviation, deviation),
        correlation=middle([pair.correlation for pair in found]),
    )


def _at_least(one: Trainings, pooled: Trainings) -> Trainings:
    if pooled.seeds < 2:
        return one
    residual = one.residual if one.seeds > 1 else NOTHING  # one seed has its residual in the gap
    return replace(one, shift=max(one.shift, pooled.shift), residual=residual)


def _nested_row(values: np.ndarray, groups: np.ndarray) -> Nested | None:
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    cases, many = len(values), len(counts)
    if many < 2:
        return None
    means = np.bincount(codes, values) / counts
    if many == cases:
        return Nested(float(values.var(ddof=1)), 0.0)
    inside = float(((values - means[codes]) ** 2).sum()) / (cases - many)
    around = float((counts * (means - values.mean()) ** 2).sum())
    between = (around - (many - 1) * inside) / (cases - float((counts**2).sum()) / cases)
    return Nested(between, inside) if between > 0 else Nested(0.0, float(values.var(ddof=1)))


def _mean_of_seeds(values: np.ndarray) -> np.ndarray:
    defined = ~np.isnan(values)
    sums, counts = np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0)
    return np.divide(sums, counts, out=np.full(values.shape[1], np.nan), where=counts > 0)
