"""What a TIFF says of its samples: whether 0 is white, their palette, whether compression changed them."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...core.errors import DataError

INVERTED = "0 is white in the file, so values were inverted as viewers show them"
BOOLEANS = (
    f"{INVERTED}; but tifffile, which wrote it, calls booleans so and does not invert them: if objects and background "
    "are exchanged, save the file as uint8, or give the object the value 0 (`classes: {NAME: 0}`)"
)
LEFT = "0 is white in the file, but values were left as stored, for viewers disagree on more than 8 bits"

_WHITE_IS_ZERO, _PALETTE = 0, 3  # PhotometricInterpretation
_BYTE = 8
_LOSSY = ("OJPEG", "JPEG", "JPEG_99", "ALT_JPEG", "JPEG_LOSSY", "JPEG_2000_LOSSY")


class Samples(NamedTuple):
    """lossy: whether a JPEG's compression changed values. palette: (entries, 3) uint8, or None.

    highest: the highest value where samples have less than 8 bits, or None.
    """

    lossy: bool
    palette: np.ndarray | None
    highest: int | None


def inverts(page: Any) -> bool:
    """Whether 0 is white and all viewers show it so: where samples are unsigned and have at most 8 bits."""
    return page.photometric == _WHITE_IS_ZERO and page.bitspersample <= _BYTE and page.dtype.kind in "bu"


def as_shown(array: np.ndarray, page: Any) -> np.ndarray:
    """The samples with 0 as black."""
    if not inverts(page):
        return array
    return ~array if array.dtype == bool else array.dtype.type(2**page.bitspersample - 1) - array


def notes_of_white(page: Any) -> tuple[str, ...]:
    """What to note of a file of which 0 is white."""
    if not inverts(page):
        return (LEFT,) if page.photometric == _WHITE_IS_ZERO else ()
    return (BOOLEANS if page.dtype == bool and page.software.startswith("tifffile") else INVERTED,)


def mask_samples(file: Path) -> Samples:
    """Read the tags of a TIFF's first page.

    Raises what `tifffile` raises for damage, and DataError where 0 is white and samples have more than 8 bits: some
    viewers invert these (ImageJ) and others do not (OpenCV, Pillow), so that nobody knows which is meant.
    """
    import tifffile

    with tifffile.TiffFile(file) as opened:
        page: Any = opened.pages.first
        if page.photometric == _WHITE_IS_ZERO and not inverts(page):
            raise DataError(
                f"{file}: its tags say that 0 is white, and viewers disagree whether to invert {page.dtype}; save the "
                "mask with 0 as black (MinIsBlack)"
            )
        colours = page.colormap if page.photometric == _PALETTE else None
        # Without its tag, as ImageJ writes files, tifffile (2026.3.3) gives the default as a plain number.
        lossy = tifffile.COMPRESSION(page.compression).name in _LOSSY
        highest = 2**page.bitspersample - 1 if page.bitspersample < _BYTE else None
    return Samples(lossy, None if colours is None else (colours.T >> _BYTE).astype(np.uint8), highest)
