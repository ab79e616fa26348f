"""Decode one image file, its channels last. Whatever cannot be read is a DataError."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

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
    with decoding(file):
        return READERS[kind](file, reading)


@contextmanager
def decoding(file: Path) -> Iterator[None]:
    """Raise a DataError that names the file for what goes wrong inside."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file") from None
    except (OSError, EOFError, SyntaxError, zlib.error) as error:  # Pillow calls a damaged PNG a SyntaxError
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
