"""Decode one file: images with their channels last, masks as integers. Whatever cannot be read is a DataError."""

import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np

from ..core.errors import DataError

FORMATS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".nii", ".nii.gz")

Channels = Literal["", "first", "last"]
"""Which axis of an image is channels, where its file does not say it."""

_MILLIMETRES = {"mm": 1.0, "unknown": 1.0, "micron": 1e-3, "meter": 1e3}
_STATED = {
    ("first", 3): "CYX",
    ("first", 4): "CZYX",
    ("last", 3): "YXC",
    ("last", 4): "ZYXC",
}
_DEPTH = "ZQI"  # tifffile's letters for a stack: named Z, or pages of no stated meaning


class Picture(NamedTuple):
    """array: an image (*space, c) or a mask (*space,); spacing_mm: voxel edges in the order of the axes, if stated."""

    array: np.ndarray
    spacing_mm: tuple[float, ...] | None = None


def read_image(file: Path, channels: Channels = "") -> Picture:
    """Decode an image to (*space, c), intensities and bit depth as stored.

    channels: which axis of a TIFF of 3 or 4 axes is channels, whatever it says; the others are (z,) y, x.

    PNG, JPEG and BMP (cv2) and TIFF (tifffile) give (y, x, c), colours in the order red, green, blue and without
    alpha; a TIFF of several pages gives a volume (z, y, x, c). NIfTI (nibabel) gives (x, y, z, c) in the order of the
    file, with its spacing. Raises DataError naming the file.
    """
    kind = suffix(file)
    if kind not in FORMATS:
        raise DataError(f"{file}: {kind or 'no suffix'!r} is no image format; use {', '.join(FORMATS)}")
    try:
        if kind in (".nii", ".nii.gz"):
            return _nifti(file)
        return Picture(_tiff(file, channels) if kind in (".tif", ".tiff") else _raster(file))
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file}: cannot be read; it is damaged, cut short or locked ({_line(error)})") from None


def read_page(file: Path, page: int, channels: Channels = "") -> Picture:
    """Decode one page of a TIFF to (y, x, c). Raises DataError as `read_image` does."""
    image = _stack(file, file.stat().st_mtime_ns, channels) if file.is_file() else read_image(file, channels).array
    return Picture(image[page] if image.ndim == 4 else image)


def page_count(file: Path, channels: Channels = "") -> int:
    """How many 2D pages a TIFF has. Raises DataError for other files and as `read_image` does."""
    if suffix(file) not in (".tif", ".tiff"):
        raise DataError(f"{file}: has no pages; `pages: cases` is for TIFF")
    image = _stack(file, file.stat().st_mtime_ns, channels)
    return len(image) if image.ndim == 4 else 1


@lru_cache(maxsize=1)  # cases that are pages are read one after the other
def _stack(file: Path, _changed_ns: int, channels: Channels) -> np.ndarray:
    return read_image(file, channels).array


def read_mask(file: Path) -> Picture:
    """Decode a mask to integers (*space,). Raises DataError for channels that differ and for values with a fraction."""
    array, spacing_mm = read_image(file)
    mask = array[..., 0]
    if any((array[..., k] != mask).any() for k in range(1, array.shape[-1])):
        raise DataError(f"{file}: a mask has one channel, this one has {array.shape[-1]} that differ; save it as grey")
    if mask.dtype.kind == "f":
        if not (np.isfinite(mask) & (mask == np.rint(mask))).all():
            raise DataError(f"{file}: a mask holds whole numbers, this one has NaN, infinities or fractions")
        mask = mask.astype(np.int64)
    return Picture(mask, spacing_mm)


def suffix(file: Path) -> str:
    """The suffix in small letters; `.nii.gz` counts as one."""
    name = file.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else file.suffix.lower()


def stem(file: Path) -> str:
    """The file's name without its suffix."""
    return file.name[: len(file.name) - len(suffix(file))]


def _raster(file: Path) -> np.ndarray:
    content = file.read_bytes()
    array = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    # a JPEG cut short decodes to grey blocks: its last scan (FFDA) must be followed by an end of image (FFD9)
    cut = content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")
    if array is None or cut:
        raise DataError(f"{file}: is {'cut short' if cut else 'empty, damaged or cut short'}; fetch it again")
    return array[..., None] if array.ndim == 2 else np.ascontiguousarray(array[..., 2::-1])


def _tiff(file: Path, channels: Channels) -> np.ndarray:
    import tifffile

    try:
        with tifffile.TiffFile(file) as tiff:
            page, series = tiff.series[0].keyframe, tiff.series
            if len({(s.shape, s.dtype, s.axes) for s in series}) > 1:
                shapes = sorted({s.shape for s in series})
                raise DataError(f"{file}: its pages differ in shape: {shapes}; save one image a file")
            array = series[0].asarray() if len(series) == 1 else np.stack([s.asarray() for s in series])
            axes = series[0].axes if len(series) == 1 else "Q" + series[0].axes
    except (tifffile.TiffFileError, ValueError, IndexError, KeyError, RuntimeError) as error:
        raise DataError(f"{file}: is no readable TIFF; it is damaged or cut short ({_line(error)})") from None
    array = _ordered(array, _STATED.get((channels, array.ndim)) or axes, file)
    array = array.astype(np.uint8 if array.dtype == bool else array.dtype.newbyteorder("="), copy=False)
    return array[..., : -len(page.extrasamples)] if "S" in axes and page.extrasamples else array


def _ordered(array: np.ndarray, axes: str, file: Path) -> np.ndarray:
    """Bring the axes a TIFF states into the order (z,) y, x, c."""
    kept = [(letter, k) for k, letter in enumerate(axes) if letter in "YX" or array.shape[k] > 1]
    array = array.reshape([array.shape[k] for _, k in kept])
    letters = "".join(letter for letter, _ in kept)
    order = [k for group in (_DEPTH, "Y", "X", "CS") for k, letter in enumerate(letters) if letter in group]
    counts = [sum(letter in group for letter in letters) for group in (_DEPTH, "CS")]
    if len(order) < len(letters) or max(counts) > 1:
        raise DataError(f"{file}: has the axes {axes}; depth, height, width and channels are possible, once each")
    array = array.transpose(order)
    return array if counts[1] else array[..., None]


def _nifti(file: Path) -> Picture:
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        volume: Any = nibabel.load(file)
        array = np.asanyarray(volume.dataobj)
    except (ImageFileError, HeaderDataError, ValueError) as error:
        raise DataError(f"{file}: is no readable NIfTI; it is damaged or cut short ({_line(error)})") from None
    if array.dtype.names is not None or not 3 <= array.ndim <= 4:
        raise DataError(
            f"{file}: has shape {array.shape} of {array.dtype}; volumes with or without channels can be read"
        )
    unit = _MILLIMETRES.get(volume.header.get_xyzt_units()[0], 1.0)
    spacing_mm = tuple(round(float(edge) * unit, 6) for edge in volume.header.get_zooms()[:3])
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return Picture(array if array.ndim == 4 else array[..., None], spacing_mm if min(spacing_mm) > 0 else None)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
