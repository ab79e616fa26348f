"""NIfTI, by nibabel."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError, one_line
from .picture import Picture, Reading
from .registry import reads

_MILLIMETRES = {"mm": 1.0, "unknown": 1.0, "micron": 1e-3, "meter": 1e3}


@reads(".nii", ".nii.gz")
def nifti(file: Path, reading: Reading) -> Picture:
    """(x, y, z, c) in the order of the file, with its spacing."""
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        volume: Any = nibabel.load(file)
        array = np.asanyarray(volume.dataobj)
    except (ImageFileError, HeaderDataError, ValueError) as error:
        raise DataError(f"{file}: is no readable NIfTI; it is damaged or cut short ({one_line(error)})") from None
    if array.dtype.names is not None or not 3 <= array.ndim <= 4:
        raise DataError(
            f"{file}: has shape {array.shape} of {array.dtype}; volumes with or without channels can be read"
        )
    unit = _MILLIMETRES.get(volume.header.get_xyzt_units()[0], 1.0)
    spacing_mm = tuple(round(float(edge) * unit, 6) for edge in volume.header.get_zooms()[:3])
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    array = array if array.ndim == 4 else array[..., None]
    picture = Picture(array, label_step=_step(volume))
    return replace(picture, spacing_mm=spacing_mm, spacing_source="NIfTI header") if min(spacing_mm) > 0 else picture


def _step(volume: Any) -> float | None:
    """The scale factor of integers where it is below 1."""
    step = abs(float(volume.dataobj.slope))
    return step if volume.get_data_dtype().kind in "iu" and 0 < step < 1 else None
