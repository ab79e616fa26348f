"""The choice of an epoch on validation, before any test image is read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...core.errors import Diverged
from ...core.recipe import Recipe
from .compiled_model import CompiledModel
from .validate import ValidationCases, validate

CANDIDATES = 3
"""Epochs that are scored on whole validation cases where each was scored on a part of them."""


@dataclass(frozen=True)
class Selection:
    """What validation chose. Only with one in hand can test cases be scored.

    score: of whole validation cases. candidates: the epochs it was chosen from, best first by the score after the
    epoch, each as epoch, score and whole (the score of whole cases); empty where the score after an epoch was that.
    """

    epoch: int
    score: float
    monitor: str
    threshold: float
    candidates: list[dict[str, float]] = field(default_factory=list)


def select(
    compiled: CompiledModel,
    best: Sequence[tuple[int, float]],
    weights: Sequence[list[np.ndarray]],
    cases: ValidationCases,
    recipe: Recipe,
) -> Selection:
    """Choose the epoch, on whole cases where the epochs were compared on a part, and put its weights in the model.

    best, weights: of the best epochs, best first. Of equal scores the one that was better after its epoch is taken.
    Raises Diverged when there is none.
    """
    threshold = 0.5 if recipe.threshold == "tuned" else float(recipe.threshold)
    sign = 1 if recipe.monitor == "dice" else -1
    if not best:
        raise Diverged(f"validation: {recipe.monitor} was not finite after any epoch, so none can be selected")
    if not cases.sampled:
        compiled.set_weights(weights[0])
        (epoch, score), *_ = best
        return Selection(epoch, sign * score, recipe.monitor, threshold)
    rows: list[dict[str, float]] = []
    for (epoch, score), kept in zip(best, weights, strict=True):
        compiled.set_weights(kept)
        parts = ((tiles, compiled.targets(tiles.truths)) for tiles in cases.whole())
        found = validate(compiled.forward, compiled.loss, parts, compiled.task, batch=recipe.batch)
        whole = found.dice if recipe.monitor == "dice" else found.loss
        rows.append({"epoch": epoch, "score": sign * score, "whole": whole})
    chosen = max(range(len(rows)), key=lambda k: (_or_least(sign * rows[k]["whole"]), -k))
    compiled.set_weights(weights[chosen])
    return Selection(int(rows[chosen]["epoch"]), rows[chosen]["whole"], recipe.monitor, threshold, rows)


def _or_least(score: float) -> float:
    return -math.inf if math.isnan(score) else score
