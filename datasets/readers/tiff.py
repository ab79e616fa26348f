"""TIFF, by tifffile: pages are depth."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError, one_line
from .orientation import upright
from .picture import Picture, Reading
from .raster import without_alpha
from .registry import reads
from .tiff_checks import check

_STATED = {
    ("first", 3): "CYX",
    ("first", 4): "CZYX",
    ("last", 3): "YXC",
    ("last", 4): "ZYXC",
}
_ALPHA = (1, 2)  # ExtraSamples: associated and unassociated
_PALETTE = 3  # PhotometricInterpretation
_DEPTH = "ZQI"  # tifffile's letters for a stack: named Z, or pages of no stated meaning


@reads(".tif", ".tiff")
def tiff(file: Path, reading: Reading) -> Picture:
    """(y, x, c), or (z, y, x, c) for several pages, upright.

    Alpha is left out where the file calls the last sample of its grey or RGB pixels so. Samples of another or no stated
    meaning and planes that are stored apart are channels, noted.
    """
    import tifffile

    try:
        with tifffile.TiffFile(file) as opened:
            page, series = opened.series[0].keyframe, opened.series
            check(file, opened)
            if len({(s.shape, s.dtype, s.axes) for s in series}) > 1:
                shapes = sorted({s.shape for s in series})
                raise DataError(f"{file}: its pages differ in shape: {shapes}; save one image a file")
            array = series[0].asarray() if len(series) == 1 else np.stack([s.asarray() for s in series])
            axes = series[0].axes if len(series) == 1 else "Q" + series[0].axes
    except (tifffile.TiffFileError, ValueError, IndexError, KeyError, RuntimeError, struct.error) as error:
        raise DataError(f"{file}: is no readable TIFF; it is damaged or cut short ({one_line(error)})") from None
    axes, notes = _understood(page, axes, reading)
    stated = _STATED.get((reading.channels, array.ndim))
    array = _ordered(array, stated or axes, file)
    array = array.astype(np.uint8 if array.dtype == bool else array.dtype.newbyteorder("="), copy=False)
    alpha = not stated and axes.endswith("S") and _has_alpha(page)
    picture = without_alpha(array, reading) if alpha else Picture(array, notes=() if stated else notes)
    return upright(picture, int(page.tags.valueof(274, 1))) if reading.exif == "apply" else picture


def _has_alpha(page: Any) -> bool:
    """Whether the samples of a pixel are grey or RGB and, last, what the file calls alpha."""
    return len(page.extrasamples) == 1 and page.extrasamples[0] in _ALPHA and page.samplesperpixel in (2, 4)


def _understood(page: Any, axes: str, reading: Reading) -> tuple[str, tuple[str, ...]]:
    """The axes after `channels: none`, and what is not plain about the samples of a pixel."""
    if reading.channels == "none":
        return axes.replace("C", "Q").replace("SY", "QY"), ()
    notes = []
    if "SY" in axes:
        notes.append("planes that are stored apart were taken as channels (`channels: none` makes them a volume)")
    elif page.extrasamples:
        notes.append("samples that the file calls neither colour nor transparency were kept as channels")
    if page.photometric == _PALETTE:
        notes.append("the palette was not applied: pixels are its indices")
    return axes, tuple(notes)


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
