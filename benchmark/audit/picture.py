"""A suspect region as a person is to see it: the image alone, and with the outlines of mask and models."""

from collections.abc import Sequence

import cv2
import numpy as np

from .planes import Plane
from .suspects import Suspect

EDGE = 260
"""Pixels of a picture's longer edge."""

MARGIN, LEAST = 1.0, 64
"""Around a region: that many times its edge, and so many pixels of the image in all at least."""

MASK, MODELS, BOX = (86, 180, 233), (230, 159, 0), (204, 121, 167)
"""Colours of the outlines, of Okabe and Ito: the mask's blue, the models' orange; the box around the region."""


def picture(image: np.ndarray, planes: Sequence[Plane], region: Suspect | None) -> np.ndarray:
    """(h, 2 w, 3) uint8: the image (*space, c), and beside it the same with outlines.

    Of a volume the slice through the middle of the region. Without a region, all of the image and of each plane.
    """
    space = image.shape[:-1]
    box = region.box if region is not None else tuple((0, edge) for edge in space)
    drawn = [planes[region.plane]] if region is not None else list(planes)
    if len(space) == 3:
        middle = sum(box[0]) // 2
        image, box, space = image[middle], box[1:], space[1:]
        drawn = [Plane(p.classes, p.labels[middle], p.members[:, middle]) for p in drawn]
    window = tuple(slice(*_widened(sides, edge)) for sides, edge in zip(box, space, strict=True))
    scale = EDGE / max(s.stop - s.start for s in window)
    height, width = (max(1, round((s.stop - s.start) * scale)) for s in window)
    size = height, width
    plain = _resized(_grey(image, window), size)
    marked = plain.copy()
    for plane in drawn:
        predicted = plane.mean.argmax(-1)
        for k in range(1, len(plane.classes)):
            _contour(marked, (plane.labels == k)[window], MASK)
            _contour(marked, (predicted == k)[window], MODELS)
    if region is not None:
        corners = [tuple(round((v - s.start) * scale) for v in side) for side, s in zip(box, window, strict=True)]
        (top, bottom), (left, right) = corners
        cv2.rectangle(marked, (left - 3, top - 3), (right + 2, bottom + 2), BOX, 1)
    return np.concatenate([plain, np.full((size[0], 6, 3), 255, np.uint8), marked], 1)


def _widened(sides: tuple[int, int], edge: int) -> tuple[int, int]:
    start, stop = sides
    wide = min(edge, max(LEAST, round((stop - start) * (1 + 2 * MARGIN))))
    first = min(max(0, (start + stop - wide) // 2), edge - wide)
    return first, first + wide


def _grey(image: np.ndarray, window: tuple[slice, ...]) -> np.ndarray:
    """The window (h, w, 3) uint8; the 1st and 99.5th percentile of the whole image are black and white."""
    image = image if image.shape[-1] == 3 else image[..., :1]
    low, high = np.percentile(image, (1, 99.5))
    scaled = np.clip((image[window].astype(np.float32) - low) * (255 / max(float(high - low), 1e-6)), 0, 255)
    return np.ascontiguousarray(np.broadcast_to(scaled.astype(np.uint8), (*scaled.shape[:2], 3)))


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def _contour(canvas: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int]) -> None:
    large = _resized(mask.astype(np.uint8), (canvas.shape[0], canvas.shape[1]))
    inner = cv2.erode(large, np.ones((3, 3), np.uint8), iterations=2, borderType=cv2.BORDER_CONSTANT, borderValue=(1,))
    canvas[(large > 0) & (inner == 0)] = colour
