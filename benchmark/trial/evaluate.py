"""Score the selected model on whole test cases at their original size."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.errors import DataError
from ...core.recipe import Recipe
from ...datasets.case import Case, Sample
from ...metrics.score import score_case
from .context import OpenedDataset
from .predict import Forward, predict, to_labels
from .preview import preview
from .train import ProgressCallback, Selection


@dataclass
class Evaluation:
    """scores: rows as `Record.scores` says. previews: arrays as the report reads them. Seconds of the phases."""

    scores: list[dict[str, Any]] = field(default_factory=list)
    previews: dict[str, np.ndarray] = field(default_factory=dict)
    load_s: float = 0.0
    predict_s: float = 0.0
    score_s: float = 0.0


def evaluate(
    forward: Forward,
    selection: Selection,
    cases: Sequence[Case],
    opened: OpenedDataset,
    *,
    recipe: Recipe,
    previews: int,
    on_progress: ProgressCallback,
) -> Evaluation:
    """Read, predict and score each case; cases are read here and nowhere before, under a frozen selection."""
    result, task = Evaluation(), opened.task
    shown = sorted(cases, key=lambda case: hashlib.sha256(case.name.encode()).hexdigest())[:previews]
    for index, case in enumerate(cases):
        clock = [time.perf_counter()]
        prepared = opened.prepare(case)
        clock.append(time.perf_counter())
        probabilities = predict(
            forward,
            prepared.image,
            task,
            window=recipe.patch,
            overlap=recipe.overlap,
            batch=recipe.batch,
            mirror=recipe.mirror,
        )
        truth, probabilities = prepared.original.truth, prepared.restore(probabilities)
        found = to_labels(probabilities, task, selection.threshold)
        clock.append(time.perf_counter())
        rows = _scored(case.name, prepared.original, found, probabilities, opened)
        result.scores += [{"case": case.name, "group": case.group, **row} for row in rows]
        if case in shown:
            result.previews |= preview(shown.index(case), case.name, prepared.original.image, truth, found)
        clock.append(time.perf_counter())
        result.load_s += clock[1] - clock[0]
        result.predict_s += clock[2] - clock[1]
        result.score_s += clock[3] - clock[2]
        on_progress({"phase": "test", "step": index + 1, "of": len(cases)})
    return result


def _scored(
    name: str, original: Sample, found: np.ndarray, probabilities: np.ndarray, opened: OpenedDataset
) -> list[dict[str, Any]]:
    try:
        return score_case(
            original.truth,
            found,
            opened.task,
            original.spacing_mm,
            instances=original.instances,
            probabilities=probabilities,
            split=opened.objects,
        )
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
