"""From the values of a mask file to the truth of a task."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.errors import DataError

FULL = (1, 255, 65535)
"""Values that mean foreground in a two-valued mask."""


def binary(mask: np.ndarray, where: object, *, ignore: int | None = None) -> np.ndarray:
    """A mask (*space,) of 0 and one of `FULL` → truth (*space, 1) uint8 of 0 and 1; empty masks are legal.

    Pixels of the value `ignore` keep it. Raises DataError naming the values that are too many.
    """
    found = [int(v) for v in np.unique(mask) if v not in (0, ignore)]
    if len(found) > 1 or any(value not in FULL for value in found):
        raise DataError(
            f"{where}: a binary mask holds 0 and one of {', '.join(map(str, FULL))}, this one {_some([0, *found])}; "
            "for labels of single objects say `instances: true`, for classes give each its values"
        )
    return chosen(mask, mask != 0, ignore=ignore)


def chosen(mask: np.ndarray, foreground: np.ndarray, *, ignore: int | None = None) -> np.ndarray:
    """A boolean foreground (*space,) → truth (*space, 1) uint8; where the mask has the value `ignore`, that value."""
    truth = foreground.astype(np.uint8)
    if ignore is not None:
        truth[mask == ignore] = ignore
    return truth[..., None]


def classes(
    mask: np.ndarray, where: object, values: Sequence[Sequence[int]], *, ignore: int | None = None
) -> np.ndarray:
    """A mask (*space,) → truth (*space, 1) uint8: the index k whose `values[k]` hold the pixel's value.

    Pixels of the value `ignore` keep it. Raises DataError for a value that belongs to no class.
    """
    table: Mapping[int, int] = {value: index for index, entry in enumerate(values) for value in entry}
    if ignore is not None:
        table = {**table, ignore: ignore}
    found, inverse = np.unique(mask, return_inverse=True)
    strange = [int(value) for value in found if int(value) not in table]
    if strange:
        raise DataError(
            f"{where}: the mask holds {_some(strange)}, which no class has; the {len(values)} classes have "
            f"{_some(sorted(table))}: add the missing class, or name the value as `ignore`"
        )
    lookup = np.array([table[int(value)] for value in found], np.uint8)
    return lookup[inverse].reshape(*mask.shape, 1)


def _some(values: Sequence[int], most: int = 8) -> str:
    text = ", ".join(map(str, values[:most]))
    return f"{text} and {len(values) - most} more" if len(values) > most else text
