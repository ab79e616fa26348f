"""Volumes in one orientation: their axes point right, anterior and superior (RAS+)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

RAS_OF_LPS = np.diag([-1.0, -1, 1, 1])
"""Times an affine to millimetres left, posterior, superior, as DICOM and ITK count: the same one to RAS."""


class Upright(NamedTuple):
    """array: (x, y, z, ...) in RAS+. affine: of its voxels, to RAS. edges: of one. orientation: as the file has it."""

    array: np.ndarray
    affine: np.ndarray
    edges: np.ndarray
    orientation: str


def upright_volume(array: np.ndarray, affine: np.ndarray) -> Upright:
    """Turn an array (x, y, z, ...) whose voxels lie where an affine (4, 4) to RAS says (see `to_ras`)."""
    import nibabel

    turn = nibabel.io_orientation(affine)
    orientation = "".join(nibabel.aff2axcodes(affine))
    edges = np.linalg.norm(affine[:3, :3], axis=0)[np.argsort(turn[:, 0])]
    placed = affine @ nibabel.orientations.inv_ornt_aff(turn, array.shape[:3])
    return Upright(to_ras(array, orientation), placed, edges, orientation)


def is_grid(affine: np.ndarray) -> bool:
    """Whether an affine (4, 4) gives each voxel a place of its own."""
    return bool(np.isfinite(affine).all()) and np.linalg.matrix_rank(affine[:3, :3]) == 3


def rounded_edge(edge_mm: float) -> float:
    """To six decimals, or six digits of what is finer than 0.1 mm: the affines of NIfTI are float32."""
    return round(edge_mm, max(6, 5 - math.floor(math.log10(edge_mm))))


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
