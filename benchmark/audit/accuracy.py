"""How many annotations are right, from a random sample that a person reviewed, and how many to review."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.errors import DataError, SpecError

CONFIDENCE = 0.95
"""Of the interval, both sides together."""

Verdict = Literal["right", "wrong"]


@dataclass(frozen=True)
class Accuracy:
    """Of `cases` annotations, `reviewed` were drawn at random and looked at, and `wrong` of these are wrong.

    low, high: the share that is right, by the exact interval. threshold: the share that is asked for. more: how many
    further cases to review until the interval lies on one side of the threshold, if they turn out like those so far, or
    all right where none was reviewed; None where it does already, or never will.
    """

    cases: int
    reviewed: int
    wrong: int
    low: float
    high: float
    threshold: float
    more: int | None

    @property
    def conclusion(self) -> str:
        """`above`, `below` or `undecided`."""
        return "above" if self.low >= self.threshold else "below" if self.high < self.threshold else "undecided"

    @property
    def text(self) -> str:
        """For a person."""
        asked = f"{100 * self.threshold:g} %"
        if not self.reviewed:
            return f"not reviewed yet: look at {self.more} cases drawn at random to know whether {asked} are right"
        share = 1 - self.wrong / self.reviewed
        told = (
            f"{100 * share:.1f} % of annotations are right, 95 % interval {100 * self.low:.1f} to "
            f"{100 * self.high:.1f} % ({self.wrong} wrong of {self.reviewed} reviewed at random, of {self.cases})"
        )
        if self.conclusion != "undecided":
            return f"{told}: {self.conclusion} {asked}"
        more = f"; review {self.more} more" if self.more else ""
        return f"{told}: whether that is {asked} is undecided{more}"


def random_order(names: Iterable[str], seed: int = 0) -> list[str]:
    """The names in the order in which they are to be reviewed: by SHA-256, so that a sample can be made longer."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}\n{name}".encode()).hexdigest())


def estimate(names: Sequence[str], verdicts: Mapping[str, Verdict], threshold: float) -> Accuracy:
    """The accuracy by the verdicts on the first cases in `random_order`, up to the first one that has none.

    Verdicts further on, of cases that were looked at since they are suspect, are no random sample and do not count.
    Raises SpecError for a threshold outside (0, 1), DataError for a verdict on a case that there is not.
    """
    if not 0 < threshold < 1:
        raise SpecError(f"--threshold {threshold:g}: give a share between 0 and 1, as 0.95")
    known = set(names)
    for name in verdicts:
        if name not in known:
            raise DataError(f"--reviewed: there is no case {name!r}; names are those of the column `case` of cases.csv")
    drawn = []
    for name in random_order(names):
        if name not in verdicts:
            break
        drawn.append(verdicts[name])
    total, reviewed, wrong = len(known), len(drawn), drawn.count("wrong")
    low, high = interval(wrong, reviewed, total)
    return Accuracy(total, reviewed, wrong, low, high, threshold, _more(wrong, reviewed, total, threshold))


def interval(wrong: int, reviewed: int, cases: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Exact interval of the share of `cases` that is right when `wrong` of `reviewed` ones, drawn at random, are not.

    The numbers M of wrong annotations among all that neither P(X <= wrong | M) nor P(X >= wrong | M) puts at or below
    half of 1 - confidence, with X hypergeometric (Buonaccorsi 1987); that of Clopper and Pearson 1934 for many cases.
    """
    from scipy.stats import hypergeom

    half = (1 - confidence) / 2
    least, most = wrong, cases - (reviewed - wrong)
    high = _last(least, most, lambda m: bool(hypergeom.cdf(wrong, cases, m, reviewed) > half))
    low = _first(least, most, lambda m: bool(hypergeom.sf(wrong - 1, cases, m, reviewed) > half))
    return 1 - high / cases, 1 - low / cases


def _more(wrong: int, reviewed: int, cases: int, threshold: float) -> int | None:
    low, high = interval(wrong, reviewed, cases)
    if low >= threshold or high < threshold:
        return None
    rate = wrong / reviewed if reviewed else 0.0

    def decides(count: int) -> bool:
        low, high = interval(round(rate * count), count, cases)
        return low >= threshold or high < threshold

    for count in range(reviewed + 1, cases + 1):
        if decides(count):
            return count - reviewed
    return None


def _last(least: int, most: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to which `holds`, which it does of the least and no more from some number on."""
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if holds(middle) else (least, middle - 1)
    return least


def _first(least: int, most: int, holds: Callable[[int], bool]) -> int:
    """The smallest number from which on `holds`, which it does of the most."""
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if holds(middle) else (middle + 1, most)
    return least
