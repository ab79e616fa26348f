"""Decode one mask file to integers: labels, colours, or the two values of a threshold."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...core.errors import DataError
from .colours import colour_text, packed
from .headers import grey_bits, lossy
from .indexed import Indexed, indexed
from .nifti import FOURTH
from .orientation import orientation_of, upright
from .pages import Page
from .photometric import mask_samples
from .picture import Picture, Reading
from .place import first_place
from .read import PLAIN, changed_ns, decoding, read_image, read_page
from .registry import suffix
from .tiff import APART

NEAR = 1e-3
"""How far from a whole number a label may lie that was computed in floating point."""

INDEXED = "values of a file with a palette are its indices, whatever their colours"
ROUNDED = "labels were floats within 0.001 of whole numbers and were rounded"
UNSCALED = "labels were integers under a scale factor below 1 and were rounded to the whole numbers meant"

_PICTURES = (".bmp", ".j2k", ".jp2", ".jpeg", ".jpg", ".png", ".webp")


def read_mask(file: Path, reading: Reading = PLAIN, page: Page | None = None) -> Picture:
    """Decode a mask to integers (*space,): what the file stores, never its looks.

    A file with a palette (PNG, BMP, TIFF) gives the index, but a GIF, whose index writers number anew, and a BMP whose
    palette is grey alone give the grey. A grey PNG of 1, 2 or 4 bits gives 0 .. 1, 3 or 15. Alpha is left out, equal
    channels are one. Floats become the whole numbers that they are within rounding.

    `reading.colours`: give red · 65536 + green · 256 + blue instead, from RGB, grey and palettes alike.
    `reading.threshold`: give 1 where the value is at least that and 0 elsewhere. Raises DataError that says what else
    is possible. page: to be read without the rest, of formats of `PAGE_READERS`.
    """
    reading = replace(reading, mask=True)
    with decoding(file):
        looks = reading.colours or reading.threshold is not None
        picture = _stored(file, reading, looks=looks) if page is None else read_page(file, reading, page)
    array = picture.array
    if reading.colours:
        return replace(picture, array=packed(array, file))
    mask = array[..., 0]
    if any((array[..., k] != mask).any() for k in range(1, array.shape[-1])):
        raise DataError(f"{file}: a mask has one channel, this one has {array.shape[-1]} that differ{_advice(picture)}")
    if mask.dtype.kind not in "biuf":
        raise DataError(f"{file}: a mask holds whole numbers, this one {mask.dtype}; save it as integers")
    if reading.threshold is not None:
        return replace(picture, array=_above(mask, reading.threshold, picture.lossy, file), highest=1, lossy=False)
    if mask.dtype.kind != "f":
        return replace(picture, array=mask)
    labels, note = _whole(mask, picture.label_step, file)
    return replace(picture, array=labels, notes=(*picture.notes, *note))


def mask_once(file: Path, reading: Reading) -> Picture:
    """As `read_mask`, with the last few files remembered: a case that is a page has one or several."""
    return _mask(file, changed_ns(file), reading)


@lru_cache(maxsize=4)
def _mask(file: Path, _changed: int, reading: Reading) -> Picture:
    return read_mask(file, reading)


def _stored(file: Path, reading: Reading, *, looks: bool) -> Picture:
    """Samples (*space, c) as stored, or as they look."""
    if suffix(file) in (".tif", ".tiff"):
        return _tiff(file, reading, looks=looks)
    if suffix(file) not in _PICTURES:
        return read_image(file, reading)
    content = file.read_bytes()
    if not looks and (found := indexed(file, content)) is not None:
        highest = len(found.palette) - 1
        picture = Picture(found.indices[..., None], notes=(INDEXED,), highest=highest, indexed=True)
        return upright(picture, orientation_of(content)) if reading.exif == "apply" else picture
    picture = replace(read_image(file, reading), lossy=lossy(content))
    if looks or (bits := grey_bits(content)) is None:
        return picture
    highest = 2**bits - 1
    return replace(picture, array=picture.array // (255 // highest), highest=highest)


def _tiff(file: Path, reading: Reading, *, looks: bool) -> Picture:
    picture = read_image(file, reading)  # first, for it says best what is wrong with a file
    samples = mask_samples(file)
    if samples.palette is None and looks and samples.highest is not None:
        return replace(picture, array=picture.array * np.uint8(255 // samples.highest))
    picture = replace(picture, lossy=samples.lossy, highest=samples.highest)
    if samples.palette is None:
        return picture
    if looks:
        return replace(picture, array=Indexed(picture.array[..., 0], samples.palette).colours())
    return replace(picture, notes=(*picture.notes, INDEXED), indexed=True)


def _advice(picture: Picture) -> str:
    array = picture.array
    if picture.lossy:
        return "; its compression changes values: save it as grey PNG or TIFF, anew from what it was made of"
    if APART in picture.notes:
        return ", stored as planes apart; say `channels: none` if these are slices of a volume, else save it as grey"
    if FOURTH in picture.notes:
        return (
            "; say `pages: frames` if the fourth axis is time, else save each class as a file of its own "
            "(`masks: {NAME: GLOB, …}`)"
        )
    if array.shape[-1] != 3 or array.dtype != np.uint8:
        return "; save it as grey, or each class as a file of its own (`masks: {NAME: GLOB, …}`)"
    found, counts = np.unique(packed(array, ""), return_counts=True)
    shown = [colour_text(int(found[k])) for k in np.argsort(-counts, kind="stable")[:4]]
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    pairs = ", ".join(f'{name}: "{text}"' for name, text in zip(("background", "NAME"), shown, strict=False))
    pairs += ", …" if len(found) > 2 else ""
    return (
        f", with the colours {', '.join(shown)}{more}; where colours are classes say so, as in "
        f"`classes: {{{pairs}}}`, else save it as grey"
    )


def _above(mask: np.ndarray, threshold: float, changed: bool, file: Path) -> np.ndarray:
    if mask.dtype.kind == "f" and np.isnan(mask).any():
        raise DataError(
            f"{file}: holds NaN at {first_place(np.isnan(mask))}, which no threshold can sort; mend the file"
        )
    highest = mask.max(initial=0)
    if 0 < highest < threshold and not changed and np.isin(mask, (0, highest)).all():
        raise DataError(
            f"{file}: holds 0 and {highest}, both below the threshold of {threshold:g}, so that nothing would be an "
            "object; lower `threshold`, or drop it, which is for masks of many values"
        )
    return (mask >= threshold).astype(np.uint8)


def _whole(mask: np.ndarray, step: float | None, file: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Floats rounded to int64, and what to note. Raises DataError for what is no whole number within rounding."""
    nearest = np.rint(mask)
    # scaled integers lie within half a step of what they were made of, the step itself being a float32
    scaled_off = 0 if step is None else step / 2 + float(np.abs(mask).max(initial=0)) * 2**-22
    with np.errstate(invalid="ignore"):  # infinity less infinity
        off = np.abs(mask - nearest)
        wrong = ~(off <= max(NEAR, scaled_off))
    if wrong.any():
        value = float(mask[wrong][0])
        count = int(wrong.sum())
        more = f" and {count - 1} more such" if count > 1 else ""
        scaled = f" under the scale factor {step:.4g}" if step is not None else ""
        raise DataError(
            f"{file}: a mask holds whole numbers, this one {value:.6g}{scaled} at {first_place(wrong)}{more}; save "
            "labels as integers" + (", or say `threshold: 0.5` where these are probabilities" if value == value else "")
        )
    most = 2 ** (np.finfo(mask.dtype).nmant + 1)
    if (high := np.abs(nearest).max(initial=0)) > most:
        raise DataError(
            f"{file}: holds the label {high:.0f}, and above {most} {mask.dtype} has no place for each whole number; "
            "save labels as integers"
        )
    note = () if not off.any() else (ROUNDED if step is None else UNSCALED,)
    return nearest.astype(np.int64), note
