"""Decode one image file, its channels last. Whatever cannot be read is a DataError."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from ...core.errors import DataError, UnetbenchError, one_line
from . import arrays, dicom, gif, jpeg2000, metaimage, netpbm, nifti, nrrd, ome_zarr, raster, tiff  # noqa: F401 each registers its suffixes
from .pages import MOST, Page, count, pages
from .picture import Picture, Reading
from .registry import PAGE_READERS, READERS, kind_of, suffixes

PLAIN = Reading()

_PAGED = (
    "/", ".dcm", ".mha", ".mhd", ".nhdr", ".nii", ".nii.gz", ".npy", ".npz", ".nrrd",
    ".ome.zarr", ".seg.nrrd", ".tif", ".tiff", ".zarr",
)  # fmt: skip


def read_image(file: Path, reading: Reading = PLAIN) -> Picture:
    """Decode an image to (*space, c), intensities and bit depth as stored. Raises DataError naming the file."""
    kind = kind_of(file)
    if kind not in READERS:
        raise DataError(f"{file}: {kind or 'no suffix'!r} is no image format; use {', '.join(suffixes())}")
    with decoding(file):
        picture = READERS[kind](file, reading)
    return _checked(file, picture, reading)


def read_page(file: Path, reading: Reading, page: Page) -> Picture:
    """Decode one page, cut, of a file whose format reads it without the rest (`PAGE_READERS`). Raises DataError."""
    with decoding(file):
        picture = PAGE_READERS[kind_of(file)](file, reading, page)
    return _checked(file, picture, reading)


def _checked(file: Path, picture: Picture, reading: Reading) -> Picture:
    if 0 in picture.array.shape:
        raise DataError(f"{file}: has no pixels, its shape is {picture.array.shape}")
    if picture.array.dtype.kind not in "buif" and not reading.mask:
        raise DataError(f"{file}: an image holds real numbers, this one {picture.array.dtype}; save its magnitude")
    return picture


@contextmanager
def decoding(file: Path) -> Iterator[None]:
    """Raise a DataError that names the file for what goes wrong inside."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file") from None
    except MemoryError:
        raise DataError(f"{file}: does not fit into memory; if it is not so large it is damaged") from None
    except UnetbenchError:
        raise
    except Exception as error:  # decoders promise no list of what they raise for damage: Pillow has SyntaxError for it
        raise DataError(f"{file}: cannot be read; it is damaged, cut short or locked ({one_line(error)})") from None


def image_once(file: Path, reading: Reading) -> Picture:
    """As `read_image`; the last file is remembered, for cases that are its pages are read one after the other."""
    return _image(file, changed_ns(file), reading)


def pages_in(file: Path, reading: Reading) -> list[Page]:
    """The parts of a file that are cases, by its header. Raises DataError for formats of one image and no time."""
    if kind_of(file) not in _PAGED:
        raise DataError(f"{file}: has no pages; `pages: {reading.pages}` is for stacks and volumes")
    outline = read_image(file, replace(reading, outline=True))
    if reading.pages == "frames" and not outline.frames and len(outline.space) > 2:
        raise DataError(
            f"{file}: has no axis of time; say `pages: cases` for its slices, or leave `pages` out for a volume"
        )
    if (found := count(outline, reading.pages)) > MOST:
        raise DataError(f"{file}: says that it has {found:,} pages; if it has not so many it is damaged")
    return pages(outline, reading.pages)


def changed_ns(file: Path) -> int:
    """When the content of a file or the list of a folder last changed, or 0 where there is none."""
    return file.stat().st_mtime_ns if file.exists() else 0


@lru_cache(maxsize=1)
def _image(file: Path, _changed: int, reading: Reading) -> Picture:
    return read_image(file, reading)
