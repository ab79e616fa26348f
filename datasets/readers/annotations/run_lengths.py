"""Run lengths, as COCO, CVAT and Kaggle write the pixels of an object."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from ....core.errors import DataError
from .polygons import Runs

Order = Literal["columns", "rows"]
"""Whether the pixel after the first one is the one below it or the one beside it."""


class Box(NamedTuple):
    """Part of an image: its first row and column, and how many of them it has."""

    top: int
    left: int
    height: int
    width: int


class RunLengths(NamedTuple):
    """Pixels `starts[k]` to `starts[k] + lengths[k] - 1` of an image whose pixels are numbered from 0 in this order.

    box: the part of the image whose pixels are numbered, or None for all of it.
    """

    starts: np.ndarray
    lengths: np.ndarray
    order: Order
    box: Box | None = None


class Bitmap(NamedTuple):
    """Pixels (y, x) of booleans, the first of which lies at row `top` and column `left` of the image."""

    pixels: np.ndarray
    top: int
    left: int


def from_counts(counts: Sequence[int] | np.ndarray, order: Order, box: Box | None = None) -> RunLengths:
    """Numbers of pixels that are outside, inside, outside … in turn. Raises ValueError for a negative one."""
    counts = np.asarray(counts)
    if counts.ndim != 1 or (counts.size and counts.dtype.kind not in "iu") or (counts < 0).any():
        raise ValueError("run lengths are whole numbers from 0 on")
    ends = np.cumsum(counts, dtype=np.int64)
    inside = counts[1::2].astype(np.int64)
    return RunLengths(ends[1::2] - inside, inside, order, box)


def from_pixels(pixels: np.ndarray, top: int, left: int) -> RunLengths:
    """Pixels (y, x) of booleans, the first of which lies at this row and column of an image."""
    steps = np.diff(pixels.ravel().astype(np.int8), prepend=0, append=0)
    starts = np.flatnonzero(steps == 1)
    return RunLengths(starts, np.flatnonzero(steps == -1) - starts, "rows", Box(top, left, *pixels.shape))


def from_starts(text: str, order: Order) -> RunLengths:
    """`start length start length …`, as on Kaggle: pixels are numbered from 1. Raises ValueError for other text."""
    words = text.split()
    try:
        numbers = np.array(words, np.int64)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} holds something else than whole numbers") from None
    if len(numbers) % 2:
        raise ValueError(f"has {len(numbers)} numbers; each start needs a length")
    starts, lengths = numbers[::2] - 1, numbers[1::2]
    if (starts < 0).any() or (lengths < 0).any():
        raise ValueError("starts count from 1 and lengths are not negative")
    return RunLengths(starts, lengths, order)


def from_coco_text(text: str) -> np.ndarray:
    """The counts of COCO's compressed run lengths, as `from_counts` takes them; (n,) int64.

    A character less 48 has five bits of a number and a sixth that says that more follow, the lowest bits first, the
    highest bit of the last five being the sign; from the fourth number on it is the difference from the one two before.
    Raises ValueError for text that is none.
    """
    codes = np.frombuffer(text.encode("utf-8"), np.uint8).astype(np.int64) - 48
    if not len(codes):
        return codes
    last = codes & 32 == 0
    if (codes < 0).any() or (codes > 63).any() or not last[-1]:
        raise ValueError("is no compressed run length of COCO")
    begins = np.concatenate(([0], np.flatnonzero(last)[:-1] + 1))
    places = np.arange(len(codes)) - np.repeat(begins, np.diff([*begins, len(codes)]))
    if places.max() > 6:  # 35 bits, more than any image has pixels
        raise ValueError("is no compressed run length of COCO: a number has too many digits")
    numbers = np.add.reduceat((codes & 31) << (5 * places), begins)
    ends = np.flatnonzero(last)
    numbers -= np.where(codes[ends] & 16, 1 << (5 * (places[ends] + 1)), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def bitmap_of(runs: RunLengths, space: tuple[int, int], where: object) -> Bitmap:
    """The pixels in an image (y, x) as a bitmap of no more than the rows and columns that they lie in.

    Raises DataError that begins with `where` for runs that reach beyond the last pixel, or a box beyond the image.
    """
    top, left, height, width = runs.box or Box(0, 0, *space)
    if min(top, left, height, width) < 0 or top + height > space[0] or left + width > space[1]:
        raise DataError(
            f"{where}: its box of {height}×{width} at row {top}, column {left} does not lie in the image of "
            f"{space[0]}×{space[1]}"
        )
    kept = runs.lengths > 0
    starts, stops = runs.starts[kept], (runs.starts + runs.lengths)[kept]
    if not len(starts):
        return Bitmap(np.zeros((0, 0), bool), top, left)
    if (end := int(stops.max())) > height * width or (stops < starts).any():
        raise DataError(
            f"{where}: its run lengths reach pixel {end:,} and {height}×{width} has {height * width:,}; they are of "
            "another image, or of one of another size"
        )
    line = height if runs.order == "columns" else width
    first, final = int(starts.min()) // line, (end - 1) // line
    steps = np.zeros((final + 1 - first) * line + 1, np.int32)
    np.add.at(steps, starts - first * line, 1)
    np.add.at(steps, stops - first * line, -1)
    lines = np.cumsum(steps[:-1]).reshape(-1, line) > 0
    across = np.flatnonzero(lines.any(0))
    pixels = lines[:, across[0] : across[-1] + 1]
    if runs.order == "columns":
        return Bitmap(pixels.T, top + int(across[0]), left + first)
    return Bitmap(pixels, top + first, left + int(across[0]))


def bitmap_runs(bitmap: Bitmap, space: tuple[int, int]) -> Runs:
    """The runs along rows of a bitmap within an image (y, x), of the owner 0; what lies outside is cut off."""
    pixels, top, left = bitmap
    down, across = max(0, -top), max(0, -left)
    pixels = pixels[down : max(0, space[0] - top), across : max(0, space[1] - left)]
    edged = np.zeros((len(pixels), pixels.shape[1] + 2), np.int8)
    edged[:, 1:-1] = pixels
    steps = np.diff(edged, axis=1)
    row, start = np.nonzero(steps == 1)
    stop = np.nonzero(steps == -1)[1]
    return Runs(np.zeros(len(row), np.int64), row + top + down, start + left + across, stop + left + across)
