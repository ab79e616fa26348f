"""What an annotation says beside the classes, as further planes of bytes behind a truth: objects, and lines of boxes.

A truth `(*space, t)` uint8 that was weakened goes on with three planes, or three and two for each axis:

object     two planes, the lower byte first: the number of the object that the pixel was annotated for, 0 for none
class      one plane: 1 + the index of that object's logit; 255 where the data set itself ignores the pixel; else 0
positions  two planes an axis, of boxes: 1 + how far the pixel lies from the beginning of its box along this axis, and
           2^15 more where something hides a part of the box's line at right angles to the axis; 0 outside of boxes

Bytes move with the truth as its classes do: through resampling by the nearest pixel, files and tiles.
"""

from typing import NamedTuple

import numpy as np

from .task import Task

LEFT_OUT = 255
"""Class of what the data set itself ignores."""

HIDDEN = 2**15
"""Added to a position whose line is not all visible; no box is as long."""

MOST = 2**16 - 1
"""The largest number that two bytes hold; objects beyond it begin at 1 again."""


class Marks(NamedTuple):
    """object (…): int32. classes (…): uint8. positions (…, rank) int32, or (…, 0) where there are no boxes."""

    object: np.ndarray
    classes: np.ndarray
    positions: np.ndarray


def append_marks(truth: np.ndarray, marks: Marks) -> np.ndarray:
    """A truth (…, t) uint8 with the planes of its marks."""
    numbers = np.where(marks.object > 0, (marks.object - 1) % MOST + 1, 0)
    places = np.minimum(marks.positions, MOST)
    words = [numbers, *np.moveaxis(places, -1, 0)]
    planes = [np.stack([word & 255, word >> 8], -1).astype(np.uint8) for word in words]
    return np.concatenate([truth, planes[0], marks.classes[..., None].astype(np.uint8), *planes[1:]], -1)


def read_marks(truths: np.ndarray, task: Task) -> Marks | None:
    """The marks behind truths (…, t and more); None where there are none."""
    planes = truths[..., task.truth_channels :]
    if not planes.shape[-1]:
        return None
    words = planes.astype(np.int32)
    pairs = [words[..., k] + 256 * words[..., k + 1] for k in (0, *range(3, words.shape[-1], 2))]
    positions = np.stack(pairs[1:], -1) if pairs[1:] else np.zeros((*words.shape[:-1], 0), np.int32)
    return Marks(pairs[0], planes[..., 2], positions)
