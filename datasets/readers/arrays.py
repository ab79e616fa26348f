"""NPY and NPZ, by NumPy; never a pickle."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...core.arrays import PICKLED, damage, file_bytes, read_member, read_npy
from ...core.errors import DataError, one_line
from .picture import Channels, Picture, Reading
from .registry import reads

_COLOURS = 4
"""A last axis as short as this is channels where nothing says otherwise; a first one may be."""


@reads(".npy")
def npy(file: Path, reading: Reading) -> Picture:
    """(*space, c) of numbers. An NPY does not say what its axes are: how 3 and 4 of them were taken is noted."""
    try:
        with file.open("rb") as content:
            array = read_npy(content, file_bytes(content))
    except ValueError as error:
        raise unreadable(file, error) from None
    return _picture(array, file, reading)


@reads(".npz")
def npz(file: Path, reading: Reading) -> Picture:
    """As an NPY: the only array, or the one that `Reading.array` names; no other is decompressed."""
    try:
        with damage():
            archive = zipfile.ZipFile(file)
        with archive:
            array = read_member(archive, _chosen(archive.namelist(), file, reading))
    except ValueError as error:
        raise unreadable(file, error) from None
    return _picture(array, file, reading)


def unreadable(file: Path, error: Exception) -> DataError:
    """What is raised for an NPY or NPZ that NumPy or zipfile cannot read."""
    if str(error) == PICKLED:
        return DataError(f"{file}: {PICKLED}")
    return DataError(f"{file}: is no readable array; it is damaged or cut short ({one_line(error)})")


def _chosen(members: Sequence[str], file: Path, reading: Reading) -> str:
    names = [member.removesuffix(".npy") for member in members]
    wanted = reading.array or names[0] if len(names) == 1 else reading.array
    if wanted not in names:
        option = "mask_array" if reading.mask else "image_array"
        came = f"no array {wanted!r}" if wanted else f"{len(names)} arrays"
        raise DataError(f"{file}: has {came}; say which of {', '.join(names) or 'none'} by `{option}`")
    return members[names.index(wanted)]


def _picture(array: np.ndarray, file: Path, reading: Reading) -> Picture:
    if array.dtype.kind not in "buif" or not 2 <= array.ndim <= 4 or not array.size:
        raise DataError(f"{file}: holds {array.shape} of {array.dtype}; 2 to 4 axes of numbers can be read")
    array = array.astype(np.uint8 if array.dtype == bool else array.dtype.newbyteorder("="), copy=False)
    channels = _channels(array.shape, file, reading)
    if channels == "first":
        array = np.moveaxis(array, 0, -1)
    elif channels == "none":
        array = array[..., None]
    array = np.ascontiguousarray(array)
    if (reading.channels and not reading.mask) or (array.ndim == 3 and array.shape[-1] == 1):
        return Picture(array)
    taken = ("y, x" if array.ndim == 3 else "z, y, x") + (", channels" if channels == "last" else "")
    note = f"axes that the file does not name were taken as {taken}"
    return Picture(array, notes=(note,))


def _channels(shape: tuple[int, ...], file: Path, reading: Reading) -> Channels:
    if len(shape) == 2:
        return "none"
    if reading.channels and not reading.mask:
        return reading.channels
    if shape[-1] == 1 or (shape[-1] <= _COLOURS and not reading.mask):
        return "last"
    if reading.mask or (len(shape) == 3 and shape[0] > _COLOURS):
        return "none"
    raise DataError(
        f"{file}: has the shape {shape} and does not say which axis is channels; say `channels: first`, `last` or "
        "`none`"
    )
