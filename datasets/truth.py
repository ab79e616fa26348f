"""From the values of a mask file to the truth of a task."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.errors import DataError
from .listed import listed

FULL = (1, 255, 65535)
"""Values that mean foreground in a two-valued mask."""

_NEAR, _SHARE = 32, 0.8

IGNORED = 255
"""What a truth holds in place of an ignored value that uint8 cannot hold or that a class has."""


def ignore_code(ignore: int, classes: int) -> int:
    """What a truth of so many classes holds for the value `ignore` of its files: the value itself where it can."""
    return ignore if max(2, classes) <= ignore <= IGNORED else IGNORED


def binary(
    mask: np.ndarray, where: object, *, ignore: int | None = None, code: int | None = None, lossy: bool = False
) -> np.ndarray:
    """A mask (*space,) of 0 and one of `FULL` → truth (*space, 1) uint8 of 0 and 1; empty masks are legal.

    Pixels of the value `ignore` become `code`, or keep it without one. lossy: whether compression changed values.
    Raises DataError naming the values that are too many.
    """
    found, counts = np.unique(mask, return_counts=True)
    objects = [k for k, value in enumerate(found) if int(value) not in (0, ignore)]
    values = [int(found[k]) for k in objects]
    if len(values) > 1 or any(value not in FULL for value in values):
        raise DataError(
            f"{where}: a binary mask holds 0 and one of {', '.join(map(str, FULL))}, this one {listed([0, *values])}; "
            + (
                "JPEG and smooth edges leave such values: say `threshold: 128`, or save masks as PNG or TIFF, anew "
                "from what they were made of"
                if lossy or _near_two(found[objects], counts[objects])
                else "for labels of single objects say `instances: true`, for classes give each its values"
            )
        )
    return chosen(mask, mask != 0, ignore=ignore, code=code)


def chosen(
    mask: np.ndarray, foreground: np.ndarray, *, ignore: int | None = None, code: int | None = None
) -> np.ndarray:
    """A boolean foreground (*space,) → truth (*space, 1) uint8; where the mask has the value `ignore`, `code`.

    Without a code that value itself, which then must be one of uint8.
    """
    truth = foreground.astype(np.uint8)
    if ignore is not None:
        truth[mask == ignore] = ignore if code is None else code
    return truth[..., None]


def classes(
    mask: np.ndarray,
    where: object,
    values: Sequence[Sequence[int]],
    *,
    names: Sequence[str] = (),
    ignore: int | None = None,
    code: int | None = None,
) -> np.ndarray:
    """A mask (*space,) → truth (*space, 1) uint8: the index k whose `values[k]` hold the pixel's value.

    Pixels of the value `ignore` become `code`, or keep it without one. names: of the classes, for the message. Raises
    DataError for a value that belongs to no class.
    """
    table: Mapping[int, int] = {value: index for index, entry in enumerate(values) for value in entry}
    if ignore is not None:
        table = {**table, ignore: ignore if code is None else code}
    found, inverse = np.unique(mask, return_inverse=True)
    strange = [int(value) for value in found if int(value) not in table]
    if strange:
        raise DataError(
            f"{where}: the mask holds {listed(strange)}, which no class has; the {len(values)} classes have "
            f"{listed(sorted(table))}: {_advice(strange, {int(value) for value in found}, values, names)}"
        )
    lookup = np.array([table[int(value)] for value in found], np.uint8)
    return lookup[inverse].reshape(*mask.shape, 1)


def united(planes: Sequence[np.ndarray], files: Sequence[object], code: int | None) -> np.ndarray:
    """The union of truths (*space, 1) of one image: any class before ignored pixels, these before background.

    code: what ignored pixels hold. Raises DataError naming two files that give a pixel different classes.
    """
    union = planes[0]
    for k, plane in enumerate(planes[1:], 1):
        old, new = ((part != 0) & (part != code) if code is not None else part != 0 for part in (union, plane))
        if (clash := old & new & (union != plane)).any():
            raise DataError(
                f"{files[k]}: gives {np.count_nonzero(clash)} pixels another class than the masks before it, "
                f"{files[0]} being the first; one mask a pixel can be right"
            )
        union = np.where(old, union, np.where(new, plane, np.maximum(union, plane)))
    return union


def _near_two(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether values above 0 are those that a JPEG, or smooth edges, leave of a mask of 0 and 255: near the two."""
    near = (values < _NEAR) | (values > FULL[1] - _NEAR)
    highest = int(values.max(initial=0))
    return FULL[1] - _NEAR < highest <= FULL[1] and bool(counts[near].sum() > _SHARE * counts.sum())


def _advice(strange: Sequence[int], found: set[int], values: Sequence[Sequence[int]], names: Sequence[str]) -> str:
    """What to write for values that no class has.

    To ignore one is advised only where the mask holds every class besides: else it may be the foreground itself.
    """
    lacking = [k for k, own in enumerate(values) if not found.intersection(own)]
    if names and len(strange) == len(lacking):
        given = {k: own[0] if len(own) == 1 else list(own) for k, own in enumerate(values)}
        given |= dict(zip(lacking, strange, strict=True))
        pairs = ", ".join(f"{name}: {given[k]}" for k, name in enumerate(names))
        return f"say which value is which class, for instance `classes: {{{pairs}}}`"
    text = f"say which class they are, for instance `NAME: {strange[0]}` in a mapping `classes`"
    if not lacking and len(strange) == 1:
        text += f", or `ignore: {strange[0]}` if nobody knows what these pixels are"
    return text
