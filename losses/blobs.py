"""Blobs of a prediction against clicks, with NumPy: where one should be split, and where one should not be."""

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from ..core.task import Task


def blob_weights(p: np.ndarray, objects: np.ndarray, known: np.ndarray, task: Task) -> np.ndarray:
    """Weights of pixels that should be background, `(n, *space, 2 k)`: k planes of lines that split, k of false blobs.

    p `(n, *space, k)`: probabilities. objects `(n, *space, 2)`: numbers of clicked objects, 1 + index of their logit.
    known `(n, *space, k)`: 1 where the class is known to be, which labels that overlap all say.

    A blob is what is connected, edge to edge, where a class is the most probable one (above 1/2, of a sigmoid). One
    with the clicks of m > 1 objects of its class is split by the watershed of 1 - p from these; its lines weigh m - 1.
    All pixels of one in which its class is known nowhere weigh 1.
    """
    found = np.zeros((*p.shape[:-1], 2 * task.outputs), np.float32)
    exclusive = task.kind == "exclusive"
    most = p.argmax(-1) if exclusive else None
    for case in range(len(p)):
        for index in range(1 if exclusive else 0, task.outputs):
            mask = most[case] == index if most is not None else p[case, ..., index] > 0.5
            clicks = np.where(objects[case, ..., 1] == index + 1, objects[case, ..., 0], 0).astype(np.int64)
            split, false = _planes(mask, p[case, ..., index], clicks, known[case, ..., index] > 0)
            found[case, ..., index], found[case, ..., task.outputs + index] = split, false
    return found


def _planes(mask: np.ndarray, p: np.ndarray, clicks: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    split, false = np.zeros(mask.shape, np.float32), np.zeros(mask.shape, np.float32)
    blobs, _ = ndimage.label(mask)  # pyright: ignore[reportGeneralTypeIssues]
    for number, place in enumerate(ndimage.find_objects(blobs), start=1):
        blob = blobs[place] == number
        inside = np.where(blob, clicks[place], 0)
        count = len(np.unique(inside[inside > 0]))
        if not known[place][blob].any():
            false[place][blob] = 1
        elif count > 1:
            parts = watershed(1 - p[place], inside, mask=blob, watershed_line=True)
            split[place][blob & (parts == 0)] = count - 1
    return split, false
