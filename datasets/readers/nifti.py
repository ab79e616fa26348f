"""NIfTI, by nibabel, turned to RAS+."""

from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError, one_line
from .anatomical import is_grid, rounded_edge, upright_volume
from .picture import Picture, Reading
from .registry import reads
from .sizes import require_memory

FOURTH = "the fourth axis of a NIfTI is read as channels; say `pages: frames` if it is time"

_MILLIMETRES = {"mm": 1.0, "unknown": 1.0, "micron": 1e-3, "meter": 1e3}
_SECONDS = ("sec", "msec", "usec")
_SAME_EDGE = 1e-3
_LOST_REAL_PART = 6e-4  # of a quaternion; nibabel and ITK take what is less for 0


@reads(".nii", ".nii.gz")
def nifti(file: Path, reading: Reading) -> Picture:
    """(x, y, z, c), or (t, x, y, z, c) for a time stack, in RAS+, with spacing and affine in millimetres.

    An image of two axes is a volume of one slice. The affine is the sform, else the qform, whichever has a code; where
    neither has, the file says no orientation (nibabel takes LAS for it, ITK LPS) and its axes stay as they are. Voxel
    edges are those of the affine, or else pixdim.
    """
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        volume: Any = nibabel.load(file)
        if file.suffix.lower() == ".gz" and not reading.outline:  # others are mapped, and must be as long as they say
            require_memory(volume.shape, volume.get_data_dtype().itemsize, file)
        header, array = volume.header, _pixels(volume, reading)
        affine, rounding_rad = _affine(header)
    except (ImageFileError, HeaderDataError, ValueError) as error:
        raise DataError(f"{file}: is no readable NIfTI; it is damaged or cut short ({one_line(error)})") from None
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    array, time, notes = _axes(array, header, file, reading)
    edges = header["pixdim"][1:4].astype(float)
    orientation = ""
    if affine is None:
        notes += ("the NIfTI states no orientation (no sform or qform of use); its axes are taken as they are",)
    else:
        stated, edges = edges, np.linalg.norm(affine[:3, :3], axis=0)
        if (np.abs(stated - edges) > _SAME_EDGE * edges).any():
            notes += ("pixdim differs from the affine of the NIfTI; the edges are the affine's",)
        array, affine, edges, orientation = upright_volume(array, affine)
    named = header.get_xyzt_units()[0]
    unit = _MILLIMETRES.get(named, 1.0)
    unsaid = affine is None and named == "unknown" and (edges == 1).all()  # what nibabel writes where nothing is known
    known = bool(np.isfinite(edges).all() and edges.min() > 0 and not unsaid)
    thin = [axis for axis in range(3) if array.shape[axis] == 1]
    return Picture(
        np.moveaxis(array, -1, 0)[..., None] if time else array,
        tuple(rounded_edge(float(edge) * unit) for edge in edges) if known else None,
        "" if not known else "NIfTI pixdim" if affine is None else "NIfTI header",
        orientation,
        notes,
        frames=time,
        depth=thin[0] if len(thin) == 1 else 2,
        affine=None if affine is None else np.diag([unit, unit, unit, 1]) @ affine,
        rounding_rad=rounding_rad,
        label_step=_step(volume),
    )


def _pixels(volume: Any, reading: Reading) -> np.ndarray:
    return np.broadcast_to(np.uint8(0), volume.shape) if reading.outline else np.asanyarray(volume.dataobj)


def _affine(header: Any) -> tuple[np.ndarray | None, float]:
    """Where the file says that its voxels lie, in its unit, and by how much that rotation may be off.

    The sform, else the qform, whichever has a code and is a grid; or None. A qform keeps b, c and d of a unit
    quaternion as float32, and a = sqrt(1 - b² - c² - d²) is lost near 0, for rotations by about 180°: the rotation is
    off by about 1e-7 / a, or by 1.2e-3, where readers take a for 0.
    """
    affine, code = header.get_sform(coded=True)
    if code and is_grid(affine):
        return affine.astype(float), 0.0
    affine, code = header.get_qform(coded=True)
    if code and is_grid(affine):
        real = header.get_qform_quaternion()[0]
        return affine.astype(float), 2 * _LOST_REAL_PART if real < _LOST_REAL_PART else 1.2e-7 / real
    return None, 0.0


def _axes(array: np.ndarray, header: Any, file: Path, reading: Reading) -> tuple[np.ndarray, bool, tuple[str, ...]]:
    """The array as (x, y, z, k), whether k is time and not channels, and what to note. Raises DataError.

    A fifth axis is channels by the standard, the fourth time; but sets of several modalities have them in the fourth.
    """
    if array.dtype.names is not None or not (2 <= array.ndim <= 4 or (array.ndim == 5 and array.shape[3] == 1)):
        raise DataError(
            f"{file}: has shape {array.shape} of {array.dtype}; volumes with or without channels can be read"
        )
    if array.ndim == 5:
        return array[:, :, :, 0], False, ()
    array = array.reshape(*array.shape, *[1] * (4 - array.ndim), order="A")
    length = array.shape[3]
    if length == 1 or reading.channels == "last":
        return array, False, ()
    if reading.pages == "frames" or (reading.mask and reading.pages == "cases"):
        return array, True, ()
    step, unit = float(header["pixdim"][4]), header.get_xyzt_units()[1]
    if unit not in _SECONDS or step in (0, 1):  # what writers of channels leave there
        return array, False, (FOURTH,)
    if reading.pages == "volume":
        raise DataError(
            f"{file}: its fourth axis is time by its header ({length} frames of {step:g} {unit}); say `pages: frames` "
            "to make a case of each, or `channels: last` if they are channels"
        )
    return array, True, ()


def _step(volume: Any) -> float | None:
    """The scale factor of integers where it is below 1."""
    step = abs(float(volume.dataobj.slope))
    return step if volume.get_data_dtype().kind in "iu" and 0 < step < 1 else None
