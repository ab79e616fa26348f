"""Exact distance of each voxel of a surface to the nearest one of another: by looking around, then by a tree.

Surfaces of a truth and a fair prediction run side by side, so most voxels find their partner within a few steps: the
neighbours are looked up in order of distance, all voxels at once, and a voxel leaves at its first hit. What is left
asks a k-d tree. Both are exact, for any spacing, and cost what the surfaces measure, not what the image does.
"""

from functools import cache
from itertools import product

import numpy as np
from scipy.spatial import KDTree

_STEPS = 3  # beyond three voxels the tree is quicker, in 2D and in 3D


def nearest(first: np.ndarray, second: np.ndarray, spacing: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each voxel of either surface to the nearest one of the other.

    first, second: bool `(*space,)`, with n and m voxels set. Distances are float32 (n,) and (m,), in the unit of
    `spacing` and the order of `np.nonzero`; infinite when the other surface is empty.
    """
    sides = [np.pad(side, _STEPS) for side in (first, second)]
    shape = sides[0].shape
    small = np.int32 if sides[0].size < 2**31 else np.int64  # half the memory
    places = [np.flatnonzero(side).astype(small) for side in sides]  # np.nonzero takes five times as long
    found = [np.full(place.size, np.inf, np.float32) for place in places]
    left = [_look_around(places[k], sides[1 - k], spacing, found[k]) for k in (0, 1)]
    del sides  # before the trees come
    for k in (0, 1):
        if left[k].size and places[1 - k].size:
            tree = KDTree(_points(places[1 - k], shape, spacing), balanced_tree=False, compact_nodes=False)
            found[k][left[k]] = tree.query(_points(places[k][left[k]], shape, spacing))[0]
    return found[0], found[1]


def _look_around(places: np.ndarray, other: np.ndarray, spacing: tuple[float, ...], found: np.ndarray) -> np.ndarray:
    """Fill in the distances of voxels with a partner close by; the indices of the other voxels."""
    flat, pitch = other.ravel(), np.array(other.strides, places.dtype)
    left = np.arange(places.size, dtype=places.dtype)
    for distance, steps in _shells(spacing):
        hit = flat[places + steps[0] @ pitch]
        for step in steps[1:]:
            hit |= flat[places + step @ pitch]
        found[left[hit]] = distance
        left, places = left[~hit], places[~hit]
    return left


@cache
def _shells(spacing: tuple[float, ...]) -> list[tuple[float, np.ndarray]]:
    """Steps `(k, rank)` by rising distance, as far as none outside the cube of `_STEPS` is nearer."""
    steps = np.array(list(product(range(-_STEPS, _STEPS + 1), repeat=len(spacing))), np.int32)
    distance = np.sqrt(((steps * spacing) ** 2).sum(1))
    reach = (_STEPS + 0.5) * min(spacing)
    return [(float(d), steps[distance == d]) for d in np.unique(distance) if d < reach]


def _points(places: np.ndarray, shape: tuple[int, ...], spacing: tuple[float, ...]) -> np.ndarray:
    """Coordinates `(n, rank)` of voxels given by their flat indices."""
    points = np.empty((places.size, len(shape)))
    for axis in reversed(range(len(shape))):
        places, at = np.divmod(places, shape[axis])
        np.multiply(at, spacing[axis], out=points[:, axis])
    return points
