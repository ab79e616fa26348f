"""Decode one file: images with their channels last, masks as integers. Whatever cannot be read is a DataError."""

import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...core.errors import DataError, one_line
from . import arrays, gif, jpeg2000, netpbm, nifti, raster, tiff  # noqa: F401 each registers the suffixes that it reads
from .picture import Picture, Reading
from .registry import READERS, suffix, suffixes

PLAIN = Reading()


def read_image(file: Path, reading: Reading = PLAIN) -> Picture:
    """Decode an image to (*space, c), intensities and bit depth as stored. Raises DataError naming the file."""
    kind = suffix(file)
    if kind not in READERS:
        raise DataError(f"{file}: {kind or 'no suffix'!r} is no image format; use {', '.join(suffixes())}")
    try:
        return READERS[kind](file, reading)
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file}: cannot be read; it is damaged, cut short or locked ({one_line(error)})") from None


def read_page(file: Path, page: int, reading: Reading = PLAIN) -> Picture:
    """Decode one page of a TIFF, NPY or NPZ to (y, x, c). Raises DataError as `read_image` does."""
    whole = _stack(file, file.stat().st_mtime_ns, reading) if file.is_file() else read_image(file, reading)
    return replace(
        whole, array=whole.array[page] if whole.array.ndim == 4 else whole.array, spacing_mm=None, spacing_source=""
    )


def page_count(file: Path, reading: Reading = PLAIN) -> int:
    """How many 2D pages a TIFF, NPY or NPZ has. Raises DataError for other files and as `read_image` does."""
    if suffix(file) not in (".tif", ".tiff", ".npy", ".npz"):
        raise DataError(f"{file}: has no pages; `pages: cases` is for TIFF, NPY and NPZ")
    image = _stack(file, file.stat().st_mtime_ns, reading).array
    return len(image) if image.ndim == 4 else 1


@lru_cache(maxsize=1)  # cases that are pages are read one after the other
def _stack(file: Path, _changed_ns: int, reading: Reading) -> Picture:
    return read_image(file, reading)


def read_mask(file: Path, reading: Reading = PLAIN) -> Picture:
    """Decode a mask to integers (*space,). Raises DataError for channels that differ and for values with a fraction."""
    picture = read_image(file, replace(reading, mask=True))
    array, mask = picture.array, picture.array[..., 0]
    if any((array[..., k] != mask).any() for k in range(1, array.shape[-1])):
        raise DataError(f"{file}: a mask has one channel, this one has {array.shape[-1]} that differ; save it as grey")
    if mask.dtype.kind == "f":
        if not (np.isfinite(mask) & (mask == np.rint(mask))).all():
            raise DataError(f"{file}: a mask holds whole numbers, this one has NaN, infinities or fractions")
        mask = mask.astype(np.int64)
    return replace(picture, array=mask)
