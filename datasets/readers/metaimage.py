"""MetaImage (MHA and MHD), by SimpleITK, turned to RAS+."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError
from .anatomical import RAS_OF_LPS
from .data_files import beside
from .extras import required
from .frames import last_is_time
from .picture import Picture, Reading
from .registry import reads
from .sizes import require_memory
from .volume import placed_picture

FOURTH = "the fourth axis of a MetaImage is read as channels; say `pages: frames` if it is time"

_LONGEST_HEAD = 2**16


@reads(".mha", ".mhd", parts={".mhd": lambda file: (file, _data_of(file))})
def metaimage(file: Path, reading: Reading) -> Picture:
    """(x, y, z, c), or (t, x, y, z, c) for a time stack, in RAS+; (y, x, c) where it has two axes.

    The direction is the TransformMatrix, as ITK reads it: AnatomicalOrientation beside it is not looked at. Two axes
    with edges of 1 have no spacing, for ITK writes that where nothing is known. Raises DataError for what is damaged,
    SpecError where SimpleITK is not installed.
    """
    itk = required("SimpleITK", "unetbench[itk]", "MetaImage")
    _require_whole(file)
    reader = itk.ImageFileReader()
    reader.SetImageIO("MetaImageIO")
    reader.SetFileName(str(file))
    try:
        reader.ReadImageInformation()
        array = _pixels(itk, reader, file, reading)
    except RuntimeError:  # of ITK, several lines that say where in its source
        raise DataError(f"{file}: is no readable MetaImage; it is damaged or cut short") from None
    rank = reader.GetDimension()
    if rank == 4:
        frames, notes = last_is_time(array.shape[3], "", file, reading, note=FOURTH)
        if array.shape[-1] > 1:
            raise DataError(f"{file}: has four axes and channels; three axes with channels, or four, can be read")
        array = array[..., 0]
    elif rank in (2, 3):
        frames, notes = False, ()
    else:
        raise DataError(f"{file}: has {rank} axes; 2 to 4 can be read")
    edges = np.array(reader.GetSpacing())
    if rank == 2:
        known = None if (edges == 1).all() else tuple(edges)
        return placed_picture(array, None, known, "MetaImage header", notes=notes)
    affine = np.eye(4)
    direction = np.array(reader.GetDirection()).reshape(rank, rank)[:3, :3]
    affine[:3, :3], affine[:3, 3] = direction * edges[:3], reader.GetOrigin()[:3]
    return placed_picture(array, RAS_OF_LPS @ affine, None, "MetaImage header", notes=notes, frames=frames)


def _pixels(itk: Any, reader: Any, file: Path, reading: Reading) -> np.ndarray:
    """The array (x, y, ..., c)."""
    shape, channels = reader.GetSize(), reader.GetNumberOfComponents()
    one = itk.Image([1] * reader.GetDimension(), reader.GetPixelID(), channels)
    dtype = itk.GetArrayViewFromImage(one).dtype
    if reading.outline:
        return np.broadcast_to(np.zeros((), dtype), (*shape, channels))
    require_memory((*shape, channels), dtype.itemsize, file)
    array = itk.GetArrayFromImage(reader.Execute())  # of the slowest axis first, channels last
    array = array if channels > 1 else array[..., None]
    return array.transpose(*range(array.ndim - 2, -1, -1), array.ndim - 1)


def _head(file: Path) -> tuple[dict[str, str], int]:
    """The fields of the head, which ends with ElementDataFile, and where data after it begin. Raises DataError."""
    fields: dict[str, str] = {}
    with file.open("rb") as content:
        while line := content.readline(_LONGEST_HEAD):
            name, equals, value = line.decode("utf-8", "replace").partition("=")
            if not equals or content.tell() > _LONGEST_HEAD:
                break
            fields[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                return fields, content.tell()
    raise DataError(f"{file}: is no readable MetaImage; it is damaged or cut short")


def _data_of(file: Path) -> Path:
    """The file that holds the voxels. Raises DataError for one that is not beside its header."""
    named = _head(file)[0]["ElementDataFile"]
    return file if named.upper() == "LOCAL" else beside(file, named)


def _require_whole(file: Path) -> None:
    """Raise DataError for data that are shorter than the head says: ITK prints lines of its own about them."""
    fields, start = _head(file)
    data = _data_of(file)
    if file.suffix.lower() == ".mha" and data != file:
        raise DataError(f"{file}: has its data in another file, {data.name}; rename it to .mhd, which such headers are")
    if fields.get("BinaryData", "True").lower() == "false":
        return
    length = data.stat().st_size - (start if data == file else 0)
    if fields.get("CompressedData", "False").lower() == "true":
        stated = fields.get("CompressedDataSize", "0")
    else:
        channels, size = fields.get("ElementNumberOfChannels", "1"), fields.get("DimSize", "0").split()
        stated = math.prod(int(edge) for edge in (*size, channels) if edge.isdecimal()) * _bytes(fields)
    if not str(stated).isdecimal() or int(stated) > length:
        raise DataError(f"{file}: is no readable MetaImage; it is damaged or cut short")


def _bytes(fields: dict[str, str]) -> int:
    """The least that a number of its type takes."""
    kind = fields.get("ElementType", "").removesuffix("_ARRAY")
    return {"MET_DOUBLE": 8, "MET_FLOAT": 4, "MET_INT": 4, "MET_UINT": 4, "MET_SHORT": 2, "MET_USHORT": 2}.get(kind, 1)
