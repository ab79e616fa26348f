"""What the objects of a mask look like: how large they are, whether the border cuts them, whether they have holes."""

from dataclasses import dataclass

import numpy as np

from ..core.task import Task
from .case import Sample
from .object_labels import pieces


@dataclass(frozen=True)
class ObjectShapes:
    """Of one case. An object is a label where a binary task has labels of objects, else a connected piece of a class.

    sizes: pixels of each object, an array for each scored class in its order. cut: objects that touch the border of the
    image. holes: regions of background that the foreground of whatever class encloses; in volumes, from all sides.
    """

    sizes: tuple[np.ndarray, ...]
    cut: int
    holes: int

    @classmethod
    def of(cls, sample: Sample, task: Task) -> "ObjectShapes":
        """Measure a case whose truth holds no value that the task does not know; ignored pixels are no object."""
        sizes, cut = [], 0
        for labels in _labels(sample, task):
            counts = np.bincount(labels.ravel())
            sizes.append(counts[1:][counts[1:] > 0])
            cut += int(np.count_nonzero(np.unique(_border(labels))))
        return cls(tuple(sizes), cut, _holes(sample.truth))


def _labels(sample: Sample, task: Task) -> list[np.ndarray]:
    """For each scored class its objects, numbered from 1 on, (*space,) integers."""
    truth = sample.truth
    if task.kind == "binary" and sample.instances is not None:
        return [np.unique(sample.instances, return_inverse=True)[1].reshape(sample.space) + int(sample.instances.all())]
    if task.kind == "multilabel":
        return [pieces(truth[..., plane] == 1) for plane in range(truth.shape[-1])]
    first = 1 if task.kind == "binary" else 0
    return [pieces(truth[..., 0] == task.classes.index(name) + first) for name in task.scored]


def _border(labels: np.ndarray) -> np.ndarray:
    """The values on all faces of an array."""
    faces = [np.take(labels, (0, -1), axis).ravel() for axis in range(labels.ndim)]
    return np.concatenate(faces)


def _holes(truth: np.ndarray) -> int:
    from skimage.measure import label

    empty = ~(truth != 0).any(-1)
    if empty.all() or not empty.any():
        return 0
    found = np.asarray(label(empty, connectivity=1))  # objects touch at corners, so background does at faces
    outside = np.unique(_border(found))
    return int(found.max()) - int(np.count_nonzero(outside))
