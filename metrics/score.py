"""Scores of one case: one row for each scored class."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.errors import DataError
from ..core.task import Task
from . import METRICS
from .pair import Pair


def score_case(
    truth: np.ndarray,
    prediction: np.ndarray,
    task: Task,
    spacing_mm: tuple[float, ...] | None = None,
    *,
    metrics: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return one row for each class of `task.scored`: class, tp, fp, fn, tn, empty, and each metric's raw value.

    truth, prediction: integer labels `(*space, t)` as `Task` says, a t of 1 may be missing. Voxels whose truth is the
    ignore label are left out. An undefined value (0 / 0) is None. metrics: names on the shelf, by default all.
    Raises DataError when shapes differ or a label is out of range.
    """
    truth, prediction = (
        _channelled(array, task, what) for array, what in ((truth, "truth"), (prediction, "prediction"))
    )
    if truth.shape != prediction.shape:
        raise DataError(f"prediction has shape {prediction.shape}, truth has {truth.shape}")
    names = list(METRICS) if metrics is None else metrics
    return [_row(name, pair, names) for name, pair in _pairs(truth, prediction, task, spacing_mm)]


def _row(name: str, pair: Pair, metrics: Sequence[str]) -> dict[str, Any]:
    values = {metric: METRICS[metric](pair) for metric in metrics}
    counts = {"tp": pair.tp, "fp": pair.fp, "fn": pair.fn, "tn": pair.tn, "empty": pair.empty}
    return {"class": name, **counts, **{m: None if v != v else v for m, v in values.items()}}


def _pairs(
    truth: np.ndarray, prediction: np.ndarray, task: Task, spacing_mm: tuple[float, ...] | None
) -> Iterator[tuple[str, Pair]]:
    valid = None if task.ignore is None else truth != task.ignore
    _in_range(truth if valid is None else truth[valid], task, "truth")
    _in_range(prediction, task, "prediction")
    for name in task.scored:
        index = task.classes.index(name)
        channel, value = (0, index) if task.kind == "exclusive" else (index, 1)
        counted = None if valid is None else valid[..., channel]
        yield name, Pair(truth[..., channel] == value, prediction[..., channel] == value, spacing_mm, counted)


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
