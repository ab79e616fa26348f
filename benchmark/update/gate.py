"""Whether a new model may replace an old one: not worse on the frozen test cases, beyond doubt, by a margin."""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.counted import counted
from ...core.errors import SpecError
from ...core.measure import Measure, measure, signed
from ...metrics.empty import apply
from ..report.statistics.intervals import MINIMUM_GROUPS, interval

MARGIN = 0.01
"""Of a score between 0 and 1, by default."""

LEVEL = 0.95

DECIMALS = 4
"""Of a difference in words; a margin may be small."""

Rows = Sequence[Mapping[str, Any]]
"""Scores as `Record.scores` has them."""


@dataclass(frozen=True)
class Difference:
    """Two models on the same cases, paired. old, new: means over cases, NaN without any.

    gain: the mean over cases of new - old, of a measure that is better when lower of old - new, so that a gain above 0
    is for the better. low, high: its interval over groups of cases, NaN where these are too few. missing: cases that
    one of the models has no score for.
    """

    cases: int
    groups: int
    old: float
    new: float
    gain: float
    low: float
    high: float
    missing: tuple[str, ...] = ()

    @property
    def brief(self) -> str:
        """`+0.0021 [-0.0034, +0.0080]`, without ends where they are not known."""
        if math.isnan(self.gain):
            return "not known"
        ends = "" if math.isnan(self.low) else f" [{signed(self.low, DECIMALS)}, {signed(self.high, DECIMALS)}]"
        return f"{signed(self.gain, DECIMALS)}{ends}"


@dataclass(frozen=True)
class Verdict:
    """Whether the new model replaces the old one, and why in one line."""

    replaces: bool
    reason: str


def checked_measure(name: str, rows: Rows) -> Measure:
    """The measure of that name. Raises SpecError where it has no direction and where no case has it."""
    known = sorted({key for row in rows for key in row if measure(key).better != "none"})
    if name not in known:
        raise SpecError(f"--metric {name}: no measure of the test cases; there are {', '.join(known)}")
    return measure(name)


def checked_margin(asked: float | None, reading: Measure) -> float:
    """The margin, by default `MARGIN` of a share. Raises SpecError where there is no default and for one below 0."""
    if asked is None and (reading.unit or not set(reading.bounds) <= {0.0, 1.0}):
        unit = f" in {reading.unit}" if reading.unit else ""
        raise SpecError(f"--margin: say how much worse{unit} {reading.title} may be; only shares have a usual margin")
    margin = MARGIN if asked is None else asked
    if not 0 <= margin < math.inf:
        raise SpecError(f"--margin {margin:g}: is no number from 0 on")
    return margin


def difference(old: Rows, new: Rows, cases: Collection[str], reading: Measure) -> Difference:
    """Compare two models on the cases of these names that either of them has a score for.

    A case's score is the mean over the classes that have one. Where truth and prediction are empty it is the best
    value, so that a false alarm on a case without objects counts; where one of them is, the worst (of a distance the
    image's diagonal).
    """
    values = [_by_case(rows, cases, reading) for rows in (old, new)]
    names = sorted(set(values[0]) | set(values[1]))
    missing = tuple(name for name in names if any(name not in own for own in values))
    pairs = [name for name in names if name not in missing and values[0][name][0] == values[1][name][0]]
    missing = (*missing, *(name for name in names if name not in missing and name not in pairs))
    before, after = (np.array([own[name][1] for name in pairs]) for own in values)
    gains = (after - before) * (-1 if reading.better == "lower" else 1)
    group = {str(row["case"]): str(row.get("group") or row["case"]) for row in (*old, *new)}
    groups = np.array([group[name] for name in pairs], dtype=str)
    low, high = interval(gains[None], groups, level=LEVEL) if pairs else (math.nan, math.nan)
    old_mean, new_mean, gain = (float(one.mean()) if pairs else math.nan for one in (before, after, gains))
    return Difference(len(pairs), len(set(groups.tolist())), old_mean, new_mean, gain, low, high, missing)


def judged(found: Difference, margin: float, against: str = "the old model") -> Verdict:
    """Non-inferiority: the new model replaces the old one where the interval of its gain lies above -margin.

    That is, the lower end of the two-sided 95 % interval of the mean paired difference, over groups of cases, is above
    -margin; docs/continual.md says how often a model passes that is worse by the margin. With a margin of 0 it has to
    be better. Where there are too few groups for an interval, or a case has a score of one model only, it does not
    pass.
    """
    if found.missing:
        names = ", ".join(found.missing[:3])
        return Verdict(False, f"{counted(len(found.missing), 'frozen test case')} cannot be compared ({names})")
    if math.isnan(found.low):
        few = counted(found.groups, "group")
        enough = found.groups >= MINIMUM_GROUPS
        why = "one of which outweighs the others" if enough else f"fewer than {MINIMUM_GROUPS}"
        return Verdict(False, f"not enough to tell: {counted(found.cases, 'frozen test case')} of {few}, {why}")
    if found.low > -margin:
        return Verdict(True, f"not worse than {against} by {margin:g} or more: {found.brief}")
    if found.high < -margin:
        return Verdict(False, f"worse than {against} by more than {margin:g}: {found.brief}")
    return Verdict(False, f"may be worse than {against} by {margin:g} or more: {found.brief}")


def both(verdict: Verdict, further: Verdict) -> Verdict:
    """The first of two that does not pass, or that both do, with the reasons of both."""
    if verdict.replaces and further.replaces:
        return Verdict(True, f"{verdict.reason}; {further.reason}")
    return further if verdict.replaces else verdict


def _by_case(rows: Rows, cases: Collection[str], reading: Measure) -> dict[str, tuple[tuple[str, ...], float]]:
    """By case, the classes with a score and their mean; without cases that have none."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        value = _value(row, reading) if row["case"] in cases else math.nan
        if not math.isnan(value):
            found[str(row["case"])][str(row["class"])] = value
    return {name: (tuple(sorted(own)), float(np.mean(list(own.values())))) for name, own in found.items()}


def _value(row: Mapping[str, Any], reading: Measure) -> float:
    if reading.name not in row:
        return math.nan
    if row["empty"] == "both" and not reading.defined_when_empty:
        return reading.best
    return apply("nan_worst", reading.name, row[reading.name], row["empty"], row.get("diagonal"))
