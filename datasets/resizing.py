"""Images, masks and predictions at another size, all by one convention of where pixels lie.

Pixels are areas: of an axis of n pixels, pixel i reaches from i to i + 1 and has its centre at i + 1/2, and the whole
axis from 0 to n stays where it is. Pixel i of an axis resized to m pixels has its centre at (i + 1/2) n / m of the old
one. What is averaged, interpolated or picked is what lies there, so image and mask do not drift apart.
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np


def resized(array: np.ndarray, space: Sequence[int]) -> np.ndarray:
    """(*space, c) → (*new space, c) float32, axis by axis: area average when shrinking, linear when growing.

    Linear between the centres of old pixels; beyond the outermost ones, the edge pixel's value.
    """
    return resized_region(array, space, (slice(None),) * len(space))


def resized_region(array: np.ndarray, space: Sequence[int], place: Sequence[slice]) -> np.ndarray:
    """The part of `resized` at a place of the new space, as float32; its last bits may differ, for sums are shorter."""
    array = array.astype(np.float32, copy=False)
    for axis, (edge, part) in enumerate(zip(space, place, strict=True)):
        if edge != array.shape[axis]:
            array = np.moveaxis(np.tensordot(_weights(array.shape[axis], edge)[part], array, (1, axis)), 0, axis)
        else:
            array = array[(*[slice(None)] * axis, part)]
    return array


def resized_from_regions(
    regions: Iterable[tuple[Sequence[slice], np.ndarray]], shape: tuple[int, ...], space: Sequence[int]
) -> np.ndarray:
    """`resized` of an image (*space, c) that comes in regions, each with its place, in any order; equal to about 1e-6.

    shape: of the whole image.
    """
    total = np.zeros((*space, shape[-1]), np.float32)
    for place, region in regions:
        target = []
        for axis, (old, new, part) in enumerate(zip(shape, space, place, strict=False)):
            if old == new:
                target.append(part)
                continue
            weights = _weights(old, new)[:, part]
            rows = np.flatnonzero(weights.any(1))
            target.append(slice(rows[0], rows[-1] + 1) if rows.size else slice(0))
            region = np.moveaxis(np.tensordot(weights[target[-1]], region, (1, axis)), 0, axis)
        total[tuple(target)] += region
    return total


def shrunk(image: np.ndarray, space: Sequence[int]) -> np.ndarray:
    """As `resized` where no edge grows, rounded to whole numbers where they are 8 or 16 bits; ten times as fast."""
    if len(space) != 2 or image.shape[-1] > 4:
        return resized(image, space)
    known = image if image.dtype in (np.uint8, np.uint16, np.float32) else image.astype(np.float32)
    small = cv2.resize(known, (space[1], space[0]), interpolation=cv2.INTER_AREA)
    return small.reshape(*space, -1).astype(np.float32)


def nearest(labels: np.ndarray, space: Sequence[int]) -> np.ndarray:
    """(*space, c) → (*new space, c) of the same type: new pixel i is old pixel floor((i + 1/2) old / new).

    That is the pixel under the new centre (Pillow's `NEAREST`; OpenCV's `INTER_NEAREST` picks floor(i old / new), half
    a pixel off). A centre on the border of two pixels, as every one is where an edge is halved, takes the lower one
    where the new indices along the other axes have an even sum and the higher one elsewhere: always the same one would
    move the labels by half an old pixel.
    """
    picked, tied = [], []
    for old, new in zip(labels.shape, space, strict=False):
        index, rest = np.divmod((2 * np.arange(new) + 1) * old, 2 * new)
        picked.append(index)
        tied.append((rest == 0).astype(int))
    if not any(map(np.any, tied)):
        return labels[np.ix_(*picked)]
    places = np.ix_(*map(np.arange, space))
    even = [(1 + sum(place for place in places if place is not own)) % 2 for own in places]
    lower = [tie * side for tie, side in zip(np.ix_(*tied), even, strict=True)]
    return labels[tuple(index - low for index, low in zip(np.ix_(*picked), lower, strict=True))]


def _weights(old: int, new: int) -> np.ndarray:
    """(new, old) float32: what each old pixel gives to each new one along an axis; rows add up to 1."""
    ratio = old / new
    if new < old:
        edges = np.arange(new + 1) * ratio
        inside = np.clip(edges[:, None] - np.arange(old), 0, 1)  # how much of each old pixel lies before the edge
        return (np.diff(inside, axis=0) / ratio).astype(np.float32)
    places = np.clip((np.arange(new) + 0.5) * ratio - 0.5, 0, old - 1)
    return np.clip(1 - np.abs(places[:, None] - np.arange(old)), 0, 1).astype(np.float32)
