"""Which trained file to deploy: the Pareto-best in validation Dice, latency and size, and why the first of them."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .deployments import MARGIN
from .statistics.compare import ALPHA, compare, holm
from .statistics.intervals import MINIMUM_GROUPS
from .statistics.pareto import DIGITS, counted_dice, pareto
from .tables.deployed import Deployed, Group

TOLERANCE = 0.01
"""Mean validation Dice that a faster file may be below the best although no test tells them apart."""

REFUSED = {
    "off": "off from float64",
    "loses Dice": "losing Dice",
    "constant": "constant",
    "unknown": "of unknown agreement",
    "failed": "failed",
    "unfit": "unfit",
    "unavailable": "not available there",
}
"""By verdict, why a file takes no part."""


@dataclass(frozen=True)
class Limits:
    """What must hold: mean validation Dice, seconds of a call at the median, bytes of the file. None: anything."""

    min_dice: float | None = None
    max_latency_s: float | None = None
    max_bytes: float | None = None

    def met(self, row: Deployed) -> bool:
        """Whether a row meets all of them."""
        return not any(self.excess(row).values())

    def excess(self, row: Deployed) -> dict[str, float]:
        """By how much a row is beyond each limit, 0 where it meets it."""
        dice, latency, size = values(row)
        return {
            "dice": max(0.0, (self.min_dice or -math.inf) - dice),
            "latency_s": max(0.0, latency - (math.inf if self.max_latency_s is None else self.max_latency_s)),
            "bytes": max(0.0, size - (math.inf if self.max_bytes is None else self.max_bytes)),
        }

    def share(self, row: Deployed) -> float:
        """The largest excess as a share of its limit."""
        limits = {"dice": self.min_dice, "latency_s": self.max_latency_s, "bytes": self.max_bytes}
        return max((gap / (limits[name] or 1.0) for name, gap in self.excess(row).items() if gap), default=0.0)


@dataclass(frozen=True)
class Tie:
    """How a row compares with the best validation Dice: p after Holm's correction, NaN where too few groups test."""

    row: Deployed
    below: float
    p: float
    groups: int

    @property
    def untold(self) -> bool:
        """Whether it is not told apart from the best: by the test, or where none is possible within `MARGIN`."""
        return self.below <= MARGIN if math.isnan(self.p) else self.p >= ALPHA

    @property
    def as_good(self) -> bool:
        """Whether it may stand for the best: not told apart, and not more than `TOLERANCE` below it."""
        return self.untold and self.below <= TOLERANCE


@dataclass(frozen=True)
class Recommendation:
    """What is recommended at one place, a machine with a number of threads.

    chosen: None where nothing qualifies. front: what no other beats in validation Dice, latency and size, the fastest
    first. best: the highest validation Dice. ties: of all that are faster than it. nearest: by limit, what comes
    nearest to it among those that meet the others, or among all. left_out: why how many rows take no part. qualified:
    how many take part and meet the limits.
    """

    place: tuple[str, int]
    limits: Limits
    chosen: Deployed | None
    best: Deployed | None
    front: tuple[Deployed, ...]
    ties: tuple[Tie, ...]
    nearest: dict[str, Deployed]
    left_out: Counter[str]
    qualified: int = 0


def values(row: Deployed) -> tuple[float, float, float]:
    """Mean validation Dice to four decimals (of test cases where only those were segmented), seconds, bytes."""
    one = row.deployment
    dice = math.nan if one.choosing is None else counted_dice(one.choosing.mean)
    return dice, one.latency_s(50), one.row.get("file_bytes", math.nan)


def recommend(group: Group, place: tuple[str, int], limits: Limits | None = None) -> Recommendation:
    """Choose among the trials and runtimes of one place.

    A candidate is a trained trial, of one seed, on a runtime: one file. Those take part that agree with Keras, were
    timed with the instruction sets of the machine, and did not collapse. Of what meets the limits the one with the best
    validation Dice is chosen, or the fastest of those that are as good: a paired sign-flip test over the groups of the
    validation cases, corrected after Holm over all faster ones, does not tell it apart (below six groups: within
    0.005), and it is at most 0.01 below.
    """
    limits = limits or Limits()
    left_out, eligible = Counter[str](), []
    for row in group.at(place):
        reason = _refused(row)
        if reason:
            left_out[reason] += 1
        else:
            eligible.append(row)
    fit = [row for row in eligible if limits.met(row)]
    if not fit:
        return Recommendation(place, limits, None, None, (), (), _nearest(eligible, limits), left_out)
    best = max(fit, key=lambda row: (values(row)[0], -values(row)[1], -values(row)[2]))
    ties = _ties(best, [row for row in fit if values(row)[1] < values(best)[1]])
    good = [best, *(tie.row for tie in ties if tie.as_good)]
    chosen = min(good, key=lambda row: (values(row)[1], values(row)[2], -values(row)[0]))
    return Recommendation(place, limits, chosen, best, pareto_front(fit), ties, {}, left_out, len(fit))


def pareto_front(rows: Sequence[Deployed]) -> tuple[Deployed, ...]:
    """The rows that no other beats in one of Dice, latency and size and at least equals in the others, fastest first.

    Of rows that are equal in all three the first stays.
    """
    different: dict[tuple[float, float, float], Deployed] = {}
    for row in rows:
        different.setdefault(values(row), row)
    front = pareto(*np.array(list(different)).reshape(-1, 3).T)
    return tuple(sorted((list(different.values())[index] for index in front), key=lambda row: values(row)[1]))


def configuration(group: Group, row: Deployed) -> list[float]:
    """Mean validation Dice of each seed of the row's model and loss on its runtime at its place, in order of seeds."""
    same = [
        other
        for other in group.at((row.machine, row.threads))
        if (other.model, other.loss, other.deployment.runtime) == (row.model, row.loss, row.deployment.runtime)
    ]
    found = [values(other)[0] for other in sorted(same, key=lambda other: other.seed)]
    return [dice for dice in found if not math.isnan(dice)]


def _refused(row: Deployed) -> str:
    """Why a row takes no part, "" where it does."""
    one = row.deployment
    if not one.agrees:
        return REFUSED[one.verdict]
    if row.collapsed:
        return "collapsed in training"
    if not row.same_instructions:
        return "timed with other instruction sets than the machine has"
    dice, latency, size = values(row)
    if math.isnan(dice):
        return "without Dice of whole cases"
    return "not timed" if math.isnan(latency) else "of unknown size" if math.isnan(size) else ""


def _ties(best: Deployed, faster: Sequence[Deployed]) -> tuple[Tie, ...]:
    """Each faster row against the best, on the validation cases that both have, the fastest first.

    Copies of one network, whose Dice is the same, are no tests that a correction must count.
    """
    ordered = sorted(faster, key=lambda row: values(row)[1])
    tested = [_tested(best, row) for row in ordered]
    differing = [k for k, (below, p, _) in enumerate(tested) if not math.isnan(p) and abs(below) >= 10.0**-DIGITS]
    adjusted = holm(np.array([tested[k][1] for k in differing]))
    corrected = {k: float(p) for k, p in zip(differing, adjusted, strict=True)}
    return tuple(
        Tie(row, below, corrected.get(k, p), count)
        for k, (row, (below, p, count)) in enumerate(zip(ordered, tested, strict=True))
    )


def _tested(best: Deployed, row: Deployed) -> tuple[float, float, int]:
    """Mean Dice of the best less that of the row over common cases, p of the sign flips (NaN: too few groups), groups.

    Without common cases, of other folds say, the first is infinite.
    """
    first, second = best.deployment.choosing, row.deployment.choosing
    if first is None or second is None or best.deployment.chosen_on != row.deployment.chosen_on:
        return math.inf, math.nan, 0
    one, other, group_of = first.by_case(), second.by_case(), first.group_of()
    common = [case for case in one if not (math.isnan(one[case]) or math.isnan(other.get(case, math.nan)))]
    if not common:
        return math.inf, math.nan, 0
    arrays = [np.array([[scores[case] for case in common]]) for scores in (one, other)]
    found = compare(arrays, np.array([group_of[case] for case in common]))
    count = int(found.groups[0])
    return float(found.difference[0]), float(found.p[0]) if count >= MINIMUM_GROUPS else math.nan, count


def _nearest(eligible: Sequence[Deployed], limits: Limits) -> dict[str, Deployed]:
    """By limit that nothing meets together with the others: the row that comes nearest to it.

    Among the rows that meet the other limits where there are some, else among all.
    """
    found: dict[str, Deployed] = {}
    for name, limit in (("dice", limits.min_dice), ("latency_s", limits.max_latency_s), ("bytes", limits.max_bytes)):
        if limit is None or not eligible:
            continue
        meeting = [row for row in eligible if not any(v for key, v in limits.excess(row).items() if key != name)]
        found[name] = min(meeting or eligible, key=lambda row: (limits.excess(row)[name], limits.share(row)))
    return found
