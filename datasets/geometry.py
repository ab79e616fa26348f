"""Whether an image and its mask lie at the same place."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from ..core.errors import DataError
from .partial_masks import on_grid_of
from .readers import Picture, from_ras, in_file_order, to_ras

TOLERANCE = 1e-3
"""Of a voxel's edge."""


def aligned(image_file: Path, image: Picture, mask_file: Path, mask: Picture, *, ignore: bool = False) -> Picture:
    """The mask (t, *space) as (t, *space, 1), its voxels in the order of the image's. Both as the readers give them.

    Where both files state an orientation both arrays are RAS+, and the corners of the volume must be at the same place
    by both affines: max |inverse(A_image) (A_mask - A_image) corner| ≤ 1e-3 voxels, or more by what a qform cannot hold
    (`Picture.rounding_rad`). Where one of them states none, their voxels correspond in the order of the files, which is
    noted. Of spacings without affines the edges must be the same within 1e-3. A partial mask is brought to the image's
    grid first (`partial_masks`). ignore: what differs is noted, and voxels
    correspond in the order of the files. A mask of fewer axes than the image, which holds for all of its frames
    (noted) or slices, is returned as it is.

    Raises DataError naming both files, what they state and the fix.
    """
    mask = on_grid_of(image, mask_file, replace(mask, array=mask.array[..., None]))
    both = bool(image.orientation and mask.orientation)
    difference = _difference(image, mask)
    if ignore and difference:
        note = "the mask has another geometry than its image, which is ignored: voxels correspond as in the files"
        mask = replace(_as_in_files(mask, image.orientation), notes=(*mask.notes, note))
    elif not both and image.orientation != mask.orientation:
        lacking = "mask" if image.orientation else "image"
        note = f"the {lacking} states no orientation: voxels of image and mask correspond as in the files"
        mask = replace(_as_in_files(mask, image.orientation), notes=(*mask.notes, note))
    if not _same_shape(image, mask):
        shapes = ["×".join(map(str, picture.array.shape[:-1])) for picture in (image, mask)]
        turned = f", with axes turned from {image.orientation} and {mask.orientation} to RAS" if both else ""
        raise DataError(
            f"{image_file} is {shapes[0]} and its mask {mask_file} {shapes[1]}{turned}; both need the same size"
            + fix_of_shapes(image.array.shape[:-1], mask.array.shape[:-1])
        )
    if difference and not ignore:
        raise DataError(
            f"{image_file} ({_stated(image)}) and its mask {mask_file} ({_stated(mask)}) {difference}; resample the "
            "mask to the image, or say `geometry: ignore` if their voxels correspond in the order of the files"
        )
    alike = mask.array.shape[:-1] == image.array.shape[:-1]  # pages that only one file calls time are frames of both
    found = replace(mask, depth=image.depth, frames=image.frames if alike else mask.frames)
    if image.frames and not found.frames:
        return replace(
            found, notes=(*found.notes, "the mask has no axis of time and holds for every frame of its image")
        )
    return found


def fix_of_shapes(space: tuple[int, ...], mask: tuple[int, ...]) -> str:
    """What may help where an image and its mask differ in shape."""
    if len(space) == 4 and mask == (space[0] * space[1], *space[2:]):
        return f"; save the mask with its axes stated as TZYX, {space[0]} frames of {space[1]} slices"
    if len(space) == len(mask) + 1:
        return "; if an axis of the image is channels, say `channels: first` or `channels: last`"
    if len(space) > 1 and mask == (*space[:-2], space[-1], space[-2]):
        return "; if only one of the files states an orientation, `exif: ignore` leaves both as stored"
    if len(mask) == len(space) + 1 and 1 in mask:
        return "; drop the mask's axis of length 1"
    if len(mask) == len(space) + 1:
        return (
            "; if planes of the image are slices and no channels, say `channels: none`; if those of the mask are "
            "classes, save each as a file of its own"
        )
    if len(space) > 2 and sorted(space) == sorted(mask):
        return "; save the mask with its axes in the order of the image's"
    if len(space) > 2 and sum(ours != its for ours, its in zip(space, mask, strict=True)) == 1:
        return (
            "; give every page or slice its mask, empty where nothing is, or leave out those of the image without one"
        )
    return "; crop, pad or resample the mask to its image"


def _same_shape(image: Picture, mask: Picture) -> bool:
    flat = len(mask.space) < len(image.space) and not image.orientation  # compared with a slice once that is cut
    return flat or mask.array.shape[:-1] in (image.array.shape[:-1], image.space)


def _as_in_files(mask: Picture, orientation: str) -> Picture:
    """The mask's voxels as its file has them, turned as an image of this orientation is."""
    if len(mask.space) != 3:
        return mask
    array = mask.array
    if mask.orientation:
        array = from_ras(array, mask.orientation, frames=mask.frames)
    if orientation:
        array = to_ras(array, orientation, frames=mask.frames)
    return replace(mask, array=array)


def _difference(image: Picture, mask: Picture) -> str:
    """How the geometries differ that both files state, or ""."""
    if image.affine is not None and mask.affine is not None:
        if mask.space != image.space:
            return "have other shapes"
        apart, rounding = _apart(image.affine, mask.affine, image.space)
        doubt = (image.rounding_rad + mask.rounding_rad) * rounding
        return f"lie {apart:.3g} voxels apart" if apart > TOLERANCE + doubt else ""
    edges = [_edges(picture) for picture in (image, mask)]
    if not all(edges) or len(edges[0]) != len(edges[1]):
        return ""
    return "" if np.allclose(*edges, rtol=TOLERANCE, atol=0) else "have other voxels"


def _apart(image: np.ndarray, mask: np.ndarray, space: tuple[int, ...]) -> tuple[float, float]:
    """Displacement of the farthest corner in voxels along an axis, and what a rotation by 1 rad would make it."""
    corners = np.array([[*corner, 1] for corner in product(*((0, edge - 1) for edge in space))]).T
    moved = np.linalg.solve(image[:3, :3], ((mask - image) @ corners)[:3])
    edges = np.linalg.norm(image[:3, :3], axis=0)
    return float(np.abs(moved).max()), float(np.linalg.norm(edges * space) / edges.min())


def _edges(picture: Picture) -> tuple[float, ...]:
    """Voxel edges in the order of the file, or () where it states none; nibabel writes 1 where nothing is known."""
    if picture.spacing_mm is None or (picture.spacing_source == "NIfTI pixdim" and set(picture.spacing_mm) == {1.0}):
        return ()
    return in_file_order(picture.spacing_mm, picture.orientation)


def _stated(picture: Picture) -> str:
    edges = f"{'×'.join(f'{edge:g}' for edge in picture.spacing_mm or ())} mm"
    if picture.affine is None:
        return edges
    origin = ", ".join(f"{place:.6g}" for place in picture.affine[:3, 3])
    return f"{picture.orientation}, {edges}, first voxel in RAS at ({origin})"
