"""Masks guessed from clicks, strokes or boxes and the image, before anything is trained."""

import warnings

import cv2
import numpy as np
from scipy import ndimage
from scipy.cluster.vq import kmeans2
from skimage.filters import sobel
from skimage.segmentation import watershed as flooded

UNSEEN = -1
"""Of markers: no click and no stroke."""

REACH = 20.0
"""Pixels beyond which the distance to a click does not matter, as Qu has it."""

CLUSTER_ROUNDS = 30

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


def cluster(markers: np.ndarray, numbers: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Guess object and background by the pixels' colours and distances to clicks (Qu 2019, MIDL), borders by `voronoi`.

    markers, numbers: as of `voronoi`. image (*space, c): scaled. Three clusters by k-means of the colours, each channel
    over its standard deviation and all together as one feature, and the distance to the nearest clicked object, at most
    `REACH` pixels, over its own. The one with the largest share of the clicked objects' pixels is object, that with the
    smallest background, of the third nothing is known. k-means begins with the means at clicked objects, at clicks on
    the background (where there are none, at the farthest pixels) and of all pixels, so that nothing is left to chance.
    Qu keeps these labels and those of Voronoi apart and adds two losses.
    """
    clicked = numbers > 0
    if not clicked.any():
        return markers
    away = np.minimum(ndimage.distance_transform_edt(~clicked), REACH)  # pyright: ignore
    colours = image.reshape(-1, image.shape[-1]) / np.maximum(image.std(tuple(range(image.ndim - 1))), 1e-6)
    features = np.column_stack([colours / image.shape[-1] ** 0.5, away.ravel() / max(away.std(), 1e-6)])
    empty = ((markers == 0) if (markers == 0).any() else (away == away.max())).ravel()
    begun = np.stack([features[clicked.ravel()].mean(0), features[empty].mean(0), features.mean(0)])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One of the clusters is empty")  # it keeps its place; see `share`
        _, found = kmeans2(features, begun, CLUSTER_ROUNDS, minit="matrix")
    counts = np.bincount(found, minlength=3)
    share = np.bincount(found[clicked.ravel()], minlength=3) / np.maximum(counts, 1)
    share[counts == 0] = np.nan
    if np.nanmin(share) == np.nanmax(share):
        return markers
    guessed = np.full(found.shape, UNSEEN, markers.dtype)
    guessed[found == np.nanargmin(share)] = 0
    guessed[found == np.nanargmax(share)] = 1
    return np.where(markers == UNSEEN, guessed.reshape(markers.shape), markers)


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
