"""How much each hyper-parameter matters by itself: functional analysis of variance of a random forest."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.counted import counted
from ...core.trial import canonical
from ..sweep.space import Dimension, Space
from .attempt import Attempt

TREES = 128

ENOUGH = 10
"""Trials for each hyper-parameter, below which shares are called uncertain."""

METHOD = (
    "fANOVA (Hutter et al. 2014, PMLR 32:754-762): a random forest of scikit-learn predicts the validation score from "
    "the settings; the share is that of the forest's variance over the space which a hyper-parameter explains by "
    "itself, a mean over trees. What is missing to 1 are interactions"
)


@dataclass(frozen=True)
class Importance:
    """shares: by key, NaN where nothing varies. trials: that it was made of, as they stood after epoch `until`.

    explained: share of the variance of scores that the forest explains of trials that a tree has not seen; negative
    where it explains less than their mean would. NaN where there are too few.
    """

    shares: dict[str, float]
    trials: int
    until: int
    explained: float

    @property
    def warning(self) -> str:
        """Why the shares are uncertain, "" where they are not."""
        few = self.trials < ENOUGH * len(self.shares)
        if not few and self.explained > 0:
            return ""
        count = len(self.shares)
        reason = f"{self.trials} trials for {counted(count, 'hyper-parameter')}" if few else ""
        vain = not self.explained > 0
        unseen = "the forest does not predict trials that it has not seen" if vain else ""
        return f"uncertain: {' and '.join(filter(None, (reason, unseen)))}"


def importance(attempts: Sequence[Attempt], space: Space, seed: int = 0) -> Importance:
    """Importance of each dimension, from the attempts that gave a score, all as they stood after one epoch.

    The epoch is that which most attempts have come to, of equal ones the last. An option that has no meaning in an
    attempt (of another loss) counts as in the middle of its range.
    """
    counts = Counter(epoch for a in attempts for epoch, outcome in a.outcomes.items() if outcome.done)
    until = max(counts, key=lambda epoch: (counts[epoch], epoch), default=0)
    used = [a for a in attempts if until in a.outcomes and a.outcomes[until].done and _inside(a, space)]
    x = np.array([[place(d, a.values.get(d.key)) for d in space] for a in used]).reshape(len(used), len(space))
    y = np.array([a.outcomes[until].score for a in used])
    keys = [dimension.key for dimension in space]
    if len(used) < 3 or np.ptp(y) == 0:
        return Importance(dict.fromkeys(keys, math.nan), len(used), until, math.nan)
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(TREES, random_state=seed).fit(x, y)
    shares = [found for found in (_shares(tree.tree_, len(space)) for tree in forest.estimators_) if found is not None]
    mean = np.mean(shares, axis=0) if shares else np.full(len(space), np.nan)
    return Importance(dict(zip(keys, map(float, mean), strict=True)), len(used), until, _explained(forest, x, y))


def place(dimension: Dimension, value: Any) -> float:
    """Where a value lies in its dimension, from 0 to 1; the middle for none."""
    if value is None and None not in dimension.values:
        return 0.5
    if value is None or dimension.values:
        texts = [canonical(entry) for entry in dimension.values]
        return (texts.index(canonical(value)) + 0.5) / len(texts)
    low, high = dimension.low, dimension.high
    if dimension.log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _inside(attempt: Attempt, space: Space) -> bool:
    return all(d.key not in attempt.values or d.holds(attempt.values[d.key]) for d in space)


def _explained(forest: Any, x: np.ndarray, y: np.ndarray) -> float:
    """1 - (squared errors of the trees that have not seen a trial) / (those of the mean of the others)."""
    sums, counts = np.zeros(len(y)), np.zeros(len(y))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        unseen = np.setdiff1d(np.arange(len(y)), drawn)
        if len(unseen):
            sums[unseen] += tree.predict(x[unseen])
            counts[unseen] += 1
    some = counts > 0
    others = (y.sum() - y) / (len(y) - 1)
    errors, usual = ((y - sums / np.maximum(counts, 1))[some] ** 2).sum(), ((y - others)[some] ** 2).sum()
    return float(1 - errors / usual) if usual else math.nan


def _shares(tree: Any, dimensions: int) -> np.ndarray | None:
    """Shares of a tree's variance over the unit cube, (d,); None for a tree that predicts one value.

    Every leaf is a box with a value. The marginal of a dimension is constant between the borders of boxes, so that its
    variance is a sum: Σ width · marginal² - mean².
    """
    low, high, value = _boxes(tree, dimensions)
    widths = high - low
    volume = widths.prod(axis=1)
    mean = float((volume * value).sum())
    total = float((volume * value**2).sum()) - mean**2
    if total <= 1e-15:
        return None
    shares = np.zeros(dimensions)
    for j in range(dimensions):
        borders = np.unique(np.concatenate([low[:, j], high[:, j]]))
        middles = (borders[1:] + borders[:-1]) / 2
        within = (low[:, j] <= middles[:, None]) & (middles[:, None] < high[:, j])
        marginal = within @ (value * volume / widths[:, j])
        shares[j] = (np.diff(borders) * marginal**2).sum() - mean**2
    return np.maximum(shares, 0) / total


def _boxes(tree: Any, dimensions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper corners of the leaves' boxes in the unit cube, (leaves, d), and their values."""
    lows, highs, values = [], [], []
    stack = [(0, np.zeros(dimensions), np.ones(dimensions))]
    while stack:
        node, low, high = stack.pop()
        feature = tree.feature[node]
        if tree.children_left[node] == tree.children_right[node]:
            lows.append(low)
            highs.append(high)
            values.append(float(tree.value[node].ravel()[0]))
            continue
        left, right = high.copy(), low.copy()
        left[feature] = right[feature] = tree.threshold[node]
        stack += [(tree.children_left[node], low, left), (tree.children_right[node], right, high)]
    return np.array(lows), np.array(highs), np.array(values)
