"""Volumes in one orientation: their axes point right, anterior and superior (RAS+)."""

from collections.abc import Sequence

import numpy as np


def to_ras(array: np.ndarray, orientation: str, *, frames: bool = False) -> np.ndarray:
    """Turn an array (x, y, z, ...) whose first axes point as `orientation` says (`LPS`) so that they point to RAS+.

    Axes are swapped and flipped, voxels never interpolated: of an oblique volume it is the nearest of 48 orientations.
    The array is laid out as nibabel lays out one that needs no turn (Fortran's order), so that the same voxels give the
    same sums bit by bit. frames: the axes of space follow one of time.
    """
    return _turned(array, orientation, "RAS", frames)


def from_ras(array: np.ndarray, orientation: str, *, frames: bool = False) -> np.ndarray:
    """The inverse of `to_ras`: bring an array (x, y, z, ...) back to how the file with this orientation has it."""
    return _turned(array, "RAS", orientation, frames)


def in_file_order(edges: Sequence[float], orientation: str) -> tuple[float, ...]:
    """Voxel edges along RAS in the order of the axes of a file with this orientation; as they are for ""."""
    return tuple(edges["RLAPSI".index(letter) // 2] for letter in orientation) or tuple(edges)


def _turned(array: np.ndarray, old: str, new: str, frames: bool) -> np.ndarray:
    from nibabel.orientations import apply_orientation, axcodes2ornt, ornt_transform

    if old == new:
        return array
    array = np.moveaxis(array, 0, -1) if frames else array
    array = np.asfortranarray(apply_orientation(array, ornt_transform(axcodes2ornt(old), axcodes2ornt(new))))
    return np.moveaxis(array, -1, 0) if frames else array
