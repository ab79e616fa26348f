"""Images that look alike on the two sides of a split, among all cases of a data set."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from .near_duplicates import DISTANCE, perceptual_hash

CORRELATION = 0.98
"""Of two thumbnails that are one picture, at least; hashes alone take cells in the middle of all images for one.

Of the pairs of different cells in wbc (242 images) 147 have hashes that are near, and thumbnails that correlate by at
most .974; of 302 images of DSB 2018 and 120 generated ones of different groups by at most .57.
"""

MOST = 20_000
"""Images that are compared with each other at most; the first ones."""

_EDGE, _ROWS = 16, 512


@dataclass
class LookAlikes:
    """Hashes (8 bytes) and thumbnails (256 bytes) of 2D images, in the order in which they are added."""

    hashes: "array[int]" = field(default_factory=lambda: array("Q"))
    thumbnails: bytearray = field(default_factory=bytearray)

    def add(self, print_: tuple[int, bytes]) -> None:
        """Take a case's fingerprint."""
        self.hashes.append(print_[0])
        self.thumbnails += print_[1]

    def pairs(self, sides: Sequence[int]) -> list[tuple[int, int]]:
        """Each image that looks like one of a lower side, with the one that it resembles most, by their numbers.

        sides: one for each image; -1 for none. Two images look alike when their perceptual hashes differ in at most
        `DISTANCE` bits and their thumbnails correlate by `CORRELATION` at least.
        """
        count = min(len(self.hashes), MOST)
        side = np.asarray(sides[:count], np.int64)
        hashes = np.frombuffer(self.hashes, np.uint64)[:count]
        known = (hashes != 0) & (side >= 0)
        signs = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32) * 2 - 1
        pictures = np.frombuffer(bytes(self.thumbnails), np.uint8).reshape(-1, _EDGE**2)
        found = []
        for start in range(0, count, _ROWS):
            rows = np.arange(start, min(start + _ROWS, count))
            near = signs[rows] @ signs.T >= 64 - 2 * DISTANCE  # equal bits less differing ones
            near &= known[rows, None] & known[None] & (side[None] < side[rows, None])
            for row in np.flatnonzero(near.any(1)):
                others = np.flatnonzero(near[row])
                alike = _correlations(pictures[rows[row]], pictures[others])
                if alike.max() >= CORRELATION:
                    found.append((int(rows[row]), int(others[alike.argmax()])))
        return found


def fingerprint(image: np.ndarray) -> tuple[int, bytes]:
    """Hash and thumbnail of an image (y, x, c); a hash of 0 for what has none: constant images and volumes."""
    bits = perceptual_hash(image) if image.ndim == 3 else None
    if bits is None:
        return 0, bytes(_EDGE**2)
    grey = cv2.resize(image.mean(-1, dtype=np.float32), (_EDGE, _EDGE), interpolation=cv2.INTER_AREA)
    low, high = float(grey.min()), float(grey.max())
    shades = np.rint((grey - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    return int.from_bytes(np.packbits(bits).tobytes(), "big"), shades.tobytes()


def _correlations(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pearson's, of a thumbnail (p,) with each of some (n, p)."""
    a, b = one - one.mean(), others - others.mean(1, keepdims=True)
    return (b @ a) / np.maximum(np.sqrt((a @ a) * (b * b).sum(1)), 1e-12)
