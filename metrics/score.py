"""Scores of one case: one row for each scored class."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import DataError, SpecError, unknown
from ..core.measure import measure
from ..core.task import Task
from ..core.trial import Choice
from . import METRICS
from .boundary import volume_tolerance_mm
from .instance import matched_counts
from .matching import overlaps
from .objects import SPLITS
from .pair import Missing, Pair

OnError = Callable[[str, Exception], None]

DIGITS = 9
"""Significant digits of a score in a row; more are noise of the arithmetic and make records larger."""


def score_case(
    truth: np.ndarray,
    prediction: np.ndarray,
    task: Task,
    spacing_mm: tuple[float, ...] | None = None,
    *,
    instances: np.ndarray | None = None,
    probabilities: np.ndarray | None = None,
    metrics: Sequence[str | Choice] | None = None,
    split: str = "components",
    on_error: OnError | None = None,
) -> list[dict[str, Any]]:
    """Return one row for each class of `task.scored`: class, tp, fp, fn, tn, empty, and each metric's raw value.

    truth, prediction: integer labels `(*space, t)` as `Task` says, a t of 1 may be missing. Voxels whose truth is the
    ignore label are left out. instances: integer labels `(*space,)` of the single objects of the truth, which belong to
    the class they lie in. probabilities: `(*space, k)`, one a class. split: `components` or `watershed`, how the
    predicted class becomes objects.

    metrics: registered names, or a `Choice` with options, whose label is then the key. By default every metric that
    the case has what it takes for: distances in a volume want spacing, objects instances, calibration probabilities.
    An undefined value (0 / 0) is None. Distances of an image without spacing are in pixels and end in `_px`. NSD of a
    volume is named by its tolerance, `nsd(tolerance_mm=2)`. With distances a row has `diagonal`, the image's, in
    their unit. With instances it has `objects`, the numbers of true and predicted ones, and `matched`, the true
    positives at IoU 0.5, 0.55 … 0.95.

    on_error(name, error) is told of a metric that raises an error of its own, whose value then is undefined; without
    it the error is raised.

    Raises DataError when shapes differ, a label is out of range, a spacing is not positive, a probability is none, or a
    metric asked for by name lacks what it takes; SpecError for an unknown metric, option or split.
    """
    truth, prediction = (
        _channelled(array, task, what) for array, what in ((truth, "truth"), (prediction, "prediction"))
    )
    if truth.shape != prediction.shape:
        raise DataError(f"prediction has shape {prediction.shape}, truth has {truth.shape}")
    space = truth.shape[:-1]
    for array, expected, what in (
        (instances, space, "instances"),
        (probabilities, (*space, task.outputs), "probabilities"),
    ):
        if array is not None and array.shape != expected:
            raise DataError(f"{what} have shape {array.shape}; for this truth it is {expected}")
    if split not in SPLITS:
        raise SpecError(unknown("split", split, SPLITS))
    case = _Case(truth, prediction, task, spacing_mm, instances, probabilities, split)
    return [_row(name, pair, metrics, on_error) for name, pair in case.pairs()]


def as_number(value: Any) -> float:
    """What a metric gave, as a float. Raises TypeError for anything but one number."""
    if isinstance(value, str) or np.ndim(value) or isinstance(value, complex):
        shape = f" of shape {np.shape(value)}" if np.ndim(value) else ""
        raise TypeError(f"gives {type(value).__name__}{shape}; one number or NaN is possible")
    return float(value)


def _row(name: str, pair: Pair, metrics: Sequence[str | Choice] | None, on_error: OnError | None) -> dict[str, Any]:
    row = {"class": name, "tp": pair.tp, "fp": pair.fp, "fn": pair.fn, "tn": pair.tn, "empty": pair.empty}
    values: dict[str, float] = {}
    for choice in METRICS if metrics is None else metrics:
        choice = Choice(choice) if isinstance(choice, str) else choice
        METRICS.check(choice.name, choice.options)
        try:
            value = as_number(METRICS[choice.name](pair, **choice.options))
        except Missing:
            if metrics is not None:
                raise
            continue
        except Exception as error:  # a metric's own fault must not cost the other scores
            if on_error is None:
                raise
            on_error(choice.label, error)
            value = math.nan
        values[_key(choice, pair)] = value
    if any(measure(key).unit in ("mm", "px") for key in values):
        row["diagonal"] = float(f"{pair.diagonal:.{DIGITS}g}")
    if pair.truth_objects is not None and metrics is None:
        found = pair.cached(overlaps)
        row |= {"objects": [found.truth.size, found.prediction.size], "matched": matched_counts(pair)}
    return row | {key: None if value != value else float(f"{value:.{DIGITS}g}") for key, value in values.items()}


def _key(choice: Choice, pair: Pair) -> str:
    """The metric's label; a distance without spacing ends in `_px`, NSD of a volume names its tolerance."""
    if choice == Choice("nsd") and pair.truth.ndim > 2:
        return Choice("nsd", {"tolerance_mm": volume_tolerance_mm(pair.spacing)}).label
    if measure(choice.name).unit == "mm" and pair.unit == "px":
        return Choice(f"{choice.name}_px", choice.options).label
    return choice.label


@dataclass(frozen=True)
class _Case:
    truth: np.ndarray
    prediction: np.ndarray
    task: Task
    spacing_mm: tuple[float, ...] | None
    instances: np.ndarray | None
    probabilities: np.ndarray | None
    split: str

    def pairs(self) -> Iterator[tuple[str, Pair]]:
        task = self.task
        valid = None if task.ignore is None else self.truth != task.ignore
        _in_range(self.truth if valid is None else self.truth[valid], task, "truth")
        _in_range(self.prediction, task, "prediction")
        for name in task.scored:
            index = task.classes.index(name)
            channel, value = (0, index) if task.kind == "exclusive" else (index, 1)
            counted = None if valid is None else valid[..., channel]
            truth, prediction = (labels[..., channel] == value for labels in (self.truth, self.prediction))
            probability = None if self.probabilities is None else self.probabilities[..., index]
            objects = self.objects(truth, prediction, probability, counted)
            yield name, Pair(truth, prediction, self.spacing_mm, counted, *objects, probability)

    def objects(
        self, truth: np.ndarray, prediction: np.ndarray, probability: np.ndarray | None, valid: np.ndarray | None
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Labels of the class's objects; none for a class of several that `instances` does not number."""
        if self.instances is None:
            return None, None
        if valid is not None:
            truth, prediction = truth & valid, prediction & valid
        objects = np.where(truth, self.instances, 0)
        if len(self.task.scored) > 1 and not objects.any():
            return None, None
        if probability is None and self.split == "watershed":
            raise Missing("split: watershed needs the model's probabilities, which were not given")
        return objects, SPLITS[self.split](prediction, probability)


def _channelled(array: np.ndarray, task: Task, what: str) -> np.ndarray:
    if array.ndim == task.rank and task.truth_channels == 1:
        array = array[..., None]
    if array.ndim != task.rank + 1 or array.shape[-1] != task.truth_channels:
        raise DataError(
            f"{what} has shape {array.shape}; labels are {task.rank} axes and {task.truth_channels} channels"
        )
    return array


def _in_range(labels: np.ndarray, task: Task, what: str) -> None:
    most = task.outputs - 1 if task.kind == "exclusive" else 1
    if labels.size and not 0 <= labels.min() <= labels.max() <= most:
        raise DataError(f"{what} has labels from {labels.min()} to {labels.max()}; the task has 0 to {most}")
