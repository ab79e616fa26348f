"""Score the selected model on whole test cases at their original size."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.errors import DataError, one_line
from ...datasets.case import Case, Sample
from ...metrics.score import OnError, score_case
from .context import OpenedDataset
from .predict import Forward, predict, to_labels
from .preview import preview
from .selection import Selection
from .train import ProgressCallback
from .windows import Windows

Keep = Callable[[str, np.ndarray], None]
"""Takes a case's name and its probabilities (*space, k) at its own size."""


@dataclass
class Evaluation:
    """scores: rows as `Record.scores` says. previews: arrays as the report reads them. Seconds of the phases.

    windows: how many cases were predicted in windows of which size. mismatches: of each case, see `Prediction`.
    missing: why each unscored case is so. broken: how often each metric raised an error of its own, and the first one.
    """

    scores: list[dict[str, Any]] = field(default_factory=list)
    previews: dict[str, np.ndarray] = field(default_factory=dict)
    windows: Counter[tuple[int, ...]] = field(default_factory=Counter)
    mismatches: list[float] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    broken: dict[str, tuple[int, str]] = field(default_factory=dict)
    load_s: float = 0.0
    predict_s: float = 0.0
    score_s: float = 0.0

    def on_error(self, metric: str, error: Exception) -> None:
        """Count an error of a metric's own."""
        count, first = self.broken.get(metric, (0, one_line(error)))
        self.broken[metric] = count + 1, first

    def notes(self) -> list[str]:
        """What the record and the report are to say: cases and metrics without scores."""
        lost = [f"test case not scored: {reason}" for reason in self.missing]
        total = len(self.scores)
        return lost + [
            f"metric {name} failed on {count} of {total} test cases and classes, which are undefined: {first}"
            for name, (count, first) in self.broken.items()
        ]

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
    keep: Keep | None = None,
) -> Evaluation:
    """Read, predict and score each case; here, under a frozen selection, are they used and nowhere before.

    A case that cannot be read or scored any more is left out, with its reason in `missing`, for the training and the
    other cases are worth keeping. Raises DataError when no case is left. keep: is given each case's probabilities.
    """
    result = Evaluation()
    shown = sorted(cases, key=lambda case: hashlib.sha256(case.name.encode()).hexdigest())[:previews]
    for index, case in enumerate(cases):
        place = shown.index(case) if case in shown else None
        try:
            _evaluate(forward, selection, case, opened, result, windows=windows, mirror=mirror, place=place, keep=keep)
        except DataError as error:
            result.missing.append(str(error))
        on_progress({"phase": "test", "step": index + 1, "of": len(cases)})
    if cases and len(result.missing) == len(cases):
        raise DataError(f"no test case can be scored: {result.missing[0]}")
    return result


def _evaluate(
    forward: Forward,
    selection: Selection,
    case: Case,
    opened: OpenedDataset,
    result: Evaluation,
    *,
    windows: Windows,
    mirror: bool,
    place: int | None,
    keep: Keep | None,
) -> None:
    """Add a case to the result; place: its number among the previews, None where it is none of them."""
    task, clock = opened.task, [time.perf_counter()]
    prepared = opened.prepare(case)
    clock.append(time.perf_counter())
    options = windows.options(prepared.image.shape[:-1])
    made = predict(forward, prepared.image, task, mirror=mirror, **options)
    truth, probabilities = prepared.original.truth, prepared.restore(made.probabilities)
    found = to_labels(probabilities, task, selection.threshold)
    clock.append(time.perf_counter())
    rows = _scored(case.name, prepared.original, found, probabilities, opened, result.on_error)
    if keep is not None:
        keep(case.name, probabilities)
    result.windows[options["window"]] += 1
    result.mismatches.append(made.mismatch)
    result.scores += [{"case": case.name, "group": case.group, **row} for row in rows]
    if place is not None:
        result.previews |= preview(place, case.name, prepared.original.image, truth, found)
    clock.append(time.perf_counter())
    result.load_s += clock[1] - clock[0]
    result.predict_s += clock[2] - clock[1]
    result.score_s += clock[3] - clock[2]


def _scored(
    name: str,
    original: Sample,
    found: np.ndarray,
    probabilities: np.ndarray,
    opened: OpenedDataset,
    on_error: OnError,
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
            on_error=on_error,
        )
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
