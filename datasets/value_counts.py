"""Quantiles of more values than memory holds."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

_EXACT = 1 << 16


@dataclass
class ValueCounts:
    """How often each value came, whichever order they came in.

    Whole numbers below 65,536 in size are counted each; of others the first three digits, so that a quantile is off by
    half a percent at most and memory does not grow with the data. least, most: exact, NaN before the first value.
    """

    counts: Counter[float] = field(default_factory=Counter)
    least: float = float("nan")
    most: float = float("nan")

    @classmethod
    def of(cls, values: np.ndarray, most: int = 0) -> "ValueCounts":
        """Count the values of an array of any shape; with `most`, so many evenly spaced ones, yet all for the extremes.

        Each of those counts for those that it stands for.
        """
        if values.size == 0:
            return cls()
        step = -(-values.size // most) if most else 1
        thinned = values.ravel()[::step]
        if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
            every = np.bincount(thinned)
            numbers = np.flatnonzero(every)
            times = every[numbers]
        else:
            numbers, times = np.unique(_rounded(thinned), return_counts=True)
        counts = Counter[float](dict(zip(numbers.tolist(), (times * step).tolist(), strict=True)))
        return cls(counts, float(values.min()), float(values.max()))

    def add(self, other: "ValueCounts") -> None:
        """Count another's values too."""
        self.counts.update(other.counts)
        self.least, self.most = float(np.fmin(self.least, other.least)), float(np.fmax(self.most, other.most))

    def quantile(self, share: float) -> float:
        """The value that a share of all do not exceed; NaN of none."""
        total, seen = sum(self.counts.values()), 0
        for value in sorted(self.counts):
            seen += self.counts[value]
            if seen >= share * total:
                return min(max(value, self.least), self.most)
        return float("nan")


def _rounded(values: np.ndarray) -> np.ndarray:
    wide = values.astype(np.float64)
    exact = (wide == np.rint(wide)) & (np.abs(wide) < _EXACT)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        digits = 10.0 ** (np.floor(np.log10(np.abs(wide))) - 2)
        short = np.rint(wide / digits) * digits
    return np.where(exact, wide, np.where(np.isfinite(short), short, wide))
