"""The choice of an epoch on validation, before any test case is predicted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...core.errors import Diverged
from ...core.recipe import Recipe
from .checkpoint import Epoch
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
    best: Sequence[Epoch],
    weights: Sequence[list[np.ndarray]],
    cases: ValidationCases,
    recipe: Recipe,
) -> Selection:
    """Choose the epoch, on whole cases where the epochs were compared on a part, and put its weights in the model.

    best, weights: of the best epochs, best first. Of equal scores of whole cases the one with the lower loss is taken,
    of equal losses too the one that was better after its epoch. Raises Diverged when no score is finite.
    """
    threshold = 0.5 if recipe.threshold == "tuned" else float(recipe.threshold)
    sign = 1 if recipe.monitor == "dice" else -1
    if not best:
        raise Diverged(f"validation: {recipe.monitor} was not finite after any epoch, so none can be selected")
    if not cases.sampled:
        compiled.set_weights(weights[0])
        return Selection(best[0].epoch, sign * best[0].score, recipe.monitor, threshold)
    rows: list[dict[str, float]] = []
    chosen: Epoch | None = None
    for (epoch, score, _), kept in zip(best, weights, strict=True):
        compiled.set_weights(kept)
        parts = ((tiles, compiled.targets(tiles.images, tiles.truths)) for tiles in cases.whole())
        found = validate(compiled.forward, compiled.loss, parts, compiled.task, batch=recipe.micro_batch)
        whole = found.dice if recipe.monitor == "dice" else found.loss
        rows.append({"epoch": epoch, "score": sign * score, "whole": whole})
        one = Epoch(epoch, sign * whole, found.loss)
        if math.isfinite(whole) and (chosen is None or one.beats(chosen)):
            chosen = one
    if chosen is None:
        raise Diverged(f"validation: {recipe.monitor} of whole cases was not finite after any of the best epochs")
    compiled.set_weights(weights[[entry.epoch for entry in best].index(chosen.epoch)])
    return Selection(chosen.epoch, sign * chosen.score, recipe.monitor, threshold, rows)
