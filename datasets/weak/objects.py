"""The objects of a truth, one by one, as an annotator sees them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ...core.task import Task


@dataclass(frozen=True)
class Piece:
    """An object. plane, value: where and how it stands in a truth. place: its bounding box. mask: inside of that."""

    plane: int
    value: int
    place: tuple[slice, ...]
    mask: np.ndarray


def pieces(truth: np.ndarray, instances: np.ndarray | None, task: Task) -> Iterator[Piece]:
    """The objects of a truth (*space, t), class by class and from first pixel to first pixel.

    Where the data set numbers its objects (instances (*space,), 0 none) each number is one, as far as it is of the
    class; what it numbers nowhere, as cytoplasm around numbered nuclei, is one as far as it is connected, edge to edge.
    """
    for plane in range(truth.shape[-1]):
        own = truth[..., plane]
        values = range(1, len(task.classes)) if task.kind == "exclusive" else (1,)
        for value in values:
            labels = _numbered(own == value, instances)
            for number, place in enumerate(ndimage.find_objects(labels), start=1):
                if place is not None:
                    yield Piece(plane, value, place, labels[place] == number)


def _numbered(mask: np.ndarray, instances: np.ndarray | None) -> np.ndarray:
    """The objects of a mask, from 1 on without gaps."""
    given = np.zeros(mask.shape, np.int64) if instances is None else np.where(mask, instances, 0)
    values, found = np.unique(given, return_inverse=True)
    found = found.reshape(mask.shape) + (values[0] != 0)  # without a pixel outside the first number would be 0
    rest, count = ndimage.label(mask & (given == 0))  # pyright: ignore[reportGeneralTypeIssues]
    return np.where(rest > 0, rest + found.max(initial=0), found) if count else found


def background(truth: np.ndarray) -> np.ndarray:
    """Where nothing is, of no class, and nothing is ignored (*space,)."""
    return (truth == 0).all(-1)
