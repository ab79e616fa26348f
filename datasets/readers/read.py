"""Decode one file: images with their channels last, masks as integers. Whatever cannot be read is a DataError."""

import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...core.errors import DataError, one_line
from . import nifti, raster, tiff  # noqa: F401 each registers the suffixes that it reads
from .pages import Page, pages
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


def image_once(file: Path, reading: Reading) -> Picture:
    """As `read_image`; the last file is remembered, for cases that are its pages are read one after the other."""
    return _image(file, _changed_ns(file), reading)


def mask_once(file: Path, reading: Reading) -> Picture:
    """As `read_mask`, with the last few files remembered: a case has one or several."""
    return _mask(file, _changed_ns(file), reading)


def pages_in(file: Path, reading: Reading) -> list[Page]:
    """The parts of a file that are cases, by its header. Raises DataError for formats of one image."""
    if suffix(file) not in (".tif", ".tiff", ".nii", ".nii.gz"):
        raise DataError(f"{file}: has no pages; `pages: {reading.pages}` is for TIFF and NIfTI")
    return pages(read_image(file, replace(reading, outline=True)), reading.pages)


def _changed_ns(file: Path) -> int:
    return file.stat().st_mtime_ns if file.is_file() else 0


@lru_cache(maxsize=1)
def _image(file: Path, _changed: int, reading: Reading) -> Picture:
    return read_image(file, reading)


@lru_cache(maxsize=4)
def _mask(file: Path, _changed: int, reading: Reading) -> Picture:
    return read_mask(file, reading)
