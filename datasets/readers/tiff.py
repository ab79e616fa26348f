"""TIFF, by tifffile: pages are depth, where the file does not call them time."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError, one_line
from .orientation import upright
from .photometric import as_shown, notes_of_white
from .picture import Picture, Reading
from .raster import without_alpha
from .registry import reads
from .sizes import require_memory
from .tiff_checks import check, check_head
from .tiff_spacing import spacing

APART = "planes that are stored apart were taken as channels (`channels: none` makes them a volume)"

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
    """(y, x, c), or (z, y, x, c) for several pages, upright; t first where it has time and pages are cases.

    Alpha is left out where the file calls the last sample of its grey or RGB pixels so. Samples of another or no stated
    meaning and planes that are stored apart are channels, noted.
    """
    import tifffile

    try:
        with tifffile.TiffFile(file) as opened:
            check_head(file, opened)
            page, series = opened.series[0].keyframe, opened.series
            check(file, opened)
            if len({(s.shape, s.dtype, s.axes) for s in series}) > 1:
                shapes = sorted({s.shape for s in series})
                raise DataError(f"{file}: its pages differ in shape: {shapes}; save one image a file")
            if not reading.outline:
                require_memory((len(series), *series[0].shape), series[0].dtype.itemsize, file)
            pixels = [_pixels(s, reading) for s in series]
            array = pixels[0] if len(series) == 1 else np.stack(pixels)
            if array.size < page.size * (opened.imagej_metadata or {}).get("images", 1):  # tifffile reads what is left
                raise DataError(f"{file}: is cut short, pages of its stack are missing; fetch it again")
            axes = series[0].axes if len(series) == 1 else "Q" + series[0].axes
            meant = _understood(axes, array.ndim, reading)
            frames = array.shape[meant.index("T")] if "T" in meant else 1
            array = _ordered(array, meant, file, reading)
            edges, source, notes = spacing(opened, volume=array.ndim - (frames > 1) == 4)
    except (tifffile.TiffFileError, struct.error, ValueError, IndexError, KeyError, RuntimeError) as error:
        raise DataError(f"{file}: is no readable TIFF; it is damaged or cut short ({one_line(error)})") from None
    stated = (reading.channels, len(axes)) in _STATED
    array = array.astype(np.uint8 if array.dtype == bool else array.dtype.newbyteorder("="), copy=False)
    alpha = not stated and axes.endswith("S") and _has_alpha(page)
    notes += () if stated or alpha else _samples(page, axes, reading)
    notes += notes_of_white(page)
    picture = without_alpha(array, reading) if alpha else Picture(array)
    picture = replace(
        picture, spacing_mm=edges, spacing_source=source, notes=(*notes, *picture.notes), frames=frames > 1
    )
    return upright(picture, int(page.tags.valueof(274, 1))) if reading.exif == "apply" else picture


def _has_alpha(page: Any) -> bool:
    """Whether the samples of a pixel are grey or RGB and, last, what the file calls alpha."""
    return len(page.extrasamples) == 1 and page.extrasamples[0] in _ALPHA and page.samplesperpixel in (2, 4)


def _samples(page: Any, axes: str, reading: Reading) -> tuple[str, ...]:
    """What is not plain about the samples of a pixel."""
    if reading.channels == "none":
        return ()
    notes = []
    if "SY" in axes:
        notes.append(APART)
    elif page.extrasamples:
        notes.append("samples that the file calls neither colour nor transparency were kept as channels")
    if page.photometric == _PALETTE and not reading.mask:
        notes.append("the palette was not applied: pixels are its indices")
    return tuple(notes)


def _pixels(series: Any, reading: Reading) -> np.ndarray:
    if reading.outline:
        return np.broadcast_to(np.zeros((), series.dtype), series.shape)
    return as_shown(series.asarray(), series.keyframe)


def _understood(axes: str, rank: int, reading: Reading) -> str:
    """The axes that the sweep file states, or the file; frames are what it calls time, or a stack of no meaning."""
    if reading.channels == "none":
        axes = axes.replace("C", "Q").replace("SY", "QY")
    stated = _STATED.get((reading.channels, rank), axes)
    if reading.pages != "frames" or "T" in stated:
        return stated
    if stated != axes and "Z" not in axes:
        return stated.replace("Z", "T")
    return stated.replace("Q", "T", 1) if "Q" in stated else stated.replace("I", "T", 1)


def _ordered(array: np.ndarray, axes: str, file: Path, reading: Reading) -> np.ndarray:
    """Bring the axes a TIFF states into the order (t,) (z,) y, x, c."""
    kept = [(letter, k) for k, letter in enumerate(axes) if letter in "YX" or array.shape[k] > 1]
    array = array.reshape([array.shape[k] for _, k in kept])
    letters = "".join(letter for letter, _ in kept)
    order = [k for group in ("T", _DEPTH, "Y", "X", "CS") for k, letter in enumerate(letters) if letter in group]
    counts = [sum(letter in group for letter in letters) for group in (_DEPTH, "CS")]
    if "T" in letters and reading.pages == "volume":
        raise DataError(
            f"{file}: has the axes {axes}, and T is time; say `pages: frames` to make a case of each frame, or save "
            "the pages as depth"
        )
    if len(order) < len(letters) or max(counts) > 1:
        raise DataError(f"{file}: has the axes {axes}; time, depth, height, width and channels are possible, once each")
    array = array.transpose(order)
    return array if counts[1] else array[..., None]
