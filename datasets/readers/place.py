"""Where in an array something is, as a message says it."""

import numpy as np


def first_place(where: np.ndarray) -> str:
    """`row 3, column 4` of the first pixel of a boolean image, or its `index (1, 2, 3)` in a volume (NIfTI in RAS+)."""
    index = tuple(int(k) for k in np.unravel_index(int(np.argmax(where)), where.shape))
    return f"row {index[0]}, column {index[1]}" if len(index) == 2 else f"index {index}"
