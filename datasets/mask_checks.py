"""Masks that could be read, but not as what they mean: refused, with the option that says what is meant."""

from collections.abc import Callable, Sequence

import numpy as np

from ..core.errors import DataError
from .listed import listed
from .readers.colours import colour_text
from .readers.place import first_place

_CHANGED = "its compression changes values"

_APART = 32
"""Values of classes that are closer than this may change places in a JPEG."""


def check_labels(mask: np.ndarray, where: object, *, ignore: int | None, lossy: bool) -> None:
    """Raise DataError for numbers of objects that a lossy compression changed, and for negative ones."""
    if lossy and mask.any():
        raise DataError(
            f"{where}: {_CHANGED}, so they number no objects; for two-valued masks of objects that do "
            "not touch say `threshold: 128` and `components: true`, else save labels as PNG or TIFF"
        )
    wrong = mask < 0 if ignore is None else (mask < 0) & (mask != ignore)
    if wrong.any():
        value = int(mask[wrong][0])
        raise DataError(
            f"{where}: objects have numbers above 0, this mask holds {value} in {np.count_nonzero(wrong)} pixels; say "
            f"`ignore: {value}` if nobody knows what these are, or save them as 0 if they are background"
        )


def check_chosen(
    mask: np.ndarray,
    where: object,
    name: str,
    values: Sequence[int],
    *,
    lossy: bool,
    highest: int | None,
    show: Callable[[int], str] = str,
) -> None:
    """Raise DataError where all but the values of one class are background, but the file cannot hold these exactly.

    highest: the highest value possible where the dtype does not say it. lossy: whether values were changed.
    """
    least, most = (0, 1) if mask.dtype == bool else (np.iinfo(mask.dtype).min, np.iinfo(mask.dtype).max)
    most = most if highest is None else highest
    if not any(least <= value <= most for value in values):
        here = int(mask.max(initial=0)) or most
        raise DataError(
            f"{where}: holds values up to {most} only, so that nothing in it could be {name}, which is "
            f"{listed(values, show)}; say what it is here, too, as in `classes: {{{name}: {[here, *values]}}}`"
        )
    strange = [int(value) for value in np.setdiff1d(mask, (0, *values))] if lossy else []
    if strange:
        mend = "" if show(0) != "0" else f"say `classes: [{name}]` and `threshold: 128`, or "
        raise DataError(
            f"{where}: holds {listed(strange, show)} besides {listed(values, show)}, for {_CHANGED}; "
            f"{mend}save masks as PNG or TIFF, anew from what they were made of"
        )


def check_distances(mask: np.ndarray, where: object, values: Sequence[Sequence[int]], *, ignore: int | None) -> None:
    """Raise DataError for a mask whose values were changed by lossy compression, or may have been, unseen."""
    known = sorted({value for own in values for value in own} | ({ignore} if ignore is not None else set()))
    close = min(np.diff(known), default=_APART) < _APART
    if np.setdiff1d(mask, known).size or (close and np.unique(mask).size > 1):
        raise DataError(
            f"{where}: {_CHANGED}, so that they tell no classes; save masks as PNG or TIFF, anew from "
            "what they were made of (for masks of two values there is `threshold: 128`)"
        )


def check_colours(mask: np.ndarray, where: object, values: Sequence[Sequence[int]], *, ignore: int | None) -> None:
    """Raise DataError for a mask (*space,) of colours of which one is no class's: the most frequent of these."""
    known = [value for own in values for value in own] + ([ignore] if ignore is not None else [])
    found, counts = np.unique(mask, return_counts=True)
    strange = ~np.isin(found, known)
    if not strange.any():
        return
    k = int(np.argmax(np.where(strange, counts, 0)))
    place = first_place(mask == found[k])
    others = int(strange.sum()) - 1
    colour, more = colour_text(int(found[k])), f", nor {others} more colours" if others else ""
    smooth = ", or draw without smooth edges, if that is where it comes from" if others else ""
    raise DataError(
        f"{where}: no class has the colour {colour}, which {counts[k]} pixels have, the first at {place}{more}; the "
        f'classes have {listed(known, colour_text)}: add it to one of them, or say `ignore: "{colour}"`{smooth}'
    )


def check_known(mask: np.ndarray, where: object, known: Sequence[int]) -> None:
    """Raise DataError for a mask (*space,) with a value that its data set does not name."""
    strange = np.setdiff1d(mask, known)
    if strange.size:
        place = first_place(mask == strange[0])
        raise DataError(
            f"{where}: holds {listed([int(value) for value in strange])}, the first at {place}, and its data set has "
            f"labels of the values {listed(sorted(known))} only; save it anew, or add the label to `dataset.json`"
        )
