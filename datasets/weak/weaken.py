"""From a full truth to what a weaker annotation tells of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...core.errors import SpecError
from ...core.marks import Marks, append_marks
from ...core.task import Task
from ..scaling import ScaledImage, Scaling
from . import pseudo
from .draw import clicks, disc, stroke
from .kinds import Boxes, Fraction, Points, Scribbles, WeakLabels
from .mark import box_marks, object_marks
from .objects import Piece, background, pieces

Pixels = np.ndarray | ScaledImage
"""An image, or one that is scaled when it is read."""

IGNORED = 255
"""What a truth of the data set's own without an ignore label holds where nothing is known."""

CLEAR = 3.0
"""Pixels that a click on the background keeps from objects, where there is room."""


def kept_cases(names: Sequence[str], labels: Fraction) -> frozenset[str]:
    """The cases that keep their masks."""
    ordered = sorted(names, key=lambda name: _digest(name, labels.seed))
    return frozenset(ordered[: max(1, round(labels.fraction * len(names)))])


def check_weak(labels: WeakLabels, task: Task) -> None:
    """Raise SpecError for labels that a task cannot have."""
    if isinstance(labels, Points) and labels.pseudo in ("voronoi", "cluster") and task.kind != "binary":
        raise SpecError(
            f"labels: points: {labels.pseudo} takes the border between two objects for background, and objects of "
            f"several classes ({', '.join(task.classes)}) lie beside or inside each other; take `pseudo: watershed`"
        )


@dataclass(frozen=True)
class Weakened:
    """A truth (*space, t) as a weaker annotation has it, and what it took.

    drawn: numbers of objects, of outlines, clicks, strokes or boxes, of pixels, and of those whose class is known.
    marks: which object clicks, strokes and boxes are of.
    """

    truth: np.ndarray
    drawn: dict[str, int]
    marks: Marks | None = None

    @property
    def marked(self) -> np.ndarray:
        """The truth with the planes of its marks, where there are any."""
        return self.truth if self.marks is None else append_marks(self.truth, self.marks)


def task_with_ignored(task: Task) -> Task:
    """The task with a value for what is not known."""
    return task if task.ignore is not None else replace(task, ignore=IGNORED)


def weaken(
    name: str,
    image: Pixels,
    truth: np.ndarray,
    instances: np.ndarray | None,
    task: Task,
    labels: WeakLabels,
) -> Weakened:
    """Degrade the truth of one case; what its data set ignores stays ignored.

    name: of the case; with the labels' seed it decides what is drawn, the same in every trial and on every machine.
    image (*space, c) of any type, scaled only where it is looked at; truth (*space, t); instances (*space,) or None.
    task: with an ignore label, but where the masks are full.
    """
    found = list(pieces(truth, instances, task))
    if isinstance(labels, Fraction):
        marks = object_marks(truth, (), task) if labels.rest == "open" else None
        made = Weakened(truth, {"outlines": len(found)}, marks)
    elif isinstance(labels, Boxes):
        made = _boxed(image, truth, found, task, labels)
    elif isinstance(labels, Points):
        made = _clicked(image, truth, found, task, labels, _random(name, labels.seed))
    else:
        made = _scribbled(image, truth, found, task, labels, _random(name, labels.seed))
    left = truth if task.ignore is None else np.where(truth == task.ignore, truth, made.truth)
    known = left[..., 0].size if task.ignore is None else int(np.count_nonzero((left != task.ignore).all(-1)))
    drawn = {"objects": len(found), "pixels": left[..., 0].size, "known": known} | made.drawn
    return Weakened(left, drawn, made.marks)


def left_open(truth: np.ndarray, task: Task) -> Weakened:
    """A truth (*space, t) of which nothing is known but what the data set ignores."""
    drawn = {"objects": 0, "pixels": truth[..., 0].size, "known": 0, "outlines": 0}
    return Weakened(np.full_like(truth, task.ignore), drawn, object_marks(truth, (), task))


def _digest(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {name}".encode()).digest()


def _random(name: str, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(int.from_bytes(_digest(name, seed)[:8], "little")))


def _clicked(
    image: Pixels, truth: np.ndarray, found: list[Piece], task: Task, labels: Points, rng: np.random.Generator
) -> Weakened:
    markers = [_unseen(truth) for _ in range(truth.shape[-1])]
    drawn = [np.zeros(piece.mask.shape, bool) for piece in found]
    count = 0
    for piece, own in zip(found, drawn, strict=True):
        plane = markers[piece.plane]
        for pixel in clicks(piece.mask, labels.points, rng):
            count += 1
            place, around = disc(piece.mask.shape, pixel, labels.radius)
            around = around & piece.mask[place]
            plane[piece.place][place][around] = piece.value
            own[place] |= around
    marks = object_marks(truth, found, task, drawn)
    free = background(truth)
    wanted = max(1, round(labels.background * len(found) * labels.points)) if labels.background else 0
    for pixel in clicks(free, wanted, rng, CLEAR):
        count += 1
        place, around = disc(free.shape, pixel, labels.radius)
        for plane in markers:
            plane[place][around & free[place]] = 0
    if labels.pseudo == "voronoi":
        markers = [pseudo.voronoi(plane, marks.object) for plane in markers]
    elif labels.pseudo == "cluster":
        edged = [pseudo.voronoi(plane, marks.object) for plane in markers]
        markers = [pseudo.cluster(plane, marks.object, image[...]) for plane in edged]
    elif labels.pseudo == "watershed":
        markers = [pseudo.watershed(plane, image[...]) for plane in markers]
    return Weakened(_truth(markers, task), {"clicks": count}, marks)


def _scribbled(
    image: Pixels, truth: np.ndarray, found: list[Piece], task: Task, labels: Scribbles, rng: np.random.Generator
) -> Weakened:
    markers = [_unseen(truth) for _ in range(truth.shape[-1])]
    drawn = [np.zeros(piece.mask.shape, bool) for piece in found]
    count = 0
    for piece, own in zip(found, drawn, strict=True):
        for index in _slices(piece.mask):
            for _ in range(labels.scribbles):
                along = stroke(piece.mask[index], labels.width, rng)
                count += bool(along.any())
                own[index] |= along
        markers[piece.plane][piece.place][own] = piece.value
    free = background(truth)
    for index in _slices(free):
        for _ in range(labels.background):
            along = stroke(free[index], labels.width, rng)
            count += bool(along.any())
            for plane in markers:
                plane[index][along] = 0
    if labels.pseudo == "watershed":
        markers = [pseudo.watershed(plane, image[...]) for plane in markers]
    return Weakened(_truth(markers, task), {"strokes": count}, object_marks(truth, found, task, drawn))


def _boxed(image: Pixels, truth: np.ndarray, found: list[Piece], task: Task, labels: Boxes) -> Weakened:
    made = np.zeros_like(truth)
    shown = _bytes(image[...]) if labels.boxes == "grabcut" else None
    for piece in sorted(found, key=lambda piece: -piece.mask.size):
        inside = made[(*piece.place, piece.plane)]
        if shown is None:
            inside[...] = piece.value if labels.boxes == "fill" else task.ignore
            continue
        for index in _slices(piece.mask):
            where = tuple(part.start + k for part, k in zip(piece.place, index, strict=False))
            around, mask = pseudo.grabcut(shown[where], piece.place[-2:])
            made[(*where, *around, piece.plane)][mask] = piece.value
    return Weakened(made, {"boxes": len(found)}, box_marks(truth, found, task))


def _unseen(truth: np.ndarray) -> np.ndarray:
    return np.full(truth.shape[:-1], pseudo.UNSEEN, np.int32)


def _truth(markers: list[np.ndarray], task: Task) -> np.ndarray:
    ignored = IGNORED if task.ignore is None else task.ignore
    return np.stack([np.where(plane == pseudo.UNSEEN, ignored, plane) for plane in markers], -1).astype(np.uint8)


def _slices(mask: np.ndarray) -> list[tuple[int, ...]]:
    """Places of the 2D planes in which something is: () of an image, one a slice of a volume."""
    return [()] if mask.ndim == 2 else [(k,) for k in range(len(mask)) if mask[k].any()]


def _bytes(image: np.ndarray) -> np.ndarray:
    """(*space, c) of any type → 8-bit RGB, its 1 and 99.8 percentiles at the ends, as OpenCV's GrabCut takes it."""
    scaled = Scaling.of(image, "percentile")(image)
    grey = scaled.shape[-1] != 3
    scaled = np.repeat(scaled.mean(-1, keepdims=True), 3, -1) if grey else scaled
    return np.clip(np.rint(255 * scaled), 0, 255).astype(np.uint8)
