"""Masks whose grid is a part of their image's, as 3D Slicer crops them and DICOM leaves empty slices out."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core.errors import DataError
from .readers import Picture

_SAME = 1e-3
"""Of a voxel: how far voxels may lie from those of the image."""


def on_grid_of(image: Picture, mask_file: Path, mask: Picture) -> Picture:
    """The mask (x, y, z, c) on the grid of its image, 0 where it said nothing; both in RAS+.

    Where the voxels of both do not lie on one grid the mask stays as it is. Raises DataError for a mask that shows
    something outside of its image.
    """
    if not mask.partial or image.affine is None or mask.affine is None or len(image.space) != 3:
        return mask
    relation = np.linalg.solve(image.affine, mask.affine)
    shift = np.rint(relation[:3, 3]).astype(int)
    edges = np.maximum(mask.space, image.space)
    if np.abs(relation[:3, :3] - np.eye(3)).max() * max(edges) > _SAME or np.abs(relation[:3, 3] - shift).max() > _SAME:
        return mask
    ours, its = [], []
    for start, edge, length in zip(shift, mask.space, image.space, strict=True):
        first, last = max(0, int(start)), max(0, min(int(start) + edge, length))
        ours.append(slice(first, max(first, last)))
        its.append(slice(first - int(start), max(first, last) - int(start)))
    inside = mask.array[tuple(its)]
    if (lost := np.count_nonzero(mask.array) - np.count_nonzero(inside)) > 0:
        raise DataError(
            f"{mask_file}: shows {lost} voxels outside of its image; crop it to the image, or give it its own image"
        )
    whole = np.zeros((*image.space, *mask.array.shape[3:]), mask.array.dtype, order="F")
    whole[tuple(ours)] = inside
    back = np.eye(4)
    back[:3, 3] = -shift
    return replace(mask, array=whole, affine=mask.affine @ back)
