"""Masks guessed from clicks, strokes or boxes and the image, before anything is trained."""

import cv2
import numpy as np
from scipy import ndimage
from skimage.filters import sobel
from skimage.segmentation import watershed as flooded

UNSEEN = -1
"""Of markers: no click and no stroke."""

GRABCUT_ROUNDS = 5
MARGIN = 0.5
"""Of a box's edges, what is looked at around it."""


def voronoi(markers: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Edges of the Voronoi cells of clicks, which count as background (Qu 2019, MIDL).

    markers (*space,): classes where something was clicked, UNSEEN elsewhere. numbers (*space,): which object a click is
    on, 0 for none. Returns the markers with 0 where the cells of two objects meet.
    """
    if numbers.max(initial=0) < 2:
        return markers
    nearest = ndimage.distance_transform_edt(numbers == 0, return_distances=False, return_indices=True)
    cells = numbers[tuple(nearest)]  # pyright: ignore[reportArgumentType, reportCallIssue]
    edges = np.zeros(cells.shape, bool)
    for axis in range(cells.ndim):
        first, second = (
            tuple(slice(k, None if k else -1) if a == axis else slice(None) for a in range(cells.ndim)) for k in (0, 1)
        )
        differ = cells[first] != cells[second]
        edges[first] |= differ
        edges[second] |= differ
    return np.where(edges & (markers == UNSEEN), 0, markers)


def watershed(markers: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Flood the gradient of the image from clicks or strokes (Beucher and Lantuéjoul 1979): every pixel gets a class.

    markers (*space,): as above. image (*space, c): the mean over its channels is used, its Sobel gradient flooded.
    """
    seeds = np.where(markers == UNSEEN, 0, markers + 1)
    if not seeds.any():
        return markers
    return flooded(sobel(image.mean(-1, dtype=np.float64)), seeds) - 1


def grabcut(image: np.ndarray, box: tuple[slice, ...]) -> tuple[tuple[slice, ...], np.ndarray]:
    """GrabCut (Rother 2004) inside the box of an object, with half of its edges around it as background.

    image: 8-bit RGB of a plane. box: rows and columns. Returns the part of the plane and where in it the object is; the
    whole box where GrabCut leaves nothing.
    """
    margins = [max(2, int(MARGIN * (part.stop - part.start))) for part in box]
    around = tuple(slice(max(0, p.start - m), p.stop + m) for p, m in zip(box, margins, strict=True))
    window = np.ascontiguousarray(image[around])
    guess = np.full(window.shape[:2], cv2.GC_BGD, np.uint8)
    inside = tuple(slice(p.start - a.start, p.stop - a.start) for p, a in zip(box, around, strict=True))
    guess[inside] = cv2.GC_PR_FGD
    whole = guess == cv2.GC_PR_FGD
    if not whole.all():
        cv2.setRNGSeed(0)
        cv2.grabCut(window, guess, None, np.zeros((1, 65)), np.zeros((1, 65)), GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK)  # pyright: ignore
    found = whole & ((guess == cv2.GC_PR_FGD) | (guess == cv2.GC_FGD))
    return around, found if found.any() else whole
