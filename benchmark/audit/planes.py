"""The questions that a mask answers: one for all classes that exclude each other, one a class where classes overlap."""

from dataclasses import dataclass

import numpy as np

from ...core.task import Task

BACKGROUND = "background"


@dataclass(frozen=True)
class Plane:
    """A question of a case, its answer by the annotator, and what each model says.

    classes: names, the background first. labels: (*space,) int16, the class that a pixel has, -1 where it is ignored.
    members: (m, *space, k) float32, probabilities of these classes, one row of arrays a model.
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    members: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """(*space, k) float32, averaged over the models."""
        return self.members.mean(0)


def planes(task: Task, truth: np.ndarray, members: np.ndarray) -> list[Plane]:
    """Of a case. truth: (*space, t); members: (m, *space, outputs)."""
    labels = truth.astype(np.int16)
    if task.ignore is not None:
        labels[truth == task.ignore] = -1
    if task.kind == "exclusive":
        return [Plane(task.classes, labels[..., 0], members)]
    both = [np.stack([1 - members[..., k], members[..., k]], -1) for k in range(task.outputs)]
    return [Plane((BACKGROUND, name), labels[..., k], both[k]) for k, name in enumerate(task.classes)]


def labelled(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The value (*space,) of the class that each pixel is labelled with; values (*space, k), 1 where it is ignored."""
    picked = np.take_along_axis(values, np.maximum(labels, 0)[..., None].astype(np.int64), -1)[..., 0]
    return np.where(labels >= 0, picked, 1.0)
