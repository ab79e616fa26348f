"""A decoded grid of voxels as a picture: volumes in RAS+ where they say where they lie, images with rows first."""

from collections.abc import Sequence

import numpy as np

from .anatomical import is_grid, rounded_edge, upright_volume
from .picture import Picture


def placed_picture(
    array: np.ndarray,
    affine: np.ndarray | None,
    edges: Sequence[float] | None,
    said_by: str,
    *,
    notes: tuple[str, ...] = (),
    frames: bool = False,
) -> Picture:
    """The picture of an array (x, y, k) or (x, y, z, k); k counts channels, or points of time where `frames` is true.

    affine: (4, 4) from indices to millimetres in RAS, or None where the file does not say it: then axes stay as they
    are, and `edges` (millimetres, or None) are those of a voxel. An affine that is no grid is not used, which is noted.
    Of an image of two axes, which has no affine, rows come first. said_by: what states the edges.
    """
    orientation, rank = "", array.ndim - 1
    lengths = None if edges is None else np.asarray(edges)
    if affine is not None and not is_grid(affine):
        affine, lengths = None, None
        notes = (*notes, f"the {said_by} gives several voxels one place and is not used; give `spacing_mm`")
    if rank == 2:
        array, lengths = array.swapaxes(0, 1), None if lengths is None else lengths[::-1]
    elif affine is not None:
        array, affine, lengths, orientation = upright_volume(array, affine)
    if lengths is not None and not (np.isfinite(lengths).all() and lengths.min() > 0):
        lengths = None
    thin = [axis for axis in range(3) if rank == 3 and array.shape[axis] == 1]
    return Picture(
        np.moveaxis(array, -1, 0)[..., None] if frames else array,
        None if lengths is None else tuple(rounded_edge(float(edge)) for edge in lengths),
        "" if lengths is None else said_by,
        orientation,
        notes,
        frames=frames,
        depth=thin[0] if len(thin) == 1 else rank - 1 if rank == 3 else 0,
        affine=affine,
    )
