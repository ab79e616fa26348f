"""What clicks, strokes and boxes say besides classes: which object each is of, and where in its box (`core.marks`)."""

from collections.abc import Sequence

import numpy as np

from ...core.marks import HIDDEN, LEFT_OUT, Marks, append_marks
from ...core.task import Task
from .kinds import Boxes, Fraction, WeakLabels
from .objects import Piece, pieces


def marked(truth: np.ndarray, instances: np.ndarray | None, task: Task, labels: WeakLabels) -> np.ndarray:
    """A full truth (*space, t) with the marks that the labels would have: of whole objects, or of their boxes.

    instances, task: as of `weaken.weaken`.
    """
    if isinstance(labels, Fraction):
        return truth
    found = list(pieces(truth, instances, task))
    marks = box_marks(truth, found, task) if isinstance(labels, Boxes) else object_marks(truth, found, task)
    return append_marks(truth, marks)


def object_marks(
    truth: np.ndarray, found: Sequence[Piece], task: Task, drawn: Sequence[np.ndarray] | None = None
) -> Marks:
    """Marks of objects, where something is drawn on them.

    truth (*space, t): the full one. drawn: of each object the pixels of its bounding box; None for the whole objects.
    """
    numbers, classes = _nothing(truth, task)
    for number, piece in enumerate(found, start=1):
        pixels = piece.mask if drawn is None else drawn[number - 1]
        numbers[piece.place][pixels] = number
        classes[piece.place][pixels] = _class(piece, task)
    return _left_out(truth, task, Marks(numbers, classes, np.zeros((*numbers.shape, 0), np.int32)))


def box_marks(truth: np.ndarray, found: Sequence[Piece], task: Task) -> Marks:
    """Marks of the objects' bounding boxes, the smaller above the larger."""
    numbers, classes = _nothing(truth, task)
    positions = np.zeros((*numbers.shape, numbers.ndim), np.int32)
    for number, piece in sorted(enumerate(found, start=1), key=lambda pair: -pair[1].mask.size):
        numbers[piece.place], classes[piece.place] = number, _class(piece, task)
    marks = _left_out(truth, task, Marks(numbers, classes, positions))
    for number, piece in enumerate(found, start=1):
        own, rank = marks.object[piece.place] == number, numbers.ndim
        for axis in range(rank):
            visible = own.all(tuple(other for other in range(rank) if other != axis))
            line = 1 + np.minimum(np.arange(len(visible)), HIDDEN - 2) + np.where(visible, 0, HIDDEN)
            along = line.reshape([-1 if other == axis else 1 for other in range(rank)])
            place = positions[(*piece.place, axis)]
            place[own] = np.broadcast_to(along, own.shape)[own]
    return marks


def _nothing(truth: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(truth.shape[: task.rank], np.int32), np.zeros(truth.shape[: task.rank], np.uint8)


def _class(piece: Piece, task: Task) -> int:
    """1 + the index of the object's logit."""
    return 1 + (piece.value if task.kind == "exclusive" else piece.plane)


def _left_out(truth: np.ndarray, task: Task, marks: Marks) -> Marks:
    if task.ignore is None:
        return marks
    out = (truth == task.ignore).any(-1)
    return Marks(
        np.where(out, 0, marks.object), np.where(out, LEFT_OUT, marks.classes).astype(np.uint8), marks.positions
    )
