"""Scores on the validation cases, from non-overlapping tiles; they choose the checkpoint and the threshold."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import keras
import numpy as np

from ...core.recipe import Recipe
from ...core.task import Task
from ...datasets.held import Held
from ...datasets.mapped_file import ArrayFile
from ...datasets.prepare import Prepared
from ...datasets.tiles import choose_tiles, cut_tiles
from .predict import to_labels

THRESHOLDS = np.round(np.arange(0.1, 0.91, 0.05), 2)

SHARE = 0.25
"""Tiles that are looked at after an epoch, of the patches that the epoch trained on."""


@dataclass(frozen=True)
class Tiles:
    """Validation cases cut into patches. counted marks the pixels that are scored, each of a case once at most.

    images (m, *patch, c) float32, truths (m, *patch, t) uint8, perhaps with marks behind (`core.marks`), counted
    (m, *patch) bool, cases (m,) index of the case.
    """

    images: np.ndarray
    truths: np.ndarray
    counted: np.ndarray
    cases: np.ndarray

    @classmethod
    def of(
        cls,
        prepared: Sequence[Prepared | Held],
        patch: Sequence[int],
        chosen: Sequence[Sequence[int]] | None = None,
        scratch: Path | None = None,
    ) -> "Tiles":
        """Cut prepared cases, into all tiles or into those chosen of each case; into files in `scratch` if given."""
        images, truths, counted = (ArrayFile(scratch) for _ in range(3))
        cases: list[int] = []
        for index, (case, pick) in enumerate(zip(prepared, chosen or [None] * len(prepared), strict=True)):
            for tile in cut_tiles(case, patch, pick):
                images.append(tile.image)
                truths.append(tile.truth)
                counted.append(tile.counted)
                cases.append(index)
        return cls(images.stacked(), truths.stacked(), counted.stacked(), np.array(cases))


@dataclass(frozen=True)
class ValidationCases:
    """The validation cases. tiles: those looked at after each epoch; sampled: whether these are a part of all.

    scratch: folder of the files that tiles are kept in, None for memory.
    """

    prepared: Sequence[Prepared | Held]
    patch: tuple[int, ...]
    tiles: Tiles
    sampled: bool
    scratch: Path | None = None

    @classmethod
    def of(
        cls,
        prepared: Sequence[Prepared | Held],
        recipe: Recipe,
        patches: int,
        ignore: int | None,
        scratch: Path | None = None,
    ) -> "ValidationCases":
        """Choose the tiles as the recipe says. patches: how many an epoch trains on."""
        count = ceil(SHARE * patches)
        chosen = None if recipe.validation == "full" else choose_tiles(prepared, recipe.patch, count, ignore=ignore)
        tiles = Tiles.of(prepared, recipe.patch, chosen, scratch)
        return cls(prepared, recipe.patch, tiles, chosen is not None, scratch)

    def targets(self, of: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        """What a loss gets for `tiles`, made by `of` of some images and truths at a time, kept where the tiles are."""
        if self.scratch is None:
            return of(self.tiles.images, self.tiles.truths)
        kept = ArrayFile(self.scratch)
        for image, truth in zip(self.tiles.images, self.tiles.truths, strict=True):
            kept.append(of(image[None], truth[None])[0])
        return kept.stacked()

    def whole(self) -> Iterator[Tiles]:
        """All tiles of all cases: of one case after the other, or the tiles at hand where they are all."""
        if not self.sampled:
            yield self.tiles
            return
        for index, case in enumerate(self.prepared):
            cut = Tiles.of([case], self.patch)
            yield Tiles(cut.images, cut.truths, cut.counted, cut.cases + index)


@dataclass(frozen=True)
class Validation:
    """loss: mean over tiles. dice: mean over cases and scored classes, those empty on both sides left out."""

    loss: float
    dice: float


def validate(
    forward: Callable[[np.ndarray], np.ndarray],
    loss: Callable[[np.ndarray, np.ndarray], object],
    parts: Iterable[tuple[Tiles, np.ndarray]],
    task: Task,
    *,
    batch: int,
    threshold: float = 0.5,
) -> Validation:
    """Score the model on tiles. parts: tiles, each with what the loss gets for truth, which may be more than theirs."""
    losses: list[np.ndarray] = []
    counts = Counts(task)
    for tiles, targets in parts:
        for start in range(0, len(tiles.images), batch):
            part = slice(start, start + batch)
            logits = forward(tiles.images[part])
            values = keras.ops.convert_to_numpy(loss(targets[part], logits))
            losses.append(np.asarray(values, np.float64))
            counts.add(tiles, part, labels(logits, task, threshold))
    return Validation(float(np.concatenate(losses).mean()), counts.dice())


def dice_by_case(
    forward: Callable[[np.ndarray], np.ndarray], parts: Iterable[Tiles], task: Task, *, batch: int, threshold: float
) -> np.ndarray:
    """Dice of each case, (n,), a mean over scored classes; a class empty in truth and prediction is left out.

    NaN for a case of which all classes are left out.
    """
    counts = Counts(task)
    for tiles in parts:
        for start in range(0, len(tiles.images), batch):
            part = slice(start, start + batch)
            counts.add(tiles, part, labels(forward(tiles.images[part]), task, threshold))
    scores = counts.by_case()
    defined = ~np.isnan(scores)
    sums = np.where(defined, scores, 0.0).sum(axis=1)
    return np.divide(sums, defined.sum(axis=1), out=np.full(len(scores), np.nan), where=defined.any(axis=1))


def mean_dice(
    forward: Callable[[np.ndarray], np.ndarray], parts: Iterable[Tiles], task: Task, *, batch: int, threshold: float
) -> float:
    """`Validation.dice` of a model; NaN where all is empty on both sides."""
    counts = Counts(task)
    for tiles in parts:
        for start in range(0, len(tiles.images), batch):
            part = slice(start, start + batch)
            counts.add(tiles, part, labels(forward(tiles.images[part]), task, threshold))
    return counts.dice()


def best_threshold(
    forward: Callable[[np.ndarray], np.ndarray], parts: Iterable[Tiles], task: Task, *, batch: int
) -> tuple[float, float]:
    """Return the threshold of the highest validation Dice among 0.1, 0.15 … 0.9, and that Dice.

    Of equal ones the nearest to 0.5. Exclusive classes have no threshold: 0.5 is returned and changes nothing.
    """
    every = {float(t): Counts(task) for t in THRESHOLDS}
    for tiles in parts:
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


class Counts:
    """True positives, false positives and false negatives of each case and scored class."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.values = np.zeros((3, 0, len(task.scored)), np.int64)

    def add(self, tiles: Tiles, part: slice, predicted: np.ndarray) -> None:
        """Count a part of the tiles, whose label planes were predicted."""
        truths, counted, cases = tiles.truths[part], tiles.counted[part], tiles.cases[part]
        lacking = int(cases.max()) + 1 - self.values.shape[1]
        if lacking > 0:
            self.values = np.pad(self.values, ((0, 0), (0, lacking), (0, 0)))
        for index in range(len(self.task.scored)):
            value, channel = (index + 1, 0) if self.task.kind == "exclusive" else (1, index)
            truth, guess = truths[..., channel] == value, predicted[..., channel] == value
            valid = counted if self.task.ignore is None else counted & (truths[..., channel] != self.task.ignore)
            axes = tuple(range(1, truth.ndim))
            found = (truth & guess & valid, ~truth & guess & valid, truth & ~guess & valid)
            for row, plane in zip(self.values, found, strict=True):
                np.add.at(row[:, index], cases, np.count_nonzero(plane, axis=axes))

    def by_case(self) -> np.ndarray:
        """Dice of each case and scored class, NaN where it is empty on both sides."""
        hit, false, missed = self.values
        size = 2 * hit + false + missed
        return np.divide(2.0 * hit, size, out=np.full(hit.shape, np.nan), where=size > 0)

    def dice(self) -> float:
        """Mean over cases and scored classes, those empty on both sides left out; NaN where all are."""
        scores = self.by_case()
        counted = ~np.isnan(scores)
        return float(scores[counted].mean()) if counted.any() else float("nan")
