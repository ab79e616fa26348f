"""Score the selected model on whole test cases at their original size."""

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.errors import DataError
from ...datasets.case import Case, Sample
from ...metrics.score import score_case
from .context import OpenedDataset
from .predict import Forward, predict, to_labels
from .preview import preview
from .selection import Selection
from .train import ProgressCallback
from .windows import Windows


@dataclass
class Evaluation:
    """scores: rows as `Record.scores` says. previews: arrays as the report reads them. Seconds of the phases.

    windows: how many cases were predicted in windows of which size. mismatches: of each case, see `Prediction`.
    """

    scores: list[dict[str, Any]] = field(default_factory=list)
    previews: dict[str, np.ndarray] = field(default_factory=dict)
    windows: Counter[tuple[int, ...]] = field(default_factory=Counter)
    mismatches: list[float] = field(default_factory=list)
    load_s: float = 0.0
    predict_s: float = 0.0
    score_s: float = 0.0

    def prediction(self) -> dict[str, Any]:
        """The field `prediction` of a record."""
        known = [mismatch for mismatch in self.mismatches if not np.isnan(mismatch)]
        windows = [{"window": list(window), "cases": count} for window, count in self.windows.most_common()]
        return {"windows": windows, "mismatch": float(np.mean(known)) if known else None, "overlapping": len(known)}


def evaluate(
    forward: Forward,
    selection: Selection,
    cases: Sequence[Case],
    opened: OpenedDataset,
    *,
    windows: Windows,
    mirror: bool,
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
        options = windows.options(prepared.image.shape[:-1])
        made = predict(forward, prepared.image, task, mirror=mirror, **options)
        truth, probabilities = prepared.original.truth, prepared.restore(made.probabilities)
        result.windows[options["window"]] += 1
        result.mismatches.append(made.mismatch)
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
