"""The choice of an ensemble's members and their weights, on validation cases alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from ...core.task import Task
from ...datasets.mapped_file import ArrayFile
from .predict import sigmoid, softmax, to_labels
from .validate import Counts, Tiles

NO_FOREGROUND = "validation: no case has a foreground pixel, so Dice cannot choose the members of an ensemble"


@dataclass(frozen=True)
class Chosen:
    """counts (n,): how often each candidate was taken. rounds: the candidate taken in each, and the Dice after it."""

    counts: tuple[int, ...]
    rounds: tuple[tuple[int, float], ...]


def votes(
    forward: Callable[[np.ndarray], np.ndarray],
    parts: Iterable[Tiles],
    task: Task,
    *,
    mean: str,
    batch: int,
    scratch: Path | None = None,
) -> np.ndarray:
    """What a candidate says of all tiles, in the unit that is averaged: probabilities or logits (m, *patch, k) float32.

    scratch: folder of the file that they are kept in, None for memory.
    """
    activation = (softmax if task.kind == "exclusive" else sigmoid) if mean == "probabilities" else np.asarray
    kept = ArrayFile(scratch)
    for tiles in parts:
        for start in range(0, len(tiles.images), batch):
            for one in activation(forward(tiles.images[start : start + batch])):
                kept.append(np.asarray(one, np.float32))
    return kept.stacked()


def greedy(
    candidates: Sequence[np.ndarray],
    parts: Callable[[], Iterable[Tiles]],
    task: Task,
    *,
    threshold: float,
    rounds: int,
    most: int = 0,
) -> Chosen:
    """Forward selection with replacement (Caruana et al. 2004, doi:10.1145/1015330.1015432).

    Each round adds the candidate with which the mean of all that were added so far has the highest validation Dice, of
    equal ones the first; the ensemble is that of the round with the highest, of equal ones the earliest, and its
    weights are how often each candidate is in it. candidates: see `votes`. threshold: in their unit. most: different
    candidates at most, 0 for any number. Raises DataError where no Dice is defined.
    """
    total = np.zeros_like(candidates[0])
    counts = [0] * len(candidates)
    taken: list[tuple[int, float]] = []
    for number in range(1, rounds + 1):
        full = most > 0 and sum(count > 0 for count in counts) >= most
        open_ = [k for k in range(len(candidates)) if counts[k] or not full]
        scores = {k: _dice(total, candidates[k], number, parts(), task, threshold) for k in open_}
        known = {k: score for k, score in scores.items() if not np.isnan(score)}
        if not known:
            raise DataError(NO_FOREGROUND)
        best = max(known, key=lambda k: (known[k], -k))
        counts[best] += 1
        total += candidates[best]
        taken.append((best, known[best]))
    ends = 1 + max(range(len(taken)), key=lambda k: (taken[k][1], -k))
    final = [sum(k == candidate for k, _ in taken[:ends]) for candidate in range(len(candidates))]
    return Chosen(tuple(final), tuple(taken))


def _dice(
    total: np.ndarray, more: np.ndarray, number: int, parts: Iterable[Tiles], task: Task, threshold: float
) -> float:
    """Validation Dice of the mean of what was added up and one more, tile after tile."""
    counts, first = Counts(task), 0
    for tiles in parts:
        for k in range(len(tiles.images)):
            mean = (total[first + k] + more[first + k]) / number
            counts.add(tiles, slice(k, k + 1), to_labels(mean[None], task, threshold))
        first += len(tiles.images)
    return counts.dice()
