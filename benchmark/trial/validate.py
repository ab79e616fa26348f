"""Scores on the validation cases, from non-overlapping tiles; they choose the checkpoint and the threshold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from ...core.task import Task
from ...datasets.patches import cut_tiles
from ...datasets.prepare import Prepared
from .predict import to_labels

THRESHOLDS = np.round(np.arange(0.1, 0.91, 0.05), 2)


@dataclass(frozen=True)
class Tiles:
    """Every validation case cut into patches. fresh marks the pixels that are counted, each exactly once.

    images (m, *patch, c) float32, truths (m, *patch, t) uint8, fresh (m, *patch) bool, cases (m,) index of the case.
    """

    images: np.ndarray
    truths: np.ndarray
    counted: np.ndarray
    cases: np.ndarray

    @classmethod
    def of(cls, prepared: Sequence[Prepared], patch: tuple[int, ...]) -> "Tiles":
        """Cut prepared cases."""
        found = [(*tile, index) for index, case in enumerate(prepared) for tile in cut_tiles(case, patch)]
        images, truths, counted, cases = zip(*found, strict=True)
        return cls(np.stack(images), np.stack(truths), np.stack(counted), np.array(cases))


@dataclass(frozen=True)
class Validation:
    """loss: mean over tiles. dice: mean over cases and scored classes, those empty on both sides left out."""

    loss: float
    dice: float


def validate(
    forward: Callable[[np.ndarray], np.ndarray],
    loss: Callable[[np.ndarray, np.ndarray], object],
    tiles: Tiles,
    task: Task,
    *,
    batch: int,
    threshold: float = 0.5,
    targets: np.ndarray | None = None,
) -> Validation:
    """Score the model on the tiles. targets: what the loss gets for truth, when it is more than the tiles' truths."""
    targets = tiles.truths if targets is None else targets
    losses: list[np.ndarray] = []
    counts = _Counts(task, int(tiles.cases.max()) + 1)
    for start in range(0, len(tiles.images), batch):
        part = slice(start, start + batch)
        logits = forward(tiles.images[part])
        values = keras.ops.convert_to_numpy(loss(targets[part], logits))
        losses.append(np.asarray(values, np.float64))
        counts.add(tiles, part, labels(logits, task, threshold))
    return Validation(float(np.concatenate(losses).mean()), counts.dice())


def best_threshold(
    forward: Callable[[np.ndarray], np.ndarray], tiles: Tiles, task: Task, *, batch: int
) -> tuple[float, float]:
    """Return the threshold of the highest validation Dice among 0.1, 0.15 … 0.9, and that Dice.

    Of equal ones the nearest to 0.5. Exclusive classes have no threshold: 0.5 is returned and changes nothing.
    """
    every = {float(t): _Counts(task, int(tiles.cases.max()) + 1) for t in THRESHOLDS}
    for start in range(0, len(tiles.images), batch):
        part = slice(start, start + batch)
        logits = forward(tiles.images[part])
        for threshold, counts in every.items():
            counts.add(tiles, part, labels(logits, task, threshold))
    scores = {threshold: counts.dice() for threshold, counts in every.items()}
    if task.kind == "exclusive" or all(np.isnan(score) for score in scores.values()):
        return 0.5, scores[0.5]
    best = max(scores, key=lambda threshold: (round(scores[threshold], 6), -abs(threshold - 0.5)))
    return best, scores[best]


def labels(logits: np.ndarray, task: Task, threshold: float) -> np.ndarray:
    """Logits (n, *space, k) to label planes (n, *space, t) uint8: index of the class, or 0 and 1."""
    return to_labels(logits, task, np.log(threshold / (1 - threshold)))


class _Counts:
    """True positives, false positives and false negatives of each case and scored class."""

    def __init__(self, task: Task, cases: int) -> None:
        self.task = task
        self.values = np.zeros((3, cases, len(task.scored)), np.int64)

    def add(self, tiles: Tiles, part: slice, predicted: np.ndarray) -> None:
        truths, counted, cases = tiles.truths[part], tiles.counted[part], tiles.cases[part]
        for index in range(len(self.task.scored)):
            value, channel = (index + 1, 0) if self.task.kind == "exclusive" else (1, index)
            truth, guess = truths[..., channel] == value, predicted[..., channel] == value
            valid = counted if self.task.ignore is None else counted & (truths[..., channel] != self.task.ignore)
            axes = tuple(range(1, truth.ndim))
            found = (truth & guess & valid, ~truth & guess & valid, truth & ~guess & valid)
            for row, plane in zip(self.values, found, strict=True):
                np.add.at(row[:, index], cases, np.count_nonzero(plane, axis=axes))

    def dice(self) -> float:
        hit, false, missed = self.values
        size = 2 * hit + false + missed
        scores = np.divide(2.0 * hit, size, out=np.full(hit.shape, np.nan), where=size > 0)
        counted = ~np.isnan(scores)
        return float(scores[counted].mean()) if counted.any() else float("nan")
