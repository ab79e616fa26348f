"""What losses on weak labels need of an annotation, with NumPy: what is unknown, objects, boxes, alike neighbours.

Truths `(n, *space, …)` may go on with marks (`core.marks`). Without them nothing is unknown, and the objects are what
is connected of each class, edge to edge.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from scipy import ndimage

from ..core.marks import HIDDEN, LEFT_OUT, Marks, read_marks
from ..core.task import Task

BAND = 3
"""Lines of a box that are looked at together; one line may lose a pixel when a patch is resampled."""

ALIKE = 0.3
"""Largest difference of two neighbours that count as alike, in standard deviations of the patch's colours."""

SMOOTHING = 1.0
"""Pixels: of the Gaussian before neighbours are compared; single pixels differ by their noise."""

APART = 2
"""Pixels between the neighbours that are compared, as in BoxInst."""


def unknown(truths: np.ndarray, task: Task) -> np.ndarray:
    """1 where an annotation leaves a class open, `(n, *space, t)`; what the data set itself ignores is not open."""
    classes, marks = truths[..., : task.truth_channels], read_marks(truths, task)
    if marks is None or task.ignore is None:
        return np.zeros(classes.shape, np.float32)
    return ((classes == task.ignore) & (marks.classes != LEFT_OUT)[..., None]).astype(np.float32)


def objects(truths: np.ndarray, task: Task) -> np.ndarray:
    """Two channels: the number of the annotated object, 1, 2, … in each case and 0 for none; 1 + index of its logit."""
    marks = _marks(truths, task)
    numbers = [_consecutive(case) for case in marks.object]
    return np.stack([np.stack(numbers), np.where(marks.object > 0, marks.classes, 0)], -1).astype(np.float32)


def boxes(truths: np.ndarray, task: Task) -> np.ndarray:
    """Of boxes `(n, *space, 2 + 2 rank)`: class, number, and for each axis the number of the band and its least share.

    class: 1 + the index of the logit, 0 outside of boxes. number: of a box all of which is in the patch and visible, 0
    of others. A band is `BAND` neighbouring lines (planes, in a volume) of a box at right angles to the axis, fewer at
    its end, each of which the object meets; number 0 where a line is cut by the patch or hidden. least share: 1 over
    the pixels of a line, so that a band of m pixels holds at least m times that of the object.
    """
    marks = _marks(truths, task)
    found = np.zeros((*marks.object.shape, 2 + 2 * task.rank), np.float32)
    found[..., 0] = np.where(marks.object > 0, marks.classes, 0)
    for case, numbers in enumerate(marks.object):
        if not numbers.any():
            continue
        positions = marks.positions[case]
        found[case, ..., 1] = _consecutive(_whole(numbers, positions))
        for axis in range(task.rank):
            bands, shares = _bands(numbers, positions, axis)
            found[case, ..., 2 + 2 * axis], found[case, ..., 3 + 2 * axis] = bands, shares
    return found


def affinity(images: np.ndarray, task: Task) -> np.ndarray:
    """Which neighbours look alike: one channel, a sum of 2^j for the j-th of `neighbours` of a pixel that does.

    images `(n, *space, c)`. Two pixels are alike where their colours, smoothed, differ by at most `ALIKE` standard
    deviations: the Euclidean distance over channels against the root of their summed variances in the patch.
    """
    rank = task.rank
    smooth = ndimage.gaussian_filter(images.astype(np.float32), (0, *(SMOOTHING,) * rank, 0), mode="nearest")
    spread = np.sqrt(images.var(tuple(range(1, rank + 1)), dtype=np.float64).sum(-1))
    found = np.zeros((*images.shape[:-1], 1), np.float32)
    for bit, offset in enumerate(neighbours(rank)):
        here, there = shifted(offset)
        away = np.linalg.norm(smooth[(slice(None), *here)] - smooth[(slice(None), *there)], axis=-1)
        alike = away <= ALIKE * spread.reshape(-1, *(1,) * rank)
        found[(slice(None), *here, 0)] += 2.0**bit * alike
    return found


def neighbours(rank: int) -> list[tuple[int, ...]]:
    """Half of the neighbours on the cube around a pixel, `APART` pixels away along some axes: every pair once."""
    steps = product((-APART, 0, APART), repeat=rank)
    return [step for step in steps if step > (0,) * rank]


def shifted(offset: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The parts of an array that hold the pixels which have a neighbour at an offset, and these neighbours."""
    here = tuple(slice(max(0, -step), -step if step > 0 else None) for step in offset)
    there = tuple(slice(max(0, step), step if step < 0 else None) for step in offset)
    return here, there


def _marks(truths: np.ndarray, task: Task) -> Marks:
    found = read_marks(truths, task)
    if found is not None:
        positions = found.positions
        return (
            found if positions.shape[-1] else found._replace(positions=np.zeros((*found.object.shape, task.rank), int))
        )
    shape = truths.shape[:-1]
    made = Marks(np.zeros(shape, np.int32), np.zeros(shape, np.uint8), np.zeros((*shape, task.rank), np.int32))
    for case, truth in enumerate(truths):
        for number, (index, place, mask) in enumerate(_connected(truth, task), start=1):
            made.object[(case, *place)][mask] = number
            made.classes[(case, *place)][mask] = 1 + index
            for axis in range(task.rank):
                along = 1 + np.arange(mask.shape[axis]).reshape([-1 if k == axis else 1 for k in range(task.rank)])
                made.positions[(case, *place, axis)][mask] = np.broadcast_to(along, mask.shape)[mask]
    return made


def _connected(truth: np.ndarray, task: Task) -> Iterator[tuple[int, tuple[slice, ...], np.ndarray]]:
    """Of what is connected: the index of its logit, its bounding box, and its pixels in that."""
    for index in range(task.outputs):
        exclusive = task.kind == "exclusive"
        if exclusive and not index:
            continue
        labels, _ = ndimage.label(truth[..., 0] == index if exclusive else truth[..., index] == 1)  # pyright: ignore
        for number, place in enumerate(ndimage.find_objects(labels), start=1):
            yield index, place, labels[place] == number


def _consecutive(numbers: np.ndarray) -> np.ndarray:
    """The same regions, numbered 1, 2, …; 0 stays."""
    values, found = np.unique(numbers, return_inverse=True)
    return found.reshape(numbers.shape) + (values[0] != 0)


def _rim(numbers: np.ndarray) -> np.ndarray:
    """Values on the outermost pixels of a patch."""
    return np.unique(np.concatenate([numbers.take(k, axis).ravel() for axis in range(numbers.ndim) for k in (0, -1)]))


def _whole(numbers: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Numbers of the boxes that neither the patch nor another box cuts, 0 elsewhere."""
    cut = np.union1d(_rim(numbers), np.unique(numbers[(positions > HIDDEN).any(-1)]))
    return np.where(np.isin(numbers, cut), 0, numbers)


def _bands(numbers: np.ndarray, positions: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the bands across an axis, 0 for none, and the least share of each at its pixels."""
    along = positions[..., axis]
    lines = np.where((numbers > 0) & (along < HIDDEN), numbers.astype(np.int64) * 2**16 + (along - 1) // BAND, 0)
    lines = np.where(np.isin(lines, _rim(lines)), 0, lines)
    bands = _consecutive(lines)
    count = int(bands.max(initial=0)) + 1
    pixels = np.ones(count)
    for other in range(numbers.ndim):
        if other != axis:
            extent = np.zeros(count)
            np.maximum.at(extent, bands, positions[..., other] % HIDDEN * (bands > 0))
            pixels *= np.maximum(extent, 1)
    return bands, np.where(bands > 0, 1 / pixels[bands], 0)
